/** `fairlead manager` as a process against an API server that listens: what it promises operators. */
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ConfigMap, CustomResourceDefinition, Event, Lease, Namespace, Pod } from '#api/core/kinds.ts'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { crdOf } from '#api/crd.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { backend, modelBooster, modelServing } from './builders.ts'
import { type ManagedCluster, type ManagerProcess, startManagedCluster, startManager } from './manager-process.ts'
import { fairlead, temporaryDirectory } from './up-process.ts'

/** Short, so that nobody waits; the ratios are the usual ones. */
const leaseMs = 3_000
const quickly = [
  '--leader-elect-lease-duration=3s',
  '--leader-elect-renew-deadline=2s',
  '--leader-elect-retry-period=400ms',
]
const place = { namespace: 'default', name: 'fairlead-manager' }

const holderOf = async (cluster: ManagedCluster): Promise<string> =>
  (await cluster.find(Lease, place))?.spec?.holderIdentity ?? ''

const isReady = async (manager: ManagerProcess): Promise<boolean> =>
  (await manager.get('health-probe', '/readyz')).status === 200

/** A controller's, the lease apart. */
function isWrite({ verb, resource, userAgent }: AnsweredRequest): boolean {
  return !['get', 'list', 'watch'].includes(verb) && resource !== 'leases' && userAgent.startsWith('fairlead-')
}

/** Who wrote, in the order of the answers, as often as that changed. */
function writersIn(requests: readonly AnsweredRequest[]): string[] {
  const writers = requests.filter(isWrite).flatMap(({ userAgent }) => /\((.*)\)$/.exec(userAgent)?.[1] ?? [])
  return writers.filter((writer, i) => writer !== writers[i - 1])
}

/** Waits until nothing was written for some time: what a process had handed to its sockets arrives though it is stopped. */
async function resting(cluster: ManagedCluster): Promise<void> {
  let seen = { answered: -1, atMs: 0 }
  await cluster.until('nobody writes', () => {
    const answered = cluster.requests.filter(isWrite).length
    if (answered !== seen.answered) seen = { answered, atMs: Date.now() }
    return Date.now() - seen.atMs > 500
  })
}

test('a manager serves, says how it is, and keeps secrets to itself', async (t) => {
  const cluster = await startManagedCluster(t)
  const canary = 'hf_canary0123456789'
  const manager = startManager(t, cluster.kubeconfig, ['--log-level', 'debug'])
  await cluster.apply(
    modelBooster('chat', { backends: [backend('a', { env: [{ name: 'HF_TOKEN', value: canary }] })] }),
  )
  await cluster.condition(ModelBooster, 'chat', 'Active')

  assert.deepEqual(await manager.get('health-probe', '/healthz'), { status: 200, text: 'ok\n' })
  assert.deepEqual(await manager.get('health-probe', '/readyz'), { status: 200, text: 'ok\n' })
  assert.equal((await manager.get('health-probe', '/metrics')).status, 404)
  const { status, text } = await manager.get('metrics', '/metrics')
  assert.equal(status, 200)
  for (const sample of [
    /^controller_runtime_reconcile_total\{controller="model-booster-controller",result="success"\} [1-9]/m,
    /^controller_runtime_reconcile_time_seconds_count\{controller="fairlead-serving"\} [1-9]/m,
    /^controller_runtime_active_workers\{controller="fairlead-modelroute"\} \d/m,
    /^workqueue_adds_total\{name="fairlead-modelserver",controller="fairlead-modelserver"\} [1-9]/m,
    /^rest_client_requests_total\{code="201",method="PATCH",host="127\.0\.0\.1:\d+"\} [1-9]/m,
    /^leader_election_master_status\{name="fairlead-manager"\} 1$/m,
    /^process_resident_memory_bytes [1-9]/m,
  ])
    assert.match(text, sample)
  assert.ok(text.length < 100_000, String(text.length))

  assert.equal(await holderOf(cluster), await manager.identity())
  assert.equal(await manager.stop('SIGTERM'), 0)
  assert.equal(await holderOf(cluster), '', 'the lease is given back')

  const { users } = JSON.parse(readFileSync(cluster.kubeconfig, 'utf8')) as { users: { user: { token: string } }[] }
  const events = JSON.stringify(await cluster.list(Event))
  const statuses = JSON.stringify((await cluster.list(ModelBooster)).map(({ status: told }) => told))
  for (const secret of [users[0]?.user.token ?? '', canary]) {
    assert.ok(secret.length > 10)
    for (const place of [manager.said(), text, events, statuses]) assert.ok(!place.includes(secret))
  }
  const levels = manager
    .said()
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { level: number }).level)
  assert.deepEqual(
    levels.filter((level) => level >= 40),
    [],
    manager.said(),
  )
})

