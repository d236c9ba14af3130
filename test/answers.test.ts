/** From a client through the router to the pods and back: what a user of the OpenAI API meets. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import { modelLabels, servingLabels } from '#api/labels.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { answeredBy, metric, podsOf, startClients } from './asking.ts'
import { backend, modelBooster } from './builders.ts'
import { startWorld } from './world.ts'

const vllm = (flags: readonly string[]) => ({
  template: {
    roles: [
      {
        name: 'engine',
        entryTemplate: {
          metadata: { labels: { app: 'chat' } },
          spec: {
            containers: [
              { name: 'engine', image: 'vllm/vllm-openai:latest', command: ['vllm', 'serve', 'tiny', ...flags] },
            ],
          },
        },
      },
    ],
  },
})

/** ModelServing, ModelServer and ModelRoute `chat`, as users write them without a booster. */
function trio(flags: readonly string[], serving: object = {}, server: object = {}): AnyResource[] {
  const metadata = { name: 'chat', namespace: 'default' }
  return [
    {
      apiVersion: 'workload.serving.volcano.sh/v1alpha1',
      kind: 'ModelServing',
      metadata,
      spec: { ...vllm(flags), ...serving },
    },
    {
      apiVersion: 'networking.serving.volcano.sh/v1alpha1',
      kind: 'ModelServer',
      metadata,
      spec: {
        model: 'tiny',
        inferenceEngine: 'vLLM',
        workloadSelector: { matchLabels: { app: 'chat' } },
        workloadPort: { port: 8000 },
        ...server,
      },
    },
    {
      apiVersion: 'networking.serving.volcano.sh/v1alpha1',
      kind: 'ModelRoute',
      metadata,
      spec: { modelName: 'chat', rules: [{ targetModels: [{ modelServerName: 'chat' }] }] },
    },
  ]
}

test('two backends get requests by their weights, each its own pods', async (t) => {
  const world = await startWorld(t)
  const clients = await startClients(t, world)
  await world.apply(
    modelBooster('split', {
      backends: [
        backend('big', { routeWeight: 75, minReplicas: 2, maxReplicas: 2 }),
        backend('small', { routeWeight: 25 }),
      ],
    }),
  )
  await world.condition(ModelBooster, 'split', 'Active')
  await clients.answered('split')
  const requests = 120
  const asked = await Promise.all(Array.from({ length: requests }, () => clients.ask('split')))
  assert.ok(asked.every(({ status, text }) => status === 200 && text.length > 0))
  const counts = async (name: string) =>
    Promise.all((await podsOf(world, `${modelLabels.backendName}=${name}`)).map(answeredBy))
  const [big, small] = await Promise.all([counts('big'), counts('small')])
  assert.deepEqual([big.length, small.length], [2, 1])
  const shareOfSmall = (small[0] ?? 0) / (requests + 1)
  // Six standard deviations of a fair draw.
  assert.ok(shareOfSmall > 0.02 && shareOfSmall < 0.5, `${shareOfSmall}`)
  assert.ok(Math.min(...big) > 0, 'both pods of a backend are used')
  assert.equal(
    [...big, ...small].reduce((sum, count) => sum + count, 0),
    requests + 1,
  )
})

test('of an engine over two pods, both run and the entry pod alone is asked', async (t) => {
  const world = await startWorld(t)
  const clients = await startClients(t, world)
  const workers = [
    { type: 'server', image: 'vllm/vllm-openai:latest', pods: 2, config: { 'pipeline-parallel-size': 2 } },
  ]
  await world.apply(modelBooster('wide', { backends: [backend('ray', { workers })] }))
  await world.condition(ModelBooster, 'wide', 'Active')
  await clients.answered('wide')
  for (let i = 0; i < 5; i++) assert.equal((await clients.ask('wide')).status, 200)
  const pods = await podsOf(world)
  assert.equal(pods.length, 2)
  for (const pod of pods) assert.equal(pod.status?.phase, 'Running')
  const [entry, ...others] = pods.filter((pod) => pod.metadata.labels?.[servingLabels.entry] === 'true')
  assert.ok(entry !== undefined && others.length === 0)
  assert.equal(await answeredBy(entry), 6)
})

