/** Two `fairlead manager` on a real API server, as the service account of an installation, judged by its audit log. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { Event, Secret } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
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
  const own = kubeconfigOfManager(t)
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

test('no secret gets into a log, an event, a status or a metric, whatever goes wrong', async (t) => {
  const machine = await startMachine(t)
  const canary = `hf_${randomBytes(12).toString('hex')}`
  const secret = { name: 'keys', namespace: 'default' }
  await machine.client.create(Secret, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: secret,
    data: { token: Buffer.from(canary).toString('base64') },
  })
  const env = [
    { name: 'HF_TOKEN', value: canary },
    { name: 'API_KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'token' } } },
  ]
  const broken = [{ type: 'server', image: 'vllm/vllm-openai:v1', config: { 'max-model-len': 'long' } }]
  const manager = startManager(t, kubeconfigOfManager(t), [...home, '--log-level', 'debug'])
  await machine.apply(modelBooster('good', { backends: [backend('a', { env })] }))
  await machine.apply(modelBooster('bad', { backends: [backend('a', { env, workers: broken })] }))
  await machine.condition(ModelBooster, 'good', 'Active')
  await machine.condition(ModelBooster, 'bad', 'Failed')

  const statuses = [...(await machine.list(ModelBooster)), ...(await machine.list(ModelServing))].map(
    ({ status }) => status,
  )
  const { text: metrics } = await manager.get('metrics', '/metrics')
  assert.equal(await manager.stop('SIGTERM'), 0)
  const told = { log: manager.said(), metrics, events: await machine.list(Event), statuses }
  for (const [place, content] of Object.entries(told)) {
    const text = JSON.stringify(content)
    assert.ok(text.length > 500, `${place} says something`)
    for (const value of [canary, Buffer.from(canary).toString('base64'), tokens.manager])
      assert.ok(!text.includes(value), place)
  }
})

function kubeconfigOfManager(t: TestContext): string {
  const ca = loadClusterAccess({ env: {}, path: kubeconfig }).ca ?? ''
  return writeKubeconfig(temporaryDirectory(t), { ca, cert: '', key: '', token: tokens.manager }, url)
}

const hasStatus = ({ status }: ModelBooster): boolean => status?.conditions !== undefined

/** The lease is written by both, which is how they agree. */
function isWrite({ verb, resource }: AuditEntry): boolean {
  return !['get', 'list', 'watch'].includes(verb) && resource !== 'leases'
}
