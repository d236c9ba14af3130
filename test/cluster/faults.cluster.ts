/**
 * What a real API server does to its clients on a bad day: it dies and comes back, forgets what a watch goes on from, refuses,
 * and loses answers. Our controllers come to the same end each time, with no child twice and none missing, and ask no faster
 * than is decent while nothing works.
 */
import assert from 'node:assert/strict'
import { after, before, type TestContext, test } from 'node:test'
import { ConfigMap, Pod } from '#api/core/kinds.ts'
import type { Log } from '#base/log.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import { fixedCredentials } from '#kube/credentials.ts'
import { loadClusterAccess } from '#kube/kubeconfig.ts'
import { connect } from '#kube/transport.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Kind } from '#machinery/kind.ts'
import { findKubectl } from '../../scripts/kubectl.ts'
import { backend, modelBooster } from '../builders.ts'
import { type Machine, startMachine } from '../machine.ts'
import { auditEntries } from './audit.ts'
import { type ControlPlane, startControlPlane } from './control-plane.ts'
import { type Fate, type FaultProxy, startFaultProxy } from './fault-proxy.ts'
import { prepareCluster } from './prepare.ts'
import { problemsOnly } from '../ground.ts'
import { standOnCluster } from './stand.ts'
import type { ClusterTarget } from './target.ts'

let plane: ControlPlane
let target: ClusterTarget
before(async () => {
  const kubectl = await findKubectl(process.env)
  if ('missing' in kubectl) throw new Error(kubectl.missing)
  plane = await startControlPlane(process.env)
  target = prepareCluster({ ...plane, kubectl: kubectl.path })
})
after(() => plane[Symbol.asyncDispose]())

const names = Array.from({ length: 8 }, (_, at) => `chat-${at}`)
const boosters = names.map((name) => modelBooster(name, { backends: [backend('a'), backend('b')] }))
/** Every child of the boosters, by kind. */
const wanted: ReadonlyMap<Kind, readonly string[]> = new Map<Kind, readonly string[]>([
  [ModelServing, names.flatMap((name) => [`${name}-a`, `${name}-b`])],
  [ModelServer, names.flatMap((name) => [`${name}-a`, `${name}-b`])],
  [ModelRoute, names],
  [Pod, names.flatMap((name) => [`${name}-a-0-leader-0-0`, `${name}-b-0-leader-0-0`])],
] as [Kind, readonly string[]][])

/** Requests a second that a controller process may make at most while every one of them fails. */
const decentRate = 40

async function allServe(machine: Machine): Promise<void> {
  await Promise.all(names.map((name) => machine.condition(ModelBooster, name, 'Active')))
  await machine.settled()
  for (const [kind, want] of wanted) {
    const items = await machine.list(kind)
    const names = items.map(({ metadata }) => metadata.name ?? '')
    assert.deepEqual(new Set(names), new Set(want), kind.kind)
    assert.equal(names.length, want.length)
  }
}

const open = (t: TestContext, log = problemsOnly): Promise<Machine> =>
  startMachine(t, { log }, standOnCluster(target, {}))

/** No pod was made twice since, whoever asked for it how often. */
function madeOnce(fromMs: number): void {
  const made = auditEntries(plane.auditLog).filter(
    ({ verb, resource, subresource, code, toMs }) =>
      `${verb} ${resource}/${subresource} ${code}` === 'create pods/ 201' && toMs >= fromMs,
  )
  const twice = [...Map.groupBy(made, ({ name }) => name)].filter(([, entries]) => entries.length > 1)
  assert.deepEqual(twice, [])
}

test('the API server dies in the middle and comes back', async (t) => {
  const machine = await open(t)
  const fromMs = Date.now()
  machine.start()
  for (const booster of boosters) await machine.apply(booster)
  await machine.condition(ModelBooster, 'chat-0', 'Active')
  await plane.killApiServer()
  const asked = machine.requests.length
  await plane.startApiServer()
  await allServe(machine)
  madeOnce(fromMs)
  t.diagnostic(`${machine.requests.length - asked} requests were answered after it`)
})

