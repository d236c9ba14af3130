import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/core/kinds.ts'
import type { ModelRoute, ModelRouteSpec, RouteRule, TargetModel } from '#api/model-route.ts'
import type { ModelServer, ModelServerSpec } from '#api/model-server.ts'
import { buildIndex } from './build-index.ts'
import { match, type Match, type MatchRequest } from './match.ts'
import { endpointsOf } from './snapshot.ts'

const group = 'networking.serving.volcano.sh/v1alpha1'

function route(
  name: string,
  spec: Partial<ModelRouteSpec>,
  created = '2026-01-01T00:00:00Z',
  namespace = 'default',
): ModelRoute {
  return {
    apiVersion: group,
    kind: 'ModelRoute',
    metadata: { name, namespace, creationTimestamp: created },
    spec: { modelName: 'chat', rules: [to('a')], ...spec },
  }
}

function to(server: string, rule: Partial<RouteRule> = {}): RouteRule {
  return { targetModels: [{ modelServerName: server, weight: 100 }], ...rule }
}

function server(name: string, spec: Partial<ModelServerSpec> = {}): ModelServer {
  return {
    apiVersion: group,
    kind: 'ModelServer',
    metadata: { name, namespace: 'default' },
    spec: {
      inferenceEngine: 'vLLM',
      workloadSelector: { matchLabels: { app: name } },
      workloadPort: { port: 8000, protocol: 'http' },
      ...spec,
    },
  }
}

function pod(
  name: string,
  labels: Record<string, string>,
  change: Partial<Pod['metadata']> & { ready?: string; phase?: string } = {},
): Pod {
  const { ready = 'True', phase = 'Running', ...metadata } = change
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name, labels, ...metadata },
    status: { phase, podIP: '10.0.0.1', conditions: [{ type: 'Ready', status: ready }] },
  }
}

interface Objects {
  readonly routes?: readonly ModelRoute[]
  readonly servers?: readonly ModelServer[]
  readonly pods?: readonly Pod[]
}

function index({ routes = [], servers = [server('a'), server('b')], pods = readyPods }: Objects) {
  return buildIndex({ routes, servers, pods, addressOf: (p, port) => ({ host: p.status?.podIP ?? '', port }) })
}

const readyPods = [pod('a-0', { app: 'a' }), pod('b-0', { app: 'b' })]

function ask(model = 'chat', headers: Record<string, string> = {}, path = '/v1/chat/completions'): MatchRequest {
  return { model, path, header: (name) => headers[name] ?? '' }
}

function told(found: Match): string {
  switch (found.found) {
    case 'server':
      return `${found.route} -> ${found.server.key}${found.adapter ? ' as adapter' : ''}`
    case 'unready':
      return `${found.route} -> ${found.target} ${found.dangling ? 'dangling' : 'unready'}`
    default:
      return found.found
  }
}

const headerRule = (value: string): Partial<RouteRule> => ({ modelMatch: { headers: { 'X-Tier': { exact: value } } } })

