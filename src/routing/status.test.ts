import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import type { ModelRoute, ModelRouteSpec } from '#api/model-route.ts'
import type { ModelServer, ModelServerSpec, WorkloadSelector } from '#api/model-server.ts'
import { type Reader, untouched } from '#controller/domain.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Condition, Resource } from '#machinery/meta.ts'
import { kthena } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import { routeController, serverController } from './controller.ts'
import { routeDomain } from './route-status.ts'
import { modelServerDomain } from './server-status.ts'

const nowMs = Date.UTC(2026, 0, 2)
const apiVersion = 'networking.serving.volcano.sh/v1alpha1'
const to = (modelServerName: string) => ({ targetModels: [{ modelServerName, weight: 100 }] })

const modelRouteDomain = routeDomain(kindsOf(kthena))

function route(name: string, spec: Partial<ModelRouteSpec> = {}, created = '2026-01-01T00:00:00Z'): ModelRoute {
  const metadata = { name, namespace: 'ns', uid: name, generation: 2, creationTimestamp: created }
  return { apiVersion, kind: 'ModelRoute', metadata, spec: { modelName: name, rules: [to('a')], ...spec } }
}

function server(spec: Partial<ModelServerSpec> = {}, name = 'a'): ModelServer {
  return {
    apiVersion,
    kind: 'ModelServer',
    metadata: { name, namespace: 'ns', uid: name, generation: 1 },
    spec: {
      inferenceEngine: 'vLLM',
      workloadSelector: { matchLabels: { app: 'a' } },
      workloadPort: { port: 8000, protocol: 'http' },
      ...spec,
    },
  }
}

function pod(name: string, labels: Record<string, string> = {}, phase = 'Running', ready = 'True'): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'ns', uid: name, labels: { app: 'a', ...labels } },
    status: { phase, conditions: [{ type: 'Ready', status: ready }] },
  }
}

function reader(...objects: readonly Resource[]): Reader {
  const of = <T extends Resource>(kind: Kind<T>) => objects.filter((object) => object.kind === kind.kind) as T[]
  return {
    get: (kind, place) =>
      of(kind).find(({ metadata }) => metadata.name === place.name && metadata.namespace === place.namespace),
    list: (kind, { namespace } = {}) =>
      of(kind).filter(({ metadata }) => namespace === undefined || metadata.namespace === namespace),
    find: (kind, { valuesOf }, value) => of(kind).filter((object) => valuesOf(object).includes(value)),
  }
}

function withoutSpec<T extends ModelRoute | ModelServer>(object: T): T {
  const { spec: _, ...rest } = object
  return rest as T
}

const shown = (conditions: readonly Condition[] | undefined) =>
  conditions?.map(({ type, status, reason }) => `${type}=${status} ${reason}`)

async function routeStatus(subject: ModelRoute, ...others: readonly Resource[]) {
  const observed = await modelRouteDomain.observe(subject, reader(subject, ...others), AbortSignal.timeout(1000))
  return modelRouteDomain.status(subject, observed, untouched, nowMs)
}

async function serverStatus(subject: ModelServer, ...pods: readonly Pod[]) {
  const observed = await modelServerDomain.observe(subject, reader(subject, ...pods), AbortSignal.timeout(1000))
  return modelServerDomain.status(subject, observed, untouched, nowMs)
}

const fine = ['Accepted=True Accepted', 'ResolvedRefs=True ResolvedRefs', 'Conflicted=False NoConflict']
const routeCases: Record<
  string,
  { route: ModelRoute; others?: readonly Resource[]; want: readonly string[]; message?: RegExp }
