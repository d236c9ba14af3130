import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '#base/fault.ts'
import { Pod } from '#api/core/kinds.ts'
import { kthena } from '#api/dialects.ts'
import { normalBooster } from '#api/model-booster-normal.ts'
import type { CallStep, PodCall, Reader } from '#controller/domain.ts'
import { adaptersOf, isHot, loadedIn } from './adapters.ts'
import { adapterDomain, callsFor } from './domain.ts'
import { observeAdapters, routable, unsynced } from './observed.ts'
import { adapterCalls } from './perform.ts'

const template = 'workload.serving.volcano.sh/lora-template'
const loaded = 'workload.serving.volcano.sh/lora-loaded'
const allowed = [
  { name: 'VLLM_ALLOW_RUNTIME_LORA_UPDATING', value: 'True' },
  { name: 'RUNTIME_PORT', value: '8900' },
]

function backend(adapters: Record<string, string>, change: Record<string, unknown> = {}) {
  const loraAdapters = Object.entries(adapters).map(([name, artifactURL]) => ({ name, artifactURL }))
  const one = { name: 'x', type: 'vLLM', modelURI: 's3://zoo/llm/base', replicas: 1, workers: [{ image: 'i' }] }
  const booster = normalBooster({
    apiVersion: 'v',
    kind: 'ModelBooster',
    metadata: { name: 'm' },
    spec: { backends: [{ ...one, env: allowed, loraAdapters, ...change }] },
  } as never)
  const [found] = booster.backends
  assert.ok(found)
  return { ...found, booster }
}

function pod(annotations: Record<string, string>, { restarts = 0, ready = 'True', phase = 'Running' } = {}): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'm-x-0-leader-0-0', namespace: 'ml', annotations },
    status: {
      phase,
      podIP: '10.0.0.1',
      conditions: [{ type: 'ContainersReady', status: ready }],
      containerStatuses: [{ name: 'engine', image: 'i', imageID: '', ready: true, restartCount: restarts }],
    },
  }
}

const hot: Record<string, { change: Record<string, unknown>; want: boolean }> = {
  'allowed by the engine’s own variable': { change: {}, want: true },
  'not allowed': { change: { env: [] }, want: false },
  'said to be not allowed': {
    change: { env: [{ name: 'VLLM_ALLOW_RUNTIME_LORA_UPDATING', value: 'false' }] },
    want: false,
  },
  'without the sidecar that does it': { change: { runtime: { enabled: false } }, want: false },
  'of another engine': { change: { type: 'SGLang' }, want: false },
}
for (const [name, { change, want }] of Object.entries(hot)) {
  test(`adapters change while engines run: ${name}`, () => assert.equal(isHot(backend({}, change)), want))
}

const known: Record<string, { pod: Pod; want: Record<string, string> }> = {
  'of a new pod, those of its template': { pod: pod({ [template]: '{"sql":"s3://a"}' }), want: { sql: 's3://a' } },
  'of one that was told of others, those': {
    pod: pod({ [template]: '{"sql":"s3://a"}', [loaded]: '{"restarts":0,"adapters":{"de":"s3://b"},"failed":{}}' }),
    want: { de: 's3://b' },
  },
  'of an engine that began anew, those of its template': {
    pod: pod(
      { [template]: '{"sql":"s3://a"}', [loaded]: '{"restarts":0,"adapters":{"de":"s3://b"},"failed":{}}' },
      { restarts: 1 },
    ),
    want: { sql: 's3://a' },
  },
  'of a note that nobody can read, those of its template': {
    pod: pod({ [template]: '{"sql":"s3://a"}', [loaded]: 'x' }),
    want: { sql: 's3://a' },
  },
}
for (const [name, { pod, want }] of Object.entries(known)) {
  test(`adapters in an engine: ${name}`, () => assert.deepEqual(loadedIn(pod).adapters, want))
}