test('prompts are read by prefill pods, answers written by the decode pods of the same group', async (t) => {
  const world = await startWorld(t)
  const clients = await startClients(t, world)
  const image = 'vllm/vllm-openai:latest'
  const transfer = (role: string) => ({ 'kv-transfer-config': `{"kv_connector":"NixlConnector","kv_role":"${role}"}` })
  await world.apply(
    modelBooster('pair', {
      backends: [
        backend('nixl', {
          type: 'vLLMDisaggregated',
          minReplicas: 2,
          maxReplicas: 2,
          workers: [
            { type: 'prefill', image, config: transfer('kv_producer') },
            { type: 'decode', image, config: transfer('kv_consumer') },
          ],
        }),
      ],
    }),
  )
  await world.condition(ModelBooster, 'pair', 'Active')
  await clients.answered('pair')
  const asked = await Promise.all(Array.from({ length: 20 }, () => clients.ask('pair')))
  assert.ok(asked.every(({ status }) => status === 200))
  const groups = Map.groupBy(await podsOf(world), (pod) => pod.metadata.labels?.[servingLabels.groupName])
  assert.equal(groups.size, 2)
  let total = 0
  for (const [group, pods] of groups) {
    const of = (role: string) => pods.find((pod) => pod.metadata.labels?.[servingLabels.role] === role)
    const [prefill, decode] = [of('prefill'), of('decode')]
    assert.ok(prefill !== undefined && decode !== undefined)
    const [read, written] = await Promise.all([answeredBy(prefill), answeredBy(decode)])
    assert.equal(read, written, `group ${group} reads and writes the same requests`)
    assert.ok(read > 0, `group ${group} is used`)
    total += written
    // One token ends a prefill; the rest comes from the decode pod.
    assert.equal(await metric(prefill, 'vllm:generation_tokens_total'), read)
    assert.ok((await metric(decode, 'vllm:generation_tokens_total')) > written)
  }
  assert.equal(total, 21)
})

test('a model is known by its request name and its adapters, and to the clients that its headers let in', async (t) => {
  const world = await startWorld(t)
  const clients = await startClients(t, world)
  await world.apply(
    modelBooster('adapted', {
      name: 'acme/adapted',
      backends: [backend('base', { loraAdapters: [{ name: 'sql', artifactURL: 'hf://acme/sql' }] })],
    }),
  )
  await world.apply(modelBooster('gold', { modelMatch: { headers: { tenant: { exact: 'gold' } } } }))
  for (const name of ['adapted', 'gold']) await world.condition(ModelBooster, name, 'Active')
  await clients.answered('acme/adapted')
  await clients.answered('sql')
  await clients.answered('gold', { tenant: 'gold' })
  for (const [model, headers] of [
    ['adapted', {}],
    ['gold', {}],
    ['gold', { tenant: 'silver' }],
  ] as const)
    assert.equal((await clients.ask(model, headers)).status, 404, `${model} ${JSON.stringify(headers)}`)

  const models = (await (await fetch(`${clients.url}/v1/models`)).json()) as { data: { id: string }[] }
  assert.deepEqual(models.data.map(({ id }) => id).sort(), ['acme/adapted', 'gold', 'sql'])
})

test('a model that nobody serves is told in the words of OpenAI', async (t) => {
  const world = await startWorld(t)
  const clients = await startClients(t, world)
  await world.until('the router', async () => (await fetch(`${clients.url}/v1/models`)).status === 200)
  const { status, text } = await clients.ask('nobody')
  assert.equal(status, 404)
  const { error } = JSON.parse(text) as { error: Record<string, unknown> }
  assert.equal(error['code'], 'model_not_found')
  assert.equal(error['type'], 'invalid_request_error')
  assert.match(String(error['message']), /nobody/)
})

