/**
 * Least privilege: what our programs ask of the API server in a life with everything in it, against the rights that an
 * installation gives them. Nothing is missing, and nothing is there that nobody asked for. (On a real API server the
 * rights are enforced as well.)
 */
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { AIMClusterModelSource } from '#api/aim-cluster-model-source.ts'
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMClusterRuntimeConfig, AIMRuntimeConfig } from '#api/aim-runtime-config.ts'
import { AIMService } from '#api/aim-service.ts'
import { AIMClusterServiceTemplate, AIMServiceTemplate } from '#api/aim-service-template.ts'
import { kthena } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { Pod } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
import { PodGroup } from '#api/volcano.ts'
import type { PolicyRule } from '#api/core/types.generated.ts'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import type { Fetch } from '#machinery/http.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { followSnapshots } from '#router/snapshot-source.ts'
import { aim, aimModel, aimService, becomes, dockerConfigType, mi300x, recommending, secret } from '../aim.ts'
import { backend, modelBooster, modelServing, podTemplate, role } from '../builders.ts'
import { recorded } from '../cluster/requests.ts'
import { openGround } from '../open-ground.ts'
import { type Machine, startMachine } from '../machine.ts'
import { type LocalRegistry, startRegistry } from '../registry.ts'
import { toolsOf } from '../tools.ts'
import { installVolcano } from '../volcano/install.ts'
import { objectsIn } from './objects.ts'

/** Rights that no request shows, and who asks for them. */
const unseen: Readonly<Record<string, string>> = {
  'update workload.serving.volcano.sh/modelboosters/finalizers': 'admission, where children block deletion',
  'update workload.serving.volcano.sh/modelservings/finalizers': 'admission, where children block deletion',
}

test('the manager may do what it does, and nothing else', async (t) => {
  const given = new Set([...rightsOf('manager'), ...rightsOf('manager-aim-catalog')])
  const asked = await rightsUsedByManager(t)
  assert.deepEqual([...asked].filter((right) => !given.has(right)).sort(), [], 'missing')
  assert.deepEqual([...given].filter((right) => !asked.has(right)).sort(), Object.keys(unseen).sort(), 'unused')
})

test('B-34 where admission guards owners, the manager may have children block the deletion of a ModelServing', () => {
  assert.ok(rightsOf('manager').has('update workload.serving.volcano.sh/modelservings/finalizers'))
})

test('B-28 the manager may make, change and delete each kind of a model’s children', () => {
  const given = rightsOf('manager')
  for (const { group, plural } of Object.values(kindsOf(kthena)).slice(1) as Kind[])
    for (const verb of ['list', 'watch', 'create', 'patch', 'delete'])
      assert.ok(given.has(`${verb} ${group}/${plural}`))
})

test('the router may do what it does, and nothing else', async (t) => {
  const ground = await openGround()
  t.after(() => ground[Symbol.asyncDispose]())
  const asked = new Set<string>()
  const fetch = recorded(ground.lineOf('router'), (request) => note(asked, request))
  const client = createClient({ fetch, baseUrl: ground.url })
  await using informers = createInformers({ client, clock: systemClock, log: silentLog })
  const source = followSnapshots(informers, systemClock, silentLog)
  const { until } = toolsOf(
    ground,
    () => true,
    () => Promise.resolve(true),
  )
  await until(
    'its watches stand',
    () => source.synced() && [...asked].filter((right) => right.startsWith('watch')).length === 3,
  )
  source.stop()
  await informers[Symbol.asyncDispose]()
  assert.deepEqual([...asked].sort(), [...rightsOf('router')].sort())
})

/** All that happens to boosters and servings in a life, restarts included. */
async function rightsUsedByManager(t: TestContext): Promise<ReadonlySet<string>> {
  const everywhere = { routable: { has: () => true } as never, inFlight: new Map(), silent: false }
  const registry = await startRegistry({ auth: 'basic' })
  t.after(() => registry[Symbol.asyncDispose]())
  const machine = await startMachine(t, { routers: { read: () => Promise.resolve([everywhere]) } })
  const asked = new Set<string>()
  const between = (fetch: Fetch): Fetch => recorded(createdTwice(fetch), (request) => note(asked, request))
  const wide = [{ type: 'server', image: 'vllm/vllm-openai:latest', pods: 2 }]

  const first = machine.start(between)
  await machine.apply(modelBooster('chat', { backends: [backend('a', { maxReplicas: 2, autoscalingPolicy: policy })] }))
  await machine.apply(modelBooster('wide', { backends: [backend('ray', { workers: wide })] }))
  await machine.apply(modelServing('apart', { template: { roles: [role('pd', workers)] } }))
  await machine.apply(twoOf('apart'))
  for (const name of ['chat', 'wide']) await machine.condition(ModelBooster, name, 'Active')
  await machine.condition(ModelServing, 'apart', 'Available')
  const changed = role('pd', { ...workers, entryTemplate: podTemplate({ image: 'vllm/vllm-openai:other' }) })
  for (const [each, revisionHistoryLimit] of [
    [changed, 1],
    [role('pd', workers), 1],
    [changed, 0],
  ] as const) {
    await machine.apply(modelServing('apart', { revisionHistoryLimit, template: { roles: [each] } }))
    await machine.condition(ModelServing, 'apart', 'Available')
  }
  await installVolcano(machine)
  const plugins = [{ name: 'demo-pod-tweaks', type: 'BuiltIn', config: { readyAnnotations: { seen: 'ready' } } }]
  const gang = (template: object) =>
    modelServing('gang', {
      plugins,
      schedulerName: 'default-scheduler',
      template: { roles: [role('pd')], ...template },
    })
  await machine.apply(gang({ gangPolicy: {} }))
  await machine.condition(ModelServing, 'gang', 'Available')
  await machine.apply(gang({}))
  await machine.until('no PodGroup', async () => (await machine.list(PodGroup)).length === 0)
  await machine.settled()

  await first.kill()
  machine.start(between)
  await machine.client.delete(Pod, { namespace: 'default', name: 'chat-a-0-leader-0-0' })
  await machine.apply(modelBooster('wide', { name: 'wider', backends: [backend('one')] }))
  await machine.apply(modelBooster('chat', { backends: [backend('b')] }))
  await machine.apply(modelServing('apart', { template: { roles: [role('pd')] } }))
  await machine.until('children of the earlier specs are gone', async () => {
    const names = (await machine.list(ModelServing)).map(({ metadata }) => metadata.name)
    return !names.includes('chat-a') && !names.includes('wide-ray')
  })
  await catalogLife(machine, registry)
  await machine.settled()
  return asked
}

