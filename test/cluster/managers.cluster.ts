/** Two `fairlead manager` on a real API server, as the service account of an installation, judged by its audit log. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModelBooster } from '#api/model-booster.ts'
import { writeKubeconfig } from '#cli/identity.ts'
import { loadClusterAccess } from '#kube/kubeconfig.ts'
import { backend, modelBooster } from '../builders.ts'
import { startMachine } from '../machine.ts'
import { type ManagerProcess, startManager } from '../manager-process.ts'
import { temporaryDirectory } from '../up-process.ts'
import { auditEntries, type AuditEntry } from './audit.ts'
import { clusterTarget } from './target.ts'

const target = clusterTarget()
if (target?.auditLog === undefined) throw new Error('without an audit log nobody can say who wrote')
const { auditLog, kubeconfig, url, tokens } = target

/** The defaults of the command line. */
const leaseSeconds = 15
const graceSeconds = 2
const home = ['--leader-elect-resource-namespace', 'fairlead-system']

test('the leader is killed in the middle of its work, the other goes on in time, and never do both write', async (t) => {
  const machine = await startMachine(t) // a cluster with a node; the controllers are in the managers
  const directory = temporaryDirectory(t)
  const ca = loadClusterAccess({ env: {}, path: kubeconfig }).ca ?? ''
  const own = writeKubeconfig(directory, { ca, cert: '', key: '', token: tokens.manager }, url)
  const managers = [startManager(t, own, home), startManager(t, own, home)] as const
  const leader = await Promise.race(managers.map(async (each) => (await each.logged('leading')) && each))
  const standby = managers.find((each) => each !== leader) as ManagerProcess
  await standby.logged('standing by')

  const names = Array.from({ length: 30 }, (_, at) => `chat-${at}`)
  await Promise.all(names.map((name) => machine.apply(modelBooster(name, { backends: [backend('a')] }))))
  await machine.until('the work to have begun', async () => (await machine.list(ModelBooster)).some(hasStatus))
  const killedMs = Date.now()
  await leader.stop('SIGKILL')
  await standby.logged('leading')
  const tookSeconds = (Date.now() - killedMs) / 1_000
  t.diagnostic(`followed after ${tookSeconds.toFixed(1)} s with a lease of ${leaseSeconds} s`)
  assert.ok(tookSeconds <= leaseSeconds + graceSeconds, `${tookSeconds} s`)
  await Promise.all(names.map((name) => machine.condition(ModelBooster, name, 'Active')))

  const writes = auditEntries(auditLog).filter(isWrite)
  const [first, second] = await Promise.all(
    [leader, standby].map(async (manager) => {
      const identity = await manager.identity()
      return writes.filter(({ userAgent }) => userAgent.includes(identity))
    }),
  )
  assert.ok(first !== undefined && first.length > 0 && second !== undefined && second.length > 0)
  const lastMs = Math.max(...first.map(({ toMs }) => toMs))
  const nextMs = Math.min(...second.map(({ fromMs }) => fromMs))
  t.diagnostic(`${first.length} writes, a pause of ${nextMs - lastMs} ms, ${second.length} writes`)
  assert.ok(lastMs < nextMs, 'both wrote at one time')
  assert.equal(await standby.stop('SIGTERM'), 0)
})

const hasStatus = ({ status }: ModelBooster): boolean => status?.conditions !== undefined

/** The lease is written by both, which is how they agree. */
function isWrite({ verb, resource }: AuditEntry): boolean {
  return !['get', 'list', 'watch'].includes(verb) && resource !== 'leases'
}