const cases: Record<string, { objects: Objects; request?: MatchRequest; random?: number; want: string }> = {
  'a name goes to its route': { objects: { routes: [route('r', {})] }, want: 'default/r -> default/a' },
  'a name that no route has is not found': {
    objects: { routes: [route('r', {})] },
    request: ask('other'),
    want: 'no-route',
  },
  'an adapter goes to its route, and is told': {
    objects: { routes: [route('r', { loraAdapters: ['sql'] })] },
    request: ask('sql'),
    want: 'default/r -> default/a as adapter',
  },
  'a base name hides an adapter of the same name, even when no rule matches': {
    objects: {
      routes: [
        route('base', { rules: [to('a', headerRule('gold'))] }),
        route('lora', { modelName: 'x', loraAdapters: ['chat'] }),
      ],
    },
    want: 'no-rule',
  },
  'rules are tried in order': {
    objects: { routes: [route('r', { rules: [to('b', headerRule('gold')), to('a')] })] },
    request: ask('chat', { 'x-tier': 'gold' }),
    want: 'default/r -> default/b',
  },
  'a rule whose header differs is passed over': {
    objects: { routes: [route('r', { rules: [to('b', headerRule('gold')), to('a')] })] },
    request: ask('chat', { 'x-tier': 'silver' }),
    want: 'default/r -> default/a',
  },
  'all headers must match': {
    objects: {
      routes: [route('r', { rules: [to('a', { modelMatch: { headers: { a: { exact: '1' }, b: { exact: '2' } } } })] })],
    },
    request: ask('chat', { a: '1' }),
    want: 'no-rule',
  },
  'a rule can ask for a path': {
    objects: { routes: [route('r', { rules: [to('b', { modelMatch: { uri: { prefix: '/v1/emb' } } }), to('a')] })] },
    request: ask('chat', {}, '/v1/embeddings'),
    want: 'default/r -> default/b',
  },
  'a rule can ask for the model in the body': {
    objects: {
      routes: [
        route('r', { loraAdapters: ['sql'], rules: [to('b', { modelMatch: { body: { model: 'sql' } } }), to('a')] }),
      ],
    },
    request: ask('sql'),
    want: 'default/r -> default/b as adapter',
  },
  'the oldest route of a name goes first': {
    objects: { routes: [route('young', { rules: [to('b')] }, '2026-02-01T00:00:00Z'), route('old', {})] },
    want: 'default/old -> default/a',
  },
  'routes equally old go by name': {
    objects: { routes: [route('y', { rules: [to('b')] }), route('x', {})] },
    want: 'default/x -> default/a',
  },
  'a younger route takes what no rule of the older one matches': {
    objects: {
      routes: [
        route('old', { rules: [to('a', headerRule('gold'))] }),
        route('young', { rules: [to('b')] }, '2026-02-01T00:00:00Z'),
      ],
    },
    want: 'default/young -> default/b',
  },
  'a rule whose weights are all 0 leaves the request to the next route': {
    objects: {
      routes: [
        route('old', { rules: [{ targetModels: [{ modelServerName: 'a', weight: 0 }] }] }),
        route('young', { rules: [to('b')] }, '2026-02-01T00:00:00Z'),
      ],
    },
    want: 'default/young -> default/b',
  },
  'a route with an empty list of rules matches nothing': {
    objects: { routes: [route('r', { rules: [] })] },
    want: 'no-rule',
  },
  'a route of a Gateway is not served outside it': {
    objects: { routes: [route('r', { parentRefs: [{ group: 'g', kind: 'Gateway', name: 'gw' }] })] },
    want: 'no-route',
  },
  'a route does not reach servers of another namespace': {
    objects: { routes: [route('r', {}, '2026-01-01T00:00:00Z', 'other')] },
    want: 'other/r -> other/a dangling',
  },
  'a server without pods is unready': {
    objects: { routes: [route('r', {})], pods: [] },
    want: 'default/r -> default/a unready',
  },
  'a server that does not exist dangles': {
    objects: { routes: [route('r', { rules: [to('nowhere')] })] },
    want: 'default/r -> default/nowhere dangling',
  },
  'a broken regex matches nothing': {
    objects: { routes: [route('r', { rules: [to('b', { modelMatch: { uri: { regex: '(' } } }), to('a')] })] },
    want: 'default/r -> default/a',
  },
}
for (const [name, { objects, request = ask(), random = 0, want }] of Object.entries(cases)) {
  test(name, () => assert.equal(told(match(index(objects), request, random)), want))
}

const weighted = (...targets: readonly [string, number?][]): TargetModel[] =>
  targets.map(([modelServerName, weight = 100]) => ({ modelServerName, weight }))

const draws: Record<string, { targets: TargetModel[]; pods?: readonly Pod[]; random: number; want: string }> = {
  '70/30: the 70th draw of 100 is the first target': {
    targets: weighted(['a', 70], ['b', 30]),
    random: 0.69,
    want: 'a',
  },
  '70/30: the 71st draw of 100 is the second target': {
    targets: weighted(['a', 70], ['b', 30]),
    random: 0.7,
    want: 'b',
  },
  'equal weights are equal shares': { targets: weighted(['a'], ['b']), random: 0.5, want: 'b' },
  'a weight of 0 takes nothing': { targets: weighted(['a', 0], ['b', 1]), random: 0, want: 'b' },
  'a target without ready pods gives its share away': {
    targets: weighted(['a', 50], ['b', 50]),
    pods: [pod('b-0', { app: 'b' })],
    random: 0,
    want: 'b',
  },
  'a dangling target gives its share away': { targets: weighted(['nowhere', 99], ['b', 1]), random: 0, want: 'b' },
  'a dangling target gives its share away to one that may wake up, too': {
    targets: weighted(['nowhere', 99], ['b', 1]),
    pods: [],
    random: 0,
    want: 'b',
  },
  'a weight of 0 takes nothing even when it alone is ready': {
    targets: weighted(['a', 1], ['b', 0]),
    pods: [pod('b-0', { app: 'b' })],
    random: 0,
    want: 'a',
  },
}
for (const [name, { targets, pods = readyPods, random, want }] of Object.entries(draws)) {
  test(name, () => {
    const routes = [route('r', { rules: [{ targetModels: targets }] })]
    assert.match(told(match(index({ routes, pods }), ask(), random)), new RegExp(`default/${want}( |$)`))
  })
}

test('weights hold over many draws', () => {
  const snapshot = index({ routes: [route('r', { rules: [{ targetModels: weighted(['a', 70], ['b', 30]) }] })] })
  const draws = Array.from({ length: 1000 }, (_, i) => told(match(snapshot, ask(), i / 1000)))
  assert.equal(draws.filter((draw) => draw.endsWith('default/a')).length, 700)
})