test('etcd forgets the versions that watches go on from', async (t) => {
  const warnings: unknown[] = []
  const log: Log = { ...problemsOnly, with: () => log, warn: (_message, fields) => warnings.push(fields?.['code']) }
  const machine = await open(t, log)
  machine.start()
  for (const booster of boosters.slice(0, 4)) await machine.apply(booster)
  await machine.condition(ModelBooster, 'chat-3', 'Active')
  await machine.settled()
  // Versions go on without what we watch, are forgotten, and the server that remembered them is gone.
  for (let at = 0; at < 20; at++) {
    const metadata = { name: `noise-${at}`, namespace: 'default' }
    await machine.client.create(ConfigMap, { apiVersion: 'v1', kind: 'ConfigMap', metadata })
  }
  await plane.compact()
  await plane.killApiServer()
  await plane.startApiServer()
  for (const booster of boosters.slice(4)) await machine.apply(booster)
  await allServe(machine)
  const gone = warnings.filter((code) => code === 'Expired')
  t.diagnostic(`${gone.length} watches were told that their version is gone`)
  assert.ok(gone.length > 0)
})

const fates: Readonly<Record<string, readonly Fate[]>> = {
  'conflicts, refusals and errors': ['conflict', 'busy', 'broken'],
  'connections that break before or after the server has acted': ['reset', 'resetAfter'],
}
for (const [what, bad] of Object.entries(fates)) {
  test(`${what}, for a third of all writes and a tenth of all reads`, async (t) => {
    const machine = await open(t)
    const { proxy, between } = await openProxy(t)
    const random = seeded(7)
    proxy.fate = ({ method }) => {
      const share = method === 'GET' ? 0.1 : 0.33
      return random() < share ? (bad[Math.floor(random() * bad.length)] ?? 'pass') : 'pass'
    }
    const fromMs = Date.now()
    machine.start(between)
    for (const booster of boosters) await machine.apply(booster)
    await allServe(machine)
    madeOnce(fromMs)
    t.diagnostic(`${proxy.arrivals.length} requests in ${Date.now() - fromMs} ms`)
  })
}

test('while nothing gets through, nobody hurries', async (t) => {
  const machine = await open(t)
  const { proxy, between } = await openProxy(t)
  machine.start(between)
  for (const booster of boosters) await machine.apply(booster)
  await machine.condition(ModelBooster, 'chat-0', 'Active')
  proxy.fate = () => 'broken'
  const from = proxy.arrivals.length
  for (const booster of boosters)
    await machine.apply({ ...booster, metadata: { ...booster.metadata, labels: { edited: 'yes' } } })
  const seconds = 8
  const end = Date.now() + seconds * 1_000
  await machine.until('some seconds to pass', () => Date.now() > end)
  const rate = (proxy.arrivals.length - from) / seconds
  t.diagnostic(`${rate.toFixed(1)} requests a second`)
  assert.ok(rate <= decentRate, `${rate} requests a second`)
  proxy.fate = () => 'pass'
  await allServe(machine)
})

/** The manager's way to the server, through a proxy. */
async function openProxy(t: TestContext): Promise<{ proxy: FaultProxy; between: () => Fetch }> {
  const proxy = await startFaultProxy(plane.url, plane.identity)
  t.after(() => proxy[Symbol.asyncDispose]())
  const access = loadClusterAccess({ env: {}, path: plane.kubeconfig })
  const credentials = fixedCredentials({ authorization: `Bearer ${target.tokens.manager}` })
  const connection = connect({ ...access, server: proxy.url, credentials })
  t.after(() => connection[Symbol.asyncDispose]())
  const between = (): Fetch => (request) =>
    connection.fetch(new Request(request.url.replace(plane.url, proxy.url), request))
  return { proxy, between }
}

/** From 0 to below 1, the same at every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}