> = {
  'a route whose server exists is fine': { route: route('r'), want: fine },
  'a reference that dangles is told with its field and the mend': {
    route: route('r', { rules: [to('a'), to('gone')] }),
    want: ['Accepted=True Accepted', 'ResolvedRefs=False BackendNotFound', 'Conflicted=False NoConflict'],
    message: /spec\.rules\[1\]\.targetModels\[0\]\.modelServerName: there is no ModelServer gone .*create it/,
  },
  'of many that dangle the first ones are told': {
    route: route('r', { rules: Array.from({ length: 16 }, () => to('gone')) }),
    want: ['Accepted=True Accepted', 'ResolvedRefs=False BackendNotFound', 'Conflicted=False NoConflict'],
    message: /rules\[4\](?!.*rules\[5\]).* and 11 more"/,
  },
  'an external provider is told to be unsupported': {
    route: route('r', { rules: [{ targetModels: [{ externalModelProviderName: 'x', weight: 100 }] }] }),
    want: ['Accepted=True Accepted', 'ResolvedRefs=False UnsupportedBackend', 'Conflicted=False NoConflict'],
  },
  'a regex that does not compile is told with its field': {
    route: route('r', { rules: [{ ...to('a'), modelMatch: { headers: { 'x-a': { regex: '(' } } } }] }),
    want: ['Accepted=False InvalidRegex', ...fine.slice(1)],
    message: /spec\.rules\[0\]\.modelMatch\.headers\[x-a\]\.regex: not a valid/,
  },
  'a route for a Gateway is not accepted': {
    route: route('r', { parentRefs: [{ group: 'g', kind: 'Gateway', name: 'gw' }] }),
    want: ['Accepted=False GatewayNotSupported', ...fine.slice(1)],
  },
  'a limit over all routers is said to be one of each router': {
    route: route('r', {
      rateLimit: { inputTokensPerUnit: 1, unit: 'second', global: { redis: { address: 'redis:6379' } } },
    }),
    want: fine,
    message: /rateLimit.global is not supported yet/,
  },
  'no rules match nothing': { route: route('r', { rules: [] }), want: ['Accepted=False NoRules', ...fine.slice(1)] },
  'a route without a spec, as another schema than ours lets through, is told what it lacks': {
    route: withoutSpec(route('r')),
    others: [withoutSpec(route('s'))],
    want: ['Accepted=False NoRules', ...fine.slice(1)],
  },
  'the younger of two routes for one model is told': {
    route: route('young', { modelName: 'm' }, '2026-01-02T00:00:00Z'),
    others: [route('old', { modelName: 'm' })],
    want: [...fine.slice(0, 2), 'Conflicted=True SameModelName'],
    message: /ns\/old goes first for m/,
  },
  'the older of two routes for one model is fine': {
    route: route('old', { modelName: 'm' }),
    others: [route('young', { modelName: 'm' }, '2026-01-02T00:00:00Z')],
    want: fine,
  },
  'a model name of another route hides an adapter, even when younger': {
    route: route('old', { loraAdapters: ['sql'] }),
    others: [route('sql', {}, '2026-01-02T00:00:00Z')],
    want: [...fine.slice(0, 2), 'Conflicted=True SameModelName'],
  },
  'an adapter that an older route has is told': {
    route: route('young', { loraAdapters: ['sql'] }, '2026-01-02T00:00:00Z'),
    others: [route('old', { loraAdapters: ['sql'] })],
    want: [...fine.slice(0, 2), 'Conflicted=True SameModelName'],
  },
}
for (const [name, { route: subject, others = [], want, message }] of Object.entries(routeCases)) {
  test(name, async () => {
    const status = await routeStatus(subject, server(), ...others)
    assert.deepEqual(shown(status?.conditions), want)
    if (message !== undefined) assert.match(JSON.stringify(status?.conditions), message)
    assert.equal(status?.observedGeneration, 2)
  })
}

const pdGroup = { groupKey: 'group', prefillLabels: { role: 'prefill' }, decodeLabels: { role: 'decode' } }
const pd = { workloadSelector: { matchLabels: { app: 'a' }, pdGroup } }
const serverCases: Record<
  string,
  { spec?: Partial<ModelServerSpec>; pods: readonly Pod[]; want: string; message?: RegExp }