test('B-32: followers do not count among the engines of a backend', () => {
  const { booster } = backend({ sql: 's3://a' })
  const labels = { [kthena.labels.modelUid]: booster.uid, [kthena.labels.backendName]: 'x' }
  const pods = [{ ...labels, [kthena.podLabels.entry]: 'true' }, labels].map((labels, i): Pod => {
    const one = pod({ [template]: '{}' })
    return { ...one, metadata: { ...one.metadata, name: `p-${i}`, labels } }
  })
  const list: Reader['list'] = (_kind, { labels = {} } = {}) => {
    const isMeant = ({ metadata }: Pod) =>
      Object.entries(labels).every(([key, value]) => metadata.labels?.[key] === value)
    return pods.filter(isMeant) as never
  }
  const seen = observeAdapters(booster, { list } as Reader).get('x')
  assert.deepEqual(
    seen?.map(({ pod }) => pod),
    ['p-0'],
  )
})

/** What is made of a pod that bears the model's labels and belongs to `owner`; u-2 is the model's serving. */
function observed({ metadata, ...one }: Pod, owner = 'u-2') {
  const { booster } = backend({ sql: 's3://a' })
  const owned = (uid: string) => [{ apiVersion: 'v', kind: 'K', name: 'n', uid, controller: true }]
  const object = {
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelBooster',
    spec: { backends: booster.backends.map(({ given }) => given) },
  }
  const objects: Record<string, unknown> = {
    ModelBooster: { ...object, metadata: { name: 'm', uid: 'u-1' } },
    ModelServing: { metadata: { name: 'm-x', uid: 'u-2', ownerReferences: owned('u-1') } },
  }
  const read = {
    get: (kind: { kind: string }) => objects[kind.kind],
    list: () => [],
    find: () => [],
  } as unknown as Reader
  const { modelName, modelUid, backendName } = kthena.labels
  const labels = { [modelName]: 'm', [modelUid]: 'u-1', [backendName]: 'x' }
  const subject = { ...one, metadata: { ...metadata, labels, ownerReferences: owned(owner) } }
  return adapterDomain(kthena).observe(subject, read, AbortSignal.timeout(1000))
}

test('B-32: only pods whose engines answer are called', async () => {
  assert.ok(await observed(pod({})))
  const leaving = pod({})
  leaving.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
  for (const silent of [pod({}, { ready: 'False' }), pod({}, { phase: 'Pending' }), leaving])
    assert.equal(await observed(silent), undefined)
})

test('a pod that only says that it is the model’s is not called', async () => {
  assert.ok(await observed(pod({}), 'u-2'))
  assert.equal(await observed(pod({}), 'u-9'), undefined)
})

const words = (calls: readonly PodCall[]) =>
  calls.map(
    ({ path, body }) => `${path === '/v1/unload_lora_adapter' ? 'unload' : 'load'} ${String(body['lora_name'])}`,
  )

const wanted = { sql: 's3://zoo/lora/sql2', de: 'hf://acme/de' }
const calls: Record<string, { present: Record<string, string>; routed?: string[]; want: string[] }> = {
  'C9, B-33: gone, moved and new, in this order': {
    present: { sql: 's3://zoo/lora/sql', fr: 'hf://acme/lora-fr' },
    want: ['unload fr', 'unload sql', 'load sql', 'load de'],
  },
  'nothing where all is so': { present: wanted, want: [] },
  'what a route still sends requests for stays': {
    present: { ...wanted, fr: 'hf://acme/lora-fr' },
    routed: ['fr'],
    want: [],
  },
  'only what is missing': { present: { sql: wanted.sql }, want: ['load de'] },
}
for (const [name, { present, routed = [], want }] of Object.entries(calls)) {
  test(`calls: ${name}`, () => assert.deepEqual(words(callsFor(backend(wanted), present, new Set(routed))), want))
}

test('a call has what the sidecar downloads, from where and where to', () => {
  const [call] = callsFor(backend({ sql: 's3://zoo/lora/sql' }), {}, new Set())
  assert.deepEqual(call, {
    port: 8900,
    path: '/v1/load_lora_adapter',
    body: {
      lora_name: 'sql',
      source: 's3://zoo/lora/sql',
      output_dir: '/cache/681643c13709023a72f110074e8c8414',
      async_download: false,
    },
  })
})

