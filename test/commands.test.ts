/** The commands that talk to an API server, against a running `up`. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { recordingIo } from '#cli/io.testkit.ts'
import { main } from '#cli/main.ts'
import { until } from './bare-api.ts'
import { fairlead, startUp, temporaryDirectory } from './up-process.ts'

const quickstart = fileURLToPath(new URL('../examples/quickstart.yaml', import.meta.url))
const policies = fileURLToPath(new URL('../examples/by-hand/autoscaling-policy-and-binding.yaml', import.meta.url))

test('apply, get, tree, describe, logs and delete do to objects what they say', async (t) => {
  const up = startUp(t, join(temporaryDirectory(t), 'data'), ['--apply', quickstart])
  const { kubeconfig } = await up.ready()
  await up.event('answer')
  const run = async (...args: string[]) => {
    const io = recordingIo({ env: { KUBECONFIG: kubeconfig } })
    await main(args, io)
    return { code: io.code(), out: io.out(), err: io.errors() }
  }
  const prints = async (args: string[], want: RegExp, code = 0): Promise<void> => {
    const { out, err, code: actual } = await run(...args)
    assert.match(out + err, want, args.join(' '))
    assert.equal(actual, code, args.join(' '))
  }

  await prints(['apply', '-f', quickstart], /^modelbooster\.workload\.serving\.volcano\.sh\/quickstart unchanged\n$/)
  await prints(['apply', '--dry-run', '-f', policies], /short-queue created \(server dry run\)/)
  await prints(['get', 'autoscalingpolicies'], /^no resources found in namespace default\n$/)
  await prints(['apply', '-f', policies], /autoscalingpolicy\S*\/short-queue created\n/)

  await prints(['get', 'modelboosters'], /^NAME +ACTIVE .*\nquickstart +True /)
  await prints(
    ['get', 'pods', '-A'],
    /^NAMESPACE +NAME +READY .*\ndefault +quickstart-vllm-0-leader-0-0 +2\/2 +Running/,
  )
  await prints(['get', 'modelbooster/quickstart', '-o', 'name'], /^modelbooster\S*\/quickstart\n$/)
  await prints(
    ['get', 'ModelBooster', 'quickstart', '-o', 'yaml'],
    /^apiVersion: \S+\nkind: ModelBooster\nmetadata:\n {2}name: quickstart\n/,
  )
  const list = JSON.parse((await run('get', 'pods', '-o', 'json', '-l', 'modelserving.volcano.sh/entry=true')).out) as {
    kind: string
    items: { kind: string }[]
  }
  assert.equal(list.kind, 'List')
  assert.equal(list.items[0]?.kind, 'Pod')
  await prints(
    ['get', 'modelinfers'],
    /^error: the API server knows no ModelInfer: install the CustomResourceDefinition /,
    1,
  )
  await prints(['get', 'modelbooster', 'none'], /^error: modelboosters\S* "none" not found\n$/, 1)

  await prints(
    ['tree', 'modelbooster/quickstart'],
    /^ModelBooster\/quickstart +✔ .*\n├─ ModelServing\/quickstart-vllm +✔ .*\n│ {2}├─ Pod\/\S+ +✔ \S+ +simulated\n/,
  )
  await prints(['tree'], /AutoscalingPolicy\/short-queue +· /)
  await prints(['tree', 'modelbooster/none'], /^error: no modelbooster none in default\n$/, 1)
  await prints(
    ['describe', 'modelbooster', 'quickstart'],
    /Active=True[^]*Children:\n {2}ModelServing\/quickstart-vllm[^]*Events:\n.* Normal /,
  )
  await prints(['describe', 'autoscalingpolicybinding/scaled'], /^Kind: +AutoscalingPolicyBinding/m)
  await prints(['why', 'autoscalingpolicybinding', 'scaled'], /^AutoscalingPolicyBinding\/scaled\n/)
  await prints(
    ['why', 'pod', 'x'],
    /^error: why explains what a ModelBooster becomes, scaling, and the AIM catalog; .* shows its conditions and events/,
    64,
  )
  await prints(
    ['why', 'modelserving/quickstart-vllm'],
    /^ModelServing\/quickstart-vllm is made of ModelBooster\/quickstart\n[^]*containers\[1\]\.image: .*\n {4}spec\.backends\[0\]\.workers\[0\]\.image\n/,
  )
  await prints(['why', 'modelserving/scaled'], /^error: ModelServing scaled is not made of a ModelBooster: nobody/, 1)
  await prints(['status'], /^✔ quickstart {2}ready for \S+ {2}vllm 1\/1\n {4}answers to quickstart\n$/)
  await prints(['status', 'modelbooster/quickstart', '--wait', '--timeout', '20'], /^✔ quickstart/)
  await prints(['status', 'modelbooster/none'], /^error: no modelbooster none in namespace default\n$/, 1)

  await prints(
    ['plan', '-f', quickstart],
    /^https:\S+\n\nModelBooster\/quickstart {2}unchanged .*\n\nnothing would change\n$/,
  )
  const changed = join(temporaryDirectory(t), 'changed.yaml')
  writeFileSync(changed, readFileSync(quickstart, 'utf8').replace(/image: .*/, 'image: vllm/vllm-openai:v9'))
  await prints(
    ['plan', '-f', changed],
    /ServingApplied: updated ModelServing quickstart-vllm; because of spec\.backends\[0\]\.workers\[0\]\.image\n {6}its pods are replaced/,
    2,
  )
  await prints(
    ['eject', 'modelbooster/quickstart'],
    /^---\n[^]*kind: ModelRoute\nmetadata:\n {2}name: quickstart\n {2}namespace: default\n/,
  )

  const pod = 'quickstart-vllm-0-leader-0-0'
  await prints(['logs', pod, '--tail', '1'], /^Uvicorn running on \S+:8000\ncontainer engine of runtime, engine, /)
  await prints(['logs', pod, '-c', 'runtime'], /sidecar/)
  await prints(['logs', pod, '-c', 'none'], /^error: container none is not valid/, 1)
  await prints(['logs', pod, '-p', '-c', 'engine'], /^error: previous terminated container "engine"/, 1)

  await prints(['delete', '-f', policies], /modelserving\S* "scaled" deleted\n/)
  await prints(['delete', 'modelbooster/none'], /^error: .*not found/, 1)
  await prints(['delete', 'modelbooster/none', '--ignore-not-found'], /^$/)
  await prints(['delete', 'modelbooster/quickstart', '--cascade', 'orphan'], /"quickstart" deleted\n/)
  await prints(['get', 'modelserving/quickstart-vllm', '-o', 'name'], /quickstart-vllm/)
  await prints(['delete', 'modelserving/quickstart-vllm', '--cascade', 'foreground'], /"quickstart-vllm" deleted\n/)

  await until(t, 'the booster gone', async () => (await run('get', 'modelbooster/quickstart')).code === 1)

  // As processes of their own, which nothing keeps running but what they wait for.
  const broken = join(temporaryDirectory(t), 'broken.yaml')
  writeFileSync(broken, readFileSync(quickstart, 'utf8').replace(/image: .*/, 'image: acme/nobody:1'))
  await prints(['apply', '--force-conflicts', '-f', broken], /quickstart created\n/)
  const as = ['--kubeconfig', kubeconfig, '--timeout', '1']
  const waited = await Promise.all([
    fairlead(['status', 'modelbooster/quickstart', '--wait', ...as]),
    fairlead(['rollout', 'status', 'modelserving/quickstart-vllm', ...as]),
  ])
  assert.deepEqual(
    waited.map(({ code }) => code),
    [1, 1],
  )

  // As a user without any kubeconfig would meet it.
  const lost = await fairlead(['get', 'pods', '--kubeconfig', join(kubeconfig, '..', 'none')])
  assert.equal(lost.code, 1)
  assert.match(lost.err, /^error: /)
  await up.stop('SIGTERM')
  await prints(
    ['get', 'pods'],
    /^error: cannot reach the API server at \S+: nothing listens there\n {2}is it running\? `fairlead up`/,
    1,
  )
})
