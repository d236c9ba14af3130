/** The commands that see before they do, from files alone: what they print, and what they end with. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { AnyResource } from '#machinery/meta.ts'
import { recordingIo } from './io.testkit.ts'
import { main } from './main.ts'
import { renderPlan } from './plan-view.ts'
import { modelStates, renderStatus } from './status-view.ts'

const directory = mkdtempSync(join(tmpdir(), 'fairlead-planning-'))
after(() => rmSync(directory, { recursive: true, force: true }))

function file(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = recordingIo()
  await main(args, io)
  const plain = (text: string): string => text.replaceAll(`${directory}/`, '')
  return { code: io.code(), out: plain(io.out()), err: plain(io.errors()) }
}

const backend = (name: string, weight: number, image = 'vllm/vllm-openai:v1') =>
  `{name: ${name}, type: vLLM, modelURI: "hf://a/b", routeWeight: ${weight}, replicas: 1, workers: [{image: "${image}"}]}`
const booster = (...backends: string[]) => `apiVersion: workload.serving.volcano.sh/v1alpha1
kind: ModelBooster
metadata: {name: chat}
spec:
  backends: [${backends.join(', ')}]
`
const before = file('before.yaml', booster(backend('a', 50), backend('b', 50)))

test('plan of what is new names what it becomes, and ends with 2', async () => {
  const { code, out } = await run('plan', '--offline', '-f', file('one.yaml', booster(backend('a', 50))))
  assert.equal(code, 2)
  assert.deepEqual(out.split('\n'), [
    'offline, as if nothing were there',
    '',
    'ModelBooster/chat  is new  (one.yaml:1:1)',
    '  + ModelServing/chat-a  ServingApplied: created ModelServing chat-a',
    '  + ModelServer/chat-a  ServerApplied: created ModelServer chat-a',
    '  + ModelRoute/chat  RouteApplied: created ModelRoute chat',
    '',
    '4 to create, 0 to change, 0 to delete',
    '',
  ])
})

test('plan of the same changes nothing, and ends with 0', async () => {
  const { code, out } = await run('plan', '--from', before, '-f', before)
  assert.equal(code, 0)
  assert.match(out, /^ModelBooster\/chat {2}unchanged .*\n\nnothing would change\n$/m)
})

test('plan of a change says what, why, and whether pods are replaced', async () => {
  const changed = file('changed.yaml', booster(backend('a', 10), backend('b', 50, 'vllm/vllm-openai:v2')))
  const { code, out } = await run('plan', '--from', before, '-f', changed)
  assert.equal(code, 2)
  const lines = out.split('\n').filter((line) => !line.includes('/revision'))
  assert.deepEqual(lines.slice(2), [
    'ModelBooster/chat  changes  (changed.yaml:1:1)',
    '  ~ spec.backends[0].routeWeight: 50 → 10',
    '  ~ spec.backends[1].workers[0].image: "vllm/vllm-openai:v1" → "vllm/vllm-openai:v2"',
    '  ~ ModelServing/chat-b  ServingApplied: updated ModelServing chat-b; because of spec.backends[1].workers[0].image',
    '      its pods are replaced, at the pace of its rollout',
    ...['entryTemplate.spec.containers[1]', 'workerTemplate.spec.containers[0]'].map(
      (at) => `      ~ spec.template.roles[0].${at}.image: "vllm/vllm-openai:v1" → "vllm/vllm-openai:v2"`,
    ),
    '  ~ ModelRoute/chat  RouteApplied: updated ModelRoute chat; because of spec.backends[0].routeWeight',
    '      ~ spec.rules[0].targetModels[0].weight: 50 → 10',
    '',
    '0 to create, 3 to change, 0 to delete',
    '',
  ])
})

test('plan of a backend that goes, and of another name, takes the passes that the controller takes', async () => {
  const gone = await run('plan', '--from', before, '-f', file('gone.yaml', booster(backend('a', 50))))
  assert.deepEqual(
    gone.out.split('\n').flatMap((line) => /^ {2}([+~-] Model\w+\/\S+)/.exec(line)?.[1] ?? []),
    ['~ ModelRoute/chat', '- ModelServer/chat-b', '- ModelServing/chat-b'],
  )
  const renamed = booster(backend('a', 50), backend('b', 50)).replace('spec:\n', 'spec:\n  name: other\n')
  const { out } = await run('plan', '--from', before, '-f', file('renamed.yaml', renamed))
  assert.deepEqual(
    out.split('\n').flatMap((line) => /^ {2}([+~-] Model\w+\/\S+ .*?:)/.exec(line)?.[1] ?? []),
    ['- ModelRoute/chat  RouteDeleted:', '+ ModelRoute/chat  RouteApplied:'],
  )
})

test('plan of several keeps them apart', async () => {
  const two = `${booster(backend('a', 50))}---\n${booster(backend('a', 50)).replace('name: chat', 'name: talk')}`
  const path = file('two.yaml', two)
  assert.match((await run('plan', '--offline', '-f', path)).out, /^8 to create, 0 to change, 0 to delete$/m)
  assert.equal((await run('plan', '--from', path, '-f', path)).code, 0)
})

test('plan tells that a Secret changes, and no value of it', async () => {
  const secret = (value: string) =>
    file(
      `secret-${value}.yaml`,
      `{apiVersion: v1, kind: Secret, stringData: {TOKEN: ${value}}, metadata: {name: keys, annotations:
        {kubectl.kubernetes.io/last-applied-configuration: '{"stringData":{"TOKEN":"${value}"}}'}}}`,
    )
  const changed = await run('plan', '--from', secret('first'), '-f', secret('second'))
  assert.match(changed.out, /TOKEN: "\(hidden\)" → "\(hidden\)"/)
  const made = await run('plan', '--offline', '--full', '-o', 'json', '-f', secret('third'))
  assert.match(made.out, /"TOKEN": "\(hidden\)"/)
  for (const { out } of [changed, made])
    assert.doesNotMatch(out.replaceAll(/secret-\w+\.yaml/g, ''), /first|second|third/)
})

test('plan as JSON has the objects, the fields and the reasons', async () => {
  const { out } = await run('plan', '--offline', '-o', 'json', '-f', before)
  const { against, documents } = JSON.parse(out) as {
    against: string
    documents: { children: { do: string; kind: string; why: { reason: string }; object: AnyResource }[] }[]
  }
  assert.match(against, /^offline/)
  const [first] = documents[0]?.children ?? []
  assert.deepEqual([first?.do, first?.why.reason, first?.object.metadata.name], ['create', 'ServingApplied', 'chat-a'])
})

test('plan refuses what cannot be converted, with its place', async () => {
  const { code, err, out } = await run(
    'plan',
    '--offline',
    '-f',
    file('mind.yaml', booster(backend('a', 50)).replace('type: vLLM', 'type: MindIE')),
  )
  assert.equal(code, 1)
  assert.equal(out, '')
  assert.match(err, /^error: mind\.yaml:5:\d+: spec\.backends\[0\]\.type: Unsupported value: "MindIE"/)
})

test('what stands in the way of a plan is told, and colours where they are wanted', () => {
  const whole = {
    against: 'x',
    documents: [{ at: 'f:1:1', object: 'A/a', own: undefined, children: [], warnings: ['odd'], obstacles: ['taken'] }],
  }
  assert.deepEqual(renderPlan(whole, { colors: false, full: false }).slice(2, 5), [
    'A/a  unchanged  (f:1:1)',
    '  warning: odd',
    '  cannot go on: taken',
  ])
  assert.ok(renderPlan(whole, { colors: true, full: false }).join().includes('\u001B[31m'))
})

test('why names the fields that decide another, given or not, and nothing for what is always so', async () => {
  const { out, code } = await run('why', 'modelroute/chat', '-f', before, '--field', 'spec')
  assert.equal(code, 0)
  assert.deepEqual(out.split('\n').slice(0, 6), [
    'ModelRoute/chat is made of ModelBooster/chat',
    '',
    'spec.modelName: "chat"',
    '    metadata.name, spec.name (not given)',
    'spec.rules[0].modelMatch.body.model: "chat"',
    '    metadata.name, spec.name (not given)',
  ])
  assert.match(out, /\[1\]\.weight: 50\n {4}spec\.backends\[1\]\.routeWeight\n/)
  assert.match(out, /1 more have the same value whatever the booster says; --all shows them\n$/)
  const all = await run('why', 'modelroute/chat', '-f', before, '--all')
  assert.match(all.out, /spec\.rules\[0\]\.name: "default"\n {4}always so\n/)
})

test('why a serving runs as it does: a default, a number and a word of a command', async () => {
  const { out } = await run('why', 'modelserving', 'chat-a', '-f', before, '-o', 'json')
  const { fields } = JSON.parse(out) as {
    fields: { field: string; value: unknown; sources: { field: string; given: boolean }[] }[]
  }
  const sourcesOf = (field: string) =>
    fields.find((each) => each.field === field)?.sources.map((each) => `${each.field}${each.given ? '' : '?'}`)
  assert.deepEqual(sourcesOf('spec.replicas'), ['spec.backends[0].replicas'])
  assert.deepEqual(sourcesOf('spec.template.restartGracePeriodSeconds'), [
    'spec.backends[0].restartGracePeriodSeconds?',
  ])
  const served = fields.find(({ value }) => value === '--served-model-name')?.field ?? ''
  const next = served.replace(/\d+\]$/, (index) => `${Number.parseInt(index, 10) + 1}]`)
  assert.ok(sourcesOf(next)?.includes('metadata.name'))
})

const misused: Record<string, { args: string[]; code: number; want: RegExp }> = {
  'why of a child that there is not': {
    args: ['why', 'modelserving/none', '-f', before],
    code: 1,
    want: /ModelBooster chat has no ModelServing none/,
  },
  'eject of nothing': { args: ['eject'], code: 64, want: /say which: fairlead eject modelbooster\/NAME, or -f FILE/ },
  'eject of a child': { args: ['eject', 'modelroute/chat'], code: 64, want: /a modelroute has nothing to eject/ },
  'status of a pod': { args: ['status', 'pod/x'], code: 64, want: /status is about modelboosters/ },
  'convert to nothing known': {
    args: ['convert', '--to', 'x', '-f', before],
    code: 64,
    want: /Allowed choices are list, single, bindings, targets, booster/,
  },
}
for (const [name, { args, code, want }] of Object.entries(misused)) {
  test(`${name} is told in a line, with an exit status of ${code}`, async () => {
    const result = await run(...args)
    assert.match(result.err, want)
    assert.deepEqual([result.code, result.out], [code, ''])
  })
}

test('convert prints the other form, and ends with 1 where something is lost', async () => {
  const one = await run('convert', '--to', 'single', '-f', file('only.yaml', booster(backend('a', 50))))
  assert.deepEqual([one.code, one.err], [0, ''])
  assert.match(
    one.out,
    /^---\napiVersion: .*\nkind: ModelBooster\nmetadata:\n {2}name: chat\nspec:\n {2}backend:\n {4}name: a\n/,
  )
  const two = await run('convert', '--to', 'single', '-f', before)
  assert.equal(two.code, 1)
  assert.match(two.err, /^ModelBooster\/chat: spec\.backends\[1\] is not carried over: a single backend leaves no room/)
  const { losses } = JSON.parse((await run('convert', '--to', 'single', '--json', '-f', before)).out) as {
    losses: { field: string }[]
  }
  assert.deepEqual(
    losses.map(({ field }) => field),
    ['spec.backends[1]'],
  )
})

test('status shows what serves and what it answers to, and of the rest what stands in the way', () => {
  const model = (name: string, active: 'True' | 'False', message: string, failed?: string): AnyResource => ({
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelBooster',
    metadata: { name, namespace: 'ml', uid: name, generation: 1 },
    status: {
      backendStatuses: [{ name: `${name}-a`, backend: 'a', replicas: 2, availableReplicas: 1, desiredReplicas: 2 }],
      conditions: [
        { type: 'Active', status: active, reason: 'x', message, lastTransitionTime: '2026-01-01T00:00:00Z' },
        ...(failed === undefined ? [] : [{ type: 'Failed', status: 'True', reason: 'ModelAbnormal', message: failed }]),
      ],
    },
  })
  const route: AnyResource = {
    apiVersion: 'networking.serving.volcano.sh/v1alpha1',
    kind: 'ModelRoute',
    metadata: {
      name: 'good',
      namespace: 'ml',
      ownerReferences: [{ apiVersion: 'x', kind: 'ModelBooster', name: 'good', uid: 'good', controller: true }],
    },
    spec: { modelName: 'good', loraAdapters: ['sql'], rules: [] },
  }
  const objects = [
    model('good', 'True', 'ready'),
    model('slow', 'False', 'loads'),
    model('bad', 'False', '', 'no'),
    route,
  ]
  const models = modelStates(objects, Date.parse('2026-01-01T00:05:00Z'))
  assert.deepEqual(renderStatus(models, { colors: false, withNamespace: true }), [
    '✔ ml/good  ready for 5m  a 1/2',
    '    answers to good, sql',
    '… ml/slow  waiting for 5m  a 1/2',
    '    loads',
    '✖ ml/bad  failed for 5m  a 1/2',
    '    no',
  ])
})