test('the booster is optional: three objects by hand answer, streamed, whole and as embeddings', async (t) => {
  const world = await startWorld(t)
  const clients = await startClients(t, world)
  for (const object of trio([])) await world.apply(object)
  await world.condition(ModelServing, 'chat', 'Available')
  assert.ok((await clients.answered('chat')).text.length > 0)

  const whole = await clients.post('/v1/chat/completions', {
    model: 'chat',
    messages: [{ role: 'user', content: 'Hello.' }],
  })
  const completion = (await whole.json()) as { object: string; usage: { completion_tokens: number } }
  assert.equal(completion.object, 'chat.completion')
  assert.ok(completion.usage.completion_tokens > 0)

  const embedded = await clients.post('/v1/embeddings', { model: 'chat', input: ['one', 'two'] })
  assert.equal(embedded.status, 200, await embedded.clone().text())
  const { data } = (await embedded.json()) as { data: { embedding: number[] }[] }
  assert.equal(data.length, 2)
})

test('a client that leaves frees its place in the engine', async (t) => {
  const world = await startWorld(t)
  const clients = await startClients(t, world)
  for (const object of trio(['--simulate-inter-token-ms', '50', '--simulate-answer-tokens', '100000']))
    await world.apply(object)
  await world.condition(ModelServing, 'chat', 'Available')
  await clients.answered('chat')
  const [pod] = await podsOf(world)
  assert.ok(pod !== undefined)
  const running = () => metric(pod, 'vllm:num_requests_running')
  const leaving = new AbortController()
  const body = { model: 'chat', messages: [{ role: 'user', content: 'Hello.' }], stream: true, max_tokens: 4000 }
  const response = await clients.post('/v1/chat/completions', body, { signal: leaving.signal })
  await response.body?.getReader().read()
  assert.equal(await running(), 1)
  leaving.abort()
  const leftMs = performance.now()
  await world.until('the place to be free', async () => (await running()) === 0)
  // The answer would have gone on for minutes.
  assert.ok(performance.now() - leftMs < 5_000)
})

/** What has begun to stream cannot be asked of another pod; a whole answer can, until it is sent. */
const losses: Record<string, { stream: boolean; gracePeriodSeconds?: number }> = {
  'deleted under load finishes its streams': { stream: true },
  'killed under load loses no answer that has not begun': { stream: false, gracePeriodSeconds: 0 },
}
for (const [name, { stream, ...how }] of Object.entries(losses)) {
  test(`a pod ${name}, while another is there`, async (t) => {
    const world = await startWorld(t)
    const clients = await startClients(t, world)
    const retry = { trafficPolicy: { retry: { attempts: 3, retryInterval: '10ms' } } }
    for (const object of trio(['--simulate-ttft-ms', '5', '--simulate-inter-token-ms', '2'], { replicas: 2 }, retry))
      await world.apply(object)
    await world.condition(ModelServing, 'chat', 'Available')
    await clients.answered('chat')
    const [victim] = await podsOf(world)
    assert.ok(victim !== undefined)
    let loaded = true
    let answers = 0
    const failures: string[] = []
    const client = async (): Promise<void> => {
      const messages = [{ role: 'user', content: 'Say hello.' }]
      while (loaded) {
        try {
          const response = await clients.post('/v1/chat/completions', {
            model: 'chat',
            messages,
            max_tokens: 8,
            stream,
          })
          const text = await response.text()
          const whole = response.status === 200 && (!stream || text.endsWith('data: [DONE]\n\n'))
          if (whole) answers++
          else failures.push(`${response.status} ${text}`)
        } catch (error) {
          failures.push(String(error))
        }
      }
    }
    const load = Promise.all(Array.from({ length: 4 }, client))
    await world.until('load', () => answers > 20)
    await world.client.delete(Pod, { namespace: 'default', name: victim.metadata.name ?? '' }, how)
    await world.until('the pod to go', async () => {
      const pods = await world.list(Pod)
      return pods.every(({ metadata }) => metadata.uid !== victim.metadata.uid)
    })
    await world.condition(ModelServing, 'chat', 'Available')
    const before = answers
    await world.until('load after it', () => answers > before + 20)
    loaded = false
    await load
    assert.deepEqual(failures, [])
  })
}