test('a leader that is killed is followed in time by one that was ready before, and no two write at once', async (t) => {
  const cluster = await startManagedCluster(t)
  const [first, second] = [1, 2].map(() => startManager(t, cluster.kubeconfig, quickly)) as [
    ManagerProcess,
    ManagerProcess,
  ]
  const leader = await Promise.race([first, second].map(async (each) => (await each.logged('leading')) && each))
  const standby = leader === first ? second : first
  await standby.logged('standing by')
  await cluster.until('the standby is ready', () => isReady(standby))
  assert.match((await standby.get('metrics', '/metrics')).text, /^leader_election_master_status\{.*\} 0$/m)
  await cluster.apply(modelBooster('before'))
  await cluster.condition(ModelBooster, 'before', 'Active')

  const killedMs = Date.now()
  assert.equal(await leader.stop('SIGKILL'), 'SIGKILL')
  await cluster.apply(modelBooster('after'))
  await standby.logged('leading')
  const tookMs = Date.now() - killedMs
  assert.ok(tookMs <= leaseMs + 2_000, `${tookMs} ms`)
  await cluster.condition(ModelBooster, 'after', 'Active')
  assert.deepEqual(writersIn(cluster.requests), [await leader.identity(), await standby.identity()])
  assert.equal((await cluster.find(Lease, place))?.spec?.leaseTransitions, 1)
})

test('a leader that stops in order is followed at once', async (t) => {
  const cluster = await startManagedCluster(t)
  const leader = startManager(t, cluster.kubeconfig)
  await leader.logged('leading')
  const standby = startManager(t, cluster.kubeconfig)
  await standby.logged('standing by')
  const stoppedMs = Date.now()
  assert.equal(await leader.stop('SIGTERM'), 0)
  await standby.logged('leading')
  assert.ok(Date.now() - stoppedMs < 10_000, 'with a lease of 15 seconds')
  assert.equal(await standby.stop('SIGTERM'), 0)
})

test('a leader that was stopped for too long writes nothing when it goes on, and ends', async (t) => {
  const cluster = await startManagedCluster(t)
  const leader = startManager(t, cluster.kubeconfig, quickly)
  await leader.logged('leading')
  const standby = startManager(t, cluster.kubeconfig, quickly)
  await cluster.until('the standby is ready', () => isReady(standby))
  await cluster.apply(modelBooster('before'))
  await cluster.condition(ModelBooster, 'before', 'Active')
  await resting(cluster)
  leader.child.kill('SIGSTOP')
  await cluster.apply(modelBooster('after'))
  await cluster.condition(ModelBooster, 'after', 'Active')
  await cluster.apply(modelBooster('later'))
  leader.child.kill('SIGCONT')
  assert.equal(await leader.ended, 1)
  assert.equal((await leader.logged('leadership lost'))['name'], 'fairlead-manager')
  await cluster.condition(ModelBooster, 'later', 'Active')
  assert.deepEqual(writersIn(cluster.requests), [await leader.identity(), await standby.identity()])
})

test('told its namespaces, a manager asks for nothing beyond them', async (t) => {
  const cluster = await startManagedCluster(t)
  const named = (kind: string, name: string) => ({ apiVersion: 'v1', kind, metadata: { name } })
  for (const name of ['red', 'blue', 'home']) await cluster.client.create(Namespace, named('Namespace', name))
  const since = cluster.requests.length
  const flags = ['--namespaces', 'red,default', '--leader-elect-resource-namespace', 'home', '--leader-elect=true']
  const manager = startManager(t, cluster.kubeconfig, flags)
  const inBlue = modelBooster('elsewhere')
  await cluster.apply({ ...inBlue, metadata: { ...inBlue.metadata, namespace: 'blue' } })
  const inRed = modelBooster('theirs')
  await cluster.apply({ ...inRed, metadata: { ...inRed.metadata, namespace: 'red' } })
  await cluster.apply(modelBooster('ours'))
  await cluster.condition(ModelBooster, 'ours', 'Active')
  await cluster.until('the other namespace is looked after too', async () => {
    const found = (await cluster.find(ModelBooster, { namespace: 'red', name: 'theirs' })) as AnyResource | undefined
    return JSON.stringify(found?.status).includes('"Active","status":"True"')
  })
  assert.equal(await manager.stop('SIGTERM'), 0)
  const asked = cluster.requests.slice(since).filter(({ userAgent }) => userAgent.endsWith(`)`))
  assert.ok(asked.length > 20)
  const beyond = asked.filter(({ namespace }) => !['red', 'default', 'home'].includes(namespace))
  assert.deepEqual(beyond, [])
  const atHome = asked.filter(({ namespace }) => namespace === 'home').map(({ resource }) => resource)
  assert.deepEqual(new Set(atHome), new Set(['leases', 'configmaps']))
  assert.deepEqual(await cluster.find(ModelServing, { namespace: 'blue', name: 'elsewhere-vllm' }), undefined)
})