/** Models that are looked at, given, made by a source and by a service; templates that come and go. */
async function catalogLife(machine: Machine, registry: LocalRegistry): Promise<void> {
  await registry.push('amd/llama:1', { labels: {} })
  const image = `${registry.host}/amd/llama:1`
  const credentials = 'registry-credentials'
  for (const namespace of ['default', 'aim-system'])
    await machine.apply(secret(credentials, registry.dockerConfig(), { namespace, type: dockerConfigType }))
  const imagePullSecrets = [{ name: credentials }]
  await machine.apply(aimModel('looked-at', { image, imagePullSecrets }))
  for (const kind of [AIMRuntimeConfig, AIMClusterRuntimeConfig] as const) {
    await machine.apply(aim(kind, { name: 'default', ...(kind.namespaced && { namespace: 'default' }) }, {}))
  }
  const filters = [{ image: `${registry.host}/amd/llama:1` }]
  await machine.apply(aim(AIMClusterModelSource, { name: 'all' }, { filters, imagePullSecrets }))
  const given = (gpuCount: number) => ({
    image: 'ghcr.io/amd/x:1',
    imageMetadata: recommending({ ...mi300x, gpuCount }),
  })
  const models = [AIMModel, AIMClusterModel] as const
  const place = (kind: (typeof models)[number], name: string) => ({
    name,
    ...(kind.namespaced && { namespace: 'default' }),
  })
  for (const kind of models) {
    await machine.apply(aim(kind, place(kind, 'given'), given(1)))
    await becomes(machine, kind, { name: 'given' }, { status: 'Ready' })
  }
  await machine.apply(aimService('of-image', { model: { image: `${registry.host}/amd/other:1` } }))
  await machine.apply(aimService('served', { model: { name: 'given' } }))
  await becomes(machine, AIMService, { name: 'served' }, { status: 'Running' })
  for (const kind of models) await machine.apply(aim(kind, place(kind, 'given'), given(2)))
  await machine.apply(aimService('served', { model: { name: 'given' }, routing: { enabled: false } }))
  await becomes(machine, AIMModel, { name: 'looked-at' }, { status: 'Ready' })
  await machine.client.delete(AIMService, { namespace: 'default', name: 'served' })
  await machine.until('templates that nobody wants are gone', async () => {
    const shared = await machine.list(AIMClusterServiceTemplate)
    const own = await machine.list(AIMServiceTemplate)
    return shared.length === 1 && own.length === 1
  })
  await machine.until('the models of the source', async () => (await machine.list(AIMClusterModel)).length === 2)
}

const policy = { metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }] }

/** Below the minimum no metric is needed. */
const twoOf = (name: string): AnyResource => ({
  apiVersion: apiVersionOf(AutoscalingPolicy),
  kind: 'AutoscalingPolicy',
  metadata: { name, namespace: 'default' },
  spec: { ...policy, homogeneousTarget: { target: { targetRef: { name } }, minReplicas: 2, maxReplicas: 3 } },
})

const workers = { workerReplicas: 1, workerTemplate: podTemplate() }

/** As a proxy that sends a request again whose answer it has lost: the second one finds the object there. */
function createdTwice(fetch: Fetch): Fetch {
  return async (request) => {
    const isCreated =
      request.method === 'POST' && /\/(pods|controllerrevisions|jobs)$/.test(new URL(request.url).pathname)
    if (isCreated) await (await fetch(request.clone())).body?.cancel()
    return fetch(request)
  }
}

/**
 * A server-side apply that makes an object needs the right to create it, beside that to patch. Whoever watches must be able
 * to list: some servers stream lists as the beginning of a watch, the others do not.
 */
function note(asked: Set<string>, { verb, group, resource, subresource, status }: AnsweredRequest): void {
  const target = [group, resource, subresource].filter(Boolean).join('/')
  asked.add(`${verb} ${target}`)
  if (verb === 'patch' && status === 201) asked.add(`create ${target}`)
  if (verb === 'watch') asked.add(`list ${target}`)
}

/** In the namespaces that are watched. */
function rightsOf(program: string): ReadonlySet<string> {
  const role = objectsIn('rbac').find(
    ({ kind, metadata }) => kind === 'ClusterRole' && metadata.name === `fairlead-${program}`,
  )
  const { rules } = role as AnyResource & { rules: PolicyRule[] }
  return new Set(
    rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
      apiGroups.flatMap((group) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${[group, resource].filter(Boolean).join('/')}`)),
      ),
    ),
  )
}
