import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { recordingIo } from './io.testkit.ts'
import { simulateScaling, type SimulateScalingOptions } from './simulate-scaling.ts'

const policy = `apiVersion: workload.serving.volcano.sh/v1alpha1
kind: AutoscalingPolicy
metadata: {name: p}
spec:
  metrics: [{metricName: load, targetValue: 10}]
  behavior: {scaleUp: {stablePolicy: {period: 0s}}, scaleDown: {period: 0s, stabilizationWindow: 1m}}
`
const binding = `---
apiVersion: workload.serving.volcano.sh/v1alpha1
kind: AutoscalingPolicyBinding
metadata: {name: chat}
spec:
  policyRef: {name: p}
  scalingConfiguration: {target: {targetRef: {name: chat}}, minReplicas: 1, maxReplicas: 8}
`
const trace = 'seconds,load\n0,10\n30,60\n60,20\n180,20\n'

function simulated(t: TestContext, files: Readonly<Record<string, string>>, options: Partial<SimulateScalingOptions>) {
  const dir = mkdtempSync(join(tmpdir(), 'fairlead-scaling-'))
  t.after(() => rmSync(dir, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  const io = recordingIo()
  const { trace: file, svg, ...rest } = options
  simulateScaling(
    {
      filename: [join(dir, 'policy.yaml')],
      peak: 100,
      minutes: 10,
      startSeconds: 0,
      ...(file !== undefined && { trace: join(dir, file) }),
      ...(svg !== undefined && { svg: join(dir, svg) }),
      ...rest,
    },
    io,
  )
  return { out: io.out(), file: (name: string) => readFileSync(join(dir, name), 'utf8') }
}

test('a recorded load is replayed, and each change told with its reason', (t) => {
  const { out, file } = simulated(
    t,
    { 'policy.yaml': policy + binding, 'load.csv': trace },
    { trace: 'load.csv', svg: 'x.svg' },
  )
  assert.equal(
    out,
    `TIME      POOL  REPLICAS  ASKED FOR  RULE  WHY
00:00:30  chat  1 → 6     6          Load  load is 60 with a target of 10, which asks for 6 instances
00:02:00  chat  6 → 2     2          Load  load is 3.33 with a target of 10, which asks for 2 instances

2 changes in 00:03:00
at most 6 instances, 0.2 instance hours
fewer ready than the load asked for: 15 s
`,
  )
  const svg = file('x.svg')
  assert.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 960 360"/)
  assert.match(svg, /<title>AutoscalingPolicyBinding\/chat<\/title>/)
  assert.equal(svg.match(/stroke-width="2"/g)?.length, 3)
  assert.doesNotMatch(svg, /NaN|undefined/)
})

test('the decisions in full as JSON', (t) => {
  const { out } = simulated(
    t,
    { 'policy.yaml': policy + binding, 'load.csv': trace },
    { trace: 'load.csv', output: 'json' },
  )
  const ticks = JSON.parse(out) as { decisions: { desired: number }[] }[]
  assert.deepEqual(ticks.map(({ decisions }) => decisions[0]?.desired).slice(0, 4), [1, 1, 6, 6])
})

test('a load can be made up, and each look told', (t) => {
  const { out } = simulated(t, { 'policy.yaml': policy + binding }, { generate: 'ramp', all: true })
  assert.equal(out.split('\n').filter((line) => line.startsWith('00:')).length, 41)
})

test('a policy with its own target needs no binding', (t) => {
  const own = `${policy}  homogeneousTarget: {target: {targetRef: {name: chat}, metricSources: {load: {pod: {}}}}, minReplicas: 2, maxReplicas: 4}\n`
  const { out } = simulated(t, { 'policy.yaml': own }, { generate: 'spike' })
  assert.match(out, /at most 4 instances/)
})

const wrong: Record<string, { yaml: string; options: Partial<SimulateScalingOptions>; says: RegExp }> = {
  'no load': { yaml: policy + binding, options: {}, says: /one of --trace and --generate/ },
  'a policy without a target': {
    yaml: policy,
    options: { generate: 'day' },
    says: /no AutoscalingPolicyBinding, and no AutoscalingPolicy with a target/,
  },
  'a binding without its policy': { yaml: binding, options: { generate: 'day' }, says: /no AutoscalingPolicy p in/ },
  'two bindings': {
    yaml: policy + binding + binding.replace('name: chat}', 'name: other}'),
    options: { generate: 'day' },
    says: /chat and .*other: give the files of one/,
  },
  'a policy that is not valid': {
    yaml: policy.replace('10', '-1') + binding,
    options: { generate: 'day' },
    says: /policy\.yaml:5:\d+: .*must be above 0/,
  },
}
for (const [name, { yaml, options, says }] of Object.entries(wrong)) {
  test(`refused: ${name}`, (t) => {
    assert.throws(() => simulated(t, { 'policy.yaml': yaml }, options), { message: says })
  })
}