test('without the controller of boosters the rest serves', async (t) => {
  const cluster = await startManagedCluster(t)
  startManager(t, cluster.kubeconfig, ['--controllers', 'model-serving,routing', '--no-leader-elect'])
  await cluster.apply(modelBooster('nobody'))
  await cluster.apply(modelServing('alone'))
  await cluster.condition(ModelServing, 'alone', 'Available')
  const watched = new Set(
    cluster.requests
      .filter(({ verb, userAgent }) => verb === 'watch' && userAgent.startsWith('fairlead-manager'))
      .map(({ resource }) => resource),
  )
  assert.deepEqual(
    ['modelservings', 'modelroutes', 'modelboosters', 'autoscalingpolicies'].map((resource) => watched.has(resource)),
    [true, true, false, false],
  )
  assert.deepEqual(
    (await cluster.list(ModelServing)).map(({ metadata }) => metadata.name),
    ['alone'],
  )
  assert.equal(await cluster.find(Lease, place), undefined)
})

test('the images that the platform’s ConfigMap names, in the manager’s own namespace, are taken', async (t) => {
  const cluster = await startManagedCluster(t)
  await cluster.client.create(ConfigMap, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'default', name: 'model-booster-controller-config' },
    data: { model_serving_downloader_image: 'registry.example.com/downloader:1' },
  })
  startManager(t, cluster.kubeconfig)
  await cluster.apply(modelBooster('chat'))
  await cluster.condition(ModelBooster, 'chat', 'Active')
  const images = (await cluster.list(Pod)).flatMap(({ spec }) => spec?.initContainers ?? []).map(({ image }) => image)
  assert.ok(images.includes('registry.example.com/downloader:1'), images.join())
})

test('a kind that the server lacks is named, holds up nobody else, and is served when it comes', async (t) => {
  const cluster = await startManagedCluster(t)
  for (const kind of [ModelBooster, ModelServing])
    await cluster.client.delete(CustomResourceDefinition, { name: `${kind.plural}.${kind.group}` })
  const manager = startManager(t, cluster.kubeconfig)
  const missing = await manager.logged('kind missing', ({ kind }) => kind === 'ModelServing')
  assert.match(
    String(missing['note']),
    /modelservings\.workload\.serving\.volcano\.sh.*kubectl apply --server-side -k config\/crd/,
  )
  await cluster.until('all else is listed', async () => {
    const { status, text } = await manager.get('health-probe', '/readyz')
    const lines = text.trim().split('\n').slice(1)
    return status === 503 && lines.length === 2 && lines.every((line) => line.includes('does not have the kind'))
  })
  const { text } = await manager.get('metrics', '/metrics')
  assert.match(
    text,
    /^fairlead_manager_missing_definitions\{definition="modelboosters\.workload\.serving\.volcano\.sh"\} 1$/m,
  )
  const asked = cluster.requests.length
  await cluster.apply({
    apiVersion: 'networking.serving.volcano.sh/v1alpha1',
    kind: 'ModelRoute',
    metadata: { namespace: 'default', name: 'dangling' },
    spec: { modelName: 'm', rules: [{ targetModels: [{ modelServerName: 'nobody' }] }] },
  })
  await cluster.until('the routes are looked after', () =>
    cluster.requests
      .slice(asked)
      .some(({ resource, subresource }) => resource === 'modelroutes' && subresource === 'status'),
  )
  for (const kind of [ModelBooster, ModelServing]) await cluster.client.create(CustomResourceDefinition, crdOf(kind))
  await cluster.until('the kinds are served', () => isReady(manager))
  await cluster.apply(modelBooster('chat'))
  await cluster.condition(ModelBooster, 'chat', 'Active')
  assert.equal(await manager.stop('SIGTERM'), 0)
})

test('a kind that a controller only makes is missed by those alone that want it, until it comes', async (t) => {
  const cluster = await startManagedCluster(t)
  const kinds = [AutoscalingPolicy, AutoscalingPolicyBinding]
  for (const { plural, group } of kinds)
    await cluster.client.delete(CustomResourceDefinition, { name: `${plural}.${group}` })
  const manager = startManager(t, cluster.kubeconfig, ['--controllers', 'model-booster,model-serving,routing'])
  const autoscalingPolicy = { metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }] }
  const scaled = backend('a', { maxReplicas: 2, autoscalingPolicy })
  await cluster.apply(modelBooster('scaled', { backends: [scaled] }))
  await cluster.apply(modelBooster('plain'))
  await cluster.condition(ModelBooster, 'plain', 'Active')
  const { message } = await cluster.condition(ModelBooster, 'scaled', 'Failed')
  assert.match(message, /install the CustomResourceDefinition autoscalingpolicies\.workload\.serving\.volcano\.sh$/)
  assert.equal(await isReady(manager), true)
  for (const kind of kinds) await cluster.client.create(CustomResourceDefinition, crdOf(kind))
  await cluster.condition(ModelBooster, 'scaled', 'Active')
})