const podCases: Record<string, { pods: readonly Pod[]; want: readonly string[] }> = {
  'a ready pod is a candidate': { pods: [pod('p', { app: 'a' })], want: ['p'] },
  'a pod that is not ready is none': { pods: [pod('p', { app: 'a' }, { ready: 'False' })], want: [] },
  'a pod that does not run is none': { pods: [pod('p', { app: 'a' }, { phase: 'Pending' })], want: [] },
  'a pod that is being deleted is none': {
    pods: [pod('p', { app: 'a' }, { deletionTimestamp: '2026-01-01T00:00:00Z' })],
    want: [],
  },
  'a pod that was relabelled is none': { pods: [pod('p', { app: 'other' })], want: [] },
  'a pod of another namespace is none': { pods: [pod('p', { app: 'a' }, { namespace: 'other' })], want: [] },
}
for (const [name, { pods, want }] of Object.entries(podCases)) {
  test(name, () => {
    const entry = index({ pods }).servers.get('default/a')
    assert.deepEqual(entry && endpointsOf(entry).map(({ uid }) => uid), want)
  })
}

test('all labels of a selector must match, and no labels select nothing', () => {
  const pods = [pod('p', { app: 'a' }), pod('q', { app: 'a', version: '2' })]
  const both = server('both', { workloadSelector: { matchLabels: { app: 'a', version: '2' } } })
  const none = server('none', { workloadSelector: { matchLabels: {} } })
  const { servers } = index({ servers: [both, none], pods })
  const uids = (key: string) => endpointsOf(servers.get(key) ?? assert.fail()).map(({ uid }) => uid)
  assert.deepEqual(uids('default/both'), ['q'])
  assert.deepEqual(uids('default/none'), [])
})

test('an IPv6 address and https make the origin that undici needs', () => {
  const entry = buildIndex({
    routes: [],
    servers: [server('a', { workloadPort: { port: 8443, protocol: 'https' } })],
    pods: [pod('p', { app: 'a' })],
    addressOf: (_, port) => ({ host: 'fd00::1', port }),
  }).servers.get('default/a')
  assert.deepEqual(entry?.backend.kind === 'plain' && entry.backend.endpoints[0]?.origin, 'https://[fd00::1]:8443')
})

test('an object that is not shaped like its kind is left out and told, and the others are routed', () => {
  const told: string[] = []
  const { byModel, servers } = buildIndex({
    routes: [route('good', {}), { ...route('bad', {}), spec: { modelName: 'chat' } as ModelRouteSpec }],
    servers: [server('a'), { ...server('b'), spec: {} as ModelServerSpec }],
    pods: readyPods,
    addressOf: (_, port) => ({ host: '10.0.0.1', port }),
    onMisshapen: ({ kind, metadata }) => told.push(`${kind} ${metadata.name}`),
  })
  assert.deepEqual(told, ['ModelServer b', 'ModelRoute bad'])
  assert.deepEqual(
    byModel.get('chat')?.map(({ key }) => key),
    ['default/good'],
  )
  assert.deepEqual([...servers.keys()], ['default/a'])
})

test('prefill and decode pods pair within their group only', () => {
  const pd = server('a', {
    workloadSelector: {
      matchLabels: { app: 'a' },
      pdGroup: { groupKey: 'group', prefillLabels: { role: 'prefill' }, decodeLabels: { role: 'decode' } },
    },
  })
  const member = (name: string, role: string, of: string) => pod(name, { app: 'a', role, group: of })
  const pods = [
    member('p0', 'prefill', '0'),
    member('d0', 'decode', '0'),
    member('d0b', 'decode', '0'),
    member('d1', 'decode', '1'),
    member('p2', 'prefill', '2'),
    pod('x', { app: 'a', role: 'decode' }),
    member('leader', 'other', '0'),
  ]
  const backend = index({ servers: [pd], pods }).servers.get('default/a')?.backend
  assert.ok(backend?.kind === 'disaggregated')
  assert.equal(backend.connector, 'http')
  assert.deepEqual(
    backend.pairings.map(({ group, decode, prefill }) => [group, decode.uid, prefill.map(({ uid }) => uid)]),
    [
      ['0', 'd0', ['p0']],
      ['0', 'd0b', ['p0']],
    ],
  )
})

test('traffic policies are read', () => {
  const entry = index({
    servers: [server('a', { trafficPolicy: { timeout: '1m', retry: { attempts: 3, retryInterval: '50ms' } } })],
  }).servers.get('default/a')
  assert.equal(entry?.timeoutMs, 60_000)
  assert.deepEqual(entry?.retry, { attempts: 3, intervalMs: 50 })
})