> = {
  'a server with ready pods is ready': {
    pods: [pod('p'), pod('q')],
    want: 'Ready=True EndpointsReady',
    message: /^2 pods ready/,
  },
  'a server whose pods are not ready is not': {
    pods: [pod('p', {}, 'Running', 'False')],
    want: 'Ready=False NoReadyEndpoints',
    message: /app=a/,
  },
  'a pod with other labels does not count': { pods: [pod('p', { app: 'b' })], want: 'Ready=False NoReadyEndpoints' },
  'a whole group makes a disaggregated server ready': {
    spec: pd,
    pods: [pod('p', { role: 'prefill', group: '0' }), pod('d', { role: 'decode', group: '0' })],
    want: 'Ready=True EndpointsReady',
    message: /1 group ready: 1 prefill, 1 decode/,
  },
  'halves of two groups do not': {
    spec: pd,
    pods: [pod('p', { role: 'prefill', group: '0' }), pod('d', { role: 'decode', group: '1' })],
    want: 'Ready=False NoReadyEndpoints',
  },
  'a server that selects nothing, as another schema than ours lets through, is told so': {
    spec: { workloadSelector: {} as WorkloadSelector },
    pods: [pod('p')],
    want: 'Ready=False NoSelector',
    message: /spec\.workloadSelector\.matchLabels: selects no pod; write/,
  },
  'SGLang’s own connector is told to be unsupported': {
    spec: { ...pd, inferenceEngine: 'SGLang' },
    pods: [],
    want: 'Ready=False ConnectorNotSupported',
  },
}
for (const [name, { spec, pods, want, message }] of Object.entries(serverCases)) {
  test(name, async () => {
    const status = await serverStatus(server(spec), ...pods)
    assert.deepEqual(shown(status?.conditions), [want])
    if (message !== undefined) assert.match(status?.conditions?.[0]?.message ?? '', message)
  })
}

test('telling again what was told changes nothing, a day later too', async () => {
  const subject = route('r')
  const first = await routeStatus(subject, server())
  assert.ok(first)
  const observed = await modelRouteDomain.observe(
    { ...subject, status: first },
    reader(server()),
    AbortSignal.timeout(1000),
  )
  assert.deepEqual(
    modelRouteDomain.status({ ...subject, status: first }, observed, untouched, nowMs + 86_400_000),
    first,
  )
  const target = server()
  const told = await serverStatus(target, pod('p'))
  assert.ok(told)
  assert.deepEqual(
    modelServerDomain.status({ ...target, status: told }, { pods: [pod('p')] }, untouched, nowMs + 86_400_000),
    told,
  )
})

test('neither controller plans a write of its own', () => {
  assert.deepEqual(modelRouteDomain.plan(route('r'), { servers: new Set(), rivals: [] }, nowMs).stages, [])
  assert.deepEqual(modelServerDomain.plan(server(), { pods: [] }, nowMs).stages, [])
})

test('a server wakes the routes that point to it, a route those with a name of its', () => {
  const read = reader(route('r'), route('s', { rules: [to('b')] }), route('t', { modelName: 'r' }))
  const [servers, routes] = routeController().watches
  assert.deepEqual(servers?.keysOf(server(), read), ['ns/r', 'ns/t'])
  assert.deepEqual(routes?.keysOf(route('r'), read), ['ns/t'])
})

test('objects without a spec wake nobody, and are in nobody’s way', async () => {
  const read = reader(withoutSpec(server({}, 'empty')), withoutSpec(route('empty')), server(), route('r'))
  const [servers, routes] = routeController().watches
  assert.deepEqual(servers?.keysOf(server(), read), ['ns/r'])
  assert.deepEqual(routes?.keysOf(withoutSpec(route('s')), read), [])
  assert.deepEqual(serverController().watches[0]?.keysOf(pod('p'), read), ['ns/a'])
  assert.deepEqual(shown((await serverStatus(withoutSpec(server())))?.conditions), ['Ready=False NoSelector'])
})

test('a pod wakes the servers that select it, once it may be an endpoint', () => {
  const [pods] = serverController().watches
  const read = reader(server(), server({ workloadSelector: { matchLabels: { app: 'b' } } }, 'b'))
  assert.equal(pods?.kind.kind, Pod.kind)
  assert.deepEqual(pods?.keysOf(pod('p'), read), ['ns/a'])
  assert.deepEqual(pods?.keysOf(pod('p', {}, 'Pending'), read), [])
})