/** Calls a pod whose sidecar answers as told, by `load de` and the like; says what was asked, and what was noted. */
async function performed(
  answers: Record<string, [status: number, text: string]>,
  start: Record<string, string>,
  before?: string,
) {
  const subject = pod({ [template]: JSON.stringify(start), ...(before === undefined ? {} : { [loaded]: before }) })
  const asked: string[] = []
  let noted: unknown
  const perform = adapterCalls(async (request) => {
    const { lora_name: name } = (await request.json()) as { lora_name: string }
    const { host, pathname } = new URL(request.url)
    assert.equal(host, '10.0.0.1:8900')
    const word = `${pathname.includes('unload') ? 'unload' : 'load'} ${name}`
    asked.push(word)
    const [status, text] = answers[word] ?? [200, 'Success']
    return new Response(text, { status })
  })
  const step: CallStep = {
    do: 'call',
    ref: { kind: Pod, namespace: 'ml', name: 'm-x-0-leader-0-0' },
    calls: callsFor(backend(wanted), loadedIn(subject).adapters, new Set()),
    why: { reason: 'r', note: 'n' },
  }
  const { signal } = new AbortController()
  const record = ([operation]: readonly { value?: unknown }[]) => {
    noted = JSON.parse(String(operation?.value))
    return Promise.resolve()
  }
  const error: unknown = await perform(step, { live: subject, record, signal }).catch((thrown: unknown) => thrown)
  return { asked, noted, error }
}

test('what was done is noted', async () => {
  const { asked, noted, error } = await performed({}, { fr: 'hf://acme/lora-fr' })
  assert.deepEqual(asked, ['unload fr', 'load sql', 'load de'])
  assert.deepEqual(noted, { restarts: 0, adapters: wanted, failed: {} })
  assert.equal(error, undefined)
})

test('B-34: what fails is noted and tried again, and holds up nothing else', async () => {
  const { noted, error } = await performed({ 'load de': [500, 'no such source'] }, {})
  assert.deepEqual(noted, { restarts: 0, adapters: { sql: wanted.sql }, failed: { de: 'load de: 500 no such source' } })
  assert.ok(isFault(error, 'unavailable'))
  const again = await performed({ 'load de': [500, 'no such source, request 2'] }, {}, JSON.stringify(noted))
  assert.deepEqual(again.asked, ['load de'])
  assert.equal(again.noted, undefined, 'the same failure is not written down again')
})

test('an adapter that cannot be unloaded is not loaded from elsewhere', async () => {
  const { asked, noted } = await performed({ 'unload sql': [500, 'busy'] }, { sql: 's3://zoo/lora/sql' })
  assert.deepEqual(asked, ['unload sql', 'load de'])
  assert.deepEqual((noted as { adapters: unknown }).adapters, { sql: 's3://zoo/lora/sql', de: wanted.de })
})

test('what is so already counts as done', async () => {
  const { error, noted } = await performed(
    { 'unload fr': [404, 'not found'], 'load de': [400, "The lora adapter 'de' has already been loaded."] },
    { fr: 'hf://acme/lora-fr' },
  )
  assert.equal(error, undefined)
  assert.deepEqual((noted as { adapters: unknown }).adapters, wanted)
})

test('B-34: a route gets an adapter once one engine has it or new ones start with it, and keeps none that was given up', () => {
  const subject = backend({ ...wanted, it: 'hf://acme/it' })
  const present = { de: wanted.de, fr: 'hf://acme/lora-fr' }
  const pods = new Map([['x', [{ pod: 'p', present, failed: {} }]]])
  assert.deepEqual(Object.keys(adaptersOf(routable(subject, { sql: 's3://old' }, pods))), ['sql', 'de'])
})

test('B-34: what an engine lacks is told with its pod', () => {
  const { booster } = backend(wanted)
  const pods = (failed: Record<string, string>) =>
    new Map([['x', [{ pod: 'p', present: { sql: wanted.sql }, failed }]]])
  assert.deepEqual(unsynced(booster, pods({})), [{ message: 'pod p: waiting for de', failed: false }])
  assert.deepEqual(unsynced(booster, pods({ de: 'load de: 500 x' })), [
    { message: 'pod p: load de: 500 x', failed: true },
  ])
})