test('while no API server answers, a manager waits, says so, and stops when told', async (t) => {
  const manager = startManager(t, kubeconfigFor(t, `http://127.0.0.1:${await freePort(t)}`))
  const problem = await manager.logged('the lease cannot be had')
  assert.equal(problem['code'], 'ConnectionRefused')
  const { status, text } = await manager.get('health-probe', '/readyz')
  assert.equal(status, 503)
  assert.match(text, /^the modelboosters are not listed yet$/m)
  assert.equal(await manager.stop('SIGTERM'), 0)
})

const refused: Record<string, { args: readonly string[]; want: RegExp; wantCode: number }> = {
  'a controller that there is not': {
    args: ['--controllers', 'model-serving,autopilot'],
    want: /^error: --controllers: there is no autopilot; write \*, or some of model-booster, model-serving,.* routing/m,
    wantCode: 64,
  },
  'a namespace that cannot be one': {
    args: ['--namespaces', 'team_a'],
    want: /"team_a" cannot be a namespace/,
    wantCode: 64,
  },
  'an empty name': { args: ['--namespaces', 'a,,b'], want: /write names with commas between them/, wantCode: 64 },
  'a duration without a unit': {
    args: ['--leader-elect-retry-period', '2'],
    want: /write a duration such as 15s/,
    wantCode: 64,
  },
  'timings with which two might lead': {
    args: ['--leader-elect-renew-deadline', '20s'],
    want: /^error: --leader-elect-\*: the lease duration must be longer than the renew deadline/m,
    wantCode: 64,
  },
  'an address without a port': {
    args: ['--metrics-bind-address', '127.0.0.1'],
    want: /write HOST:PORT, :PORT/,
    wantCode: 64,
  },
  'an address of another machine': {
    args: ['--metrics-bind-address', '192.0.2.1:0'],
    want: /^error: --metrics-bind-address: cannot listen on 192\.0\.2\.1:0: /m,
    wantCode: 1,
  },
  'a pace below zero': { args: ['--kube-api-qps', '-1'], want: /write a number that is not negative/, wantCode: 64 },
  'half a yes': { args: ['--leader-elect=maybe'], want: /write true or false/, wantCode: 64 },
  'a kubeconfig that is not there': {
    args: ['--kubeconfig', '/nonexistent/kubeconfig'],
    want: /^error: no kubeconfig found; looked for \/nonexistent\/kubeconfig/m,
    wantCode: 1,
  },
}
for (const [name, { args, want, wantCode }] of Object.entries(refused)) {
  test(`refuses ${name}, and says what to write`, async (t) => {
    const others = ['--health-probe-bind-address', '0', '--kubeconfig', kubeconfigFor(t, 'http://127.0.0.1:9')]
    const { code, err } = await fairlead(['manager', ...others, ...args])
    assert.match(err, want)
    assert.equal(code, wantCode)
    assert.doesNotMatch(err, /^ {4}at /m)
  })
}

test('a taken address is an error that names its flag', async (t) => {
  const port = await freePort(t, { keep: true })
  const args = ['--kubeconfig', kubeconfigFor(t, 'http://127.0.0.1:9'), '--metrics-bind-address', '0']
  const { code, err } = await fairlead(['manager', ...args, '--health-probe-bind-address', `127.0.0.1:${port}`])
  assert.match(err, new RegExp(`^error: port ${port} on 127.0.0.1 is taken; .*--health-probe-bind-address, or 0`, 'm'))
  assert.equal(code, 1)
})

function kubeconfigFor(t: Pick<TestContext, 'after'>, server: string): string {
  const file = join(temporaryDirectory(t), 'kubeconfig')
  const clusters = [{ name: 'c', cluster: { server } }]
  const contexts = [{ name: 'c', context: { cluster: 'c', user: 'u' } }]
  writeFileSync(file, JSON.stringify({ 'current-context': 'c', clusters, contexts, users: [{ name: 'u', user: {} }] }))
  return file
}

/** One that nobody listens on, or that somebody keeps. */
async function freePort(t: Pick<TestContext, 'after'>, { keep = false } = {}): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const close = () => new Promise((resolve) => server.close(resolve))
  if (keep) t.after(close)
  else await close()
  return port
}
