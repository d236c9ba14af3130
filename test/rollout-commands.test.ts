/** `fairlead rollout`, on a ModelServing that runs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModelBooster } from '#api/model-booster.ts'
import { recordingIo } from '#cli/io.testkit.ts'
import { actions, type RolloutAction, type RolloutFlags } from '#cli/rollout.ts'
import { modelBooster } from './builders.ts'
import { a, atRest, image, imagesOf, replaced, servingOf, uidsOf, up } from './serving-tools.ts'
import { startWorld, type World } from './world.ts'

const does = async (world: World, action: RolloutAction, flags: RolloutFlags = {}, name = 'chat') => {
  const io = recordingIo()
  await actions[action]({ client: world.client, namespace: 'default', name }, flags, io)
  return { out: io.out(), code: io.code() }
}

test('history lists the templates there were, undo brings the one before back, or any by its number', async (t) => {
  const world = await startWorld(t)
  for (const version of ['v1', 'v2', 'v3']) await up(world, a({ replicas: 1 }, image(version)))
  const { out } = await does(world, 'history')
  assert.match(out, /^REVISION +NAME +AGE +STATE +IMAGES\n1 .*:v1\n2 .*:v2\n3 .* present, 1 groups +.*:v3\n$/)
  assert.match((await does(world, 'history', { revision: 2 })).out, /^number: 2\n[^]*image: vllm\/vllm-openai:v2/)
  assert.match((await does(world, 'undo')).out, /goes back to revision 2\n$/)
  await atRest(world, 'chat')
  assert.deepEqual(Object.values(await imagesOf(world)), ['vllm/vllm-openai:v2'])
  await does(world, 'undo', { toRevision: 1 })
  await atRest(world, 'chat')
  assert.deepEqual(Object.values(await imagesOf(world)), ['vllm/vllm-openai:v1'])
  await assert.rejects(does(world, 'undo', { toRevision: 9 }), /there is no revision 9; there are 3, 4, 5$/)
})

test('undo leaves counts as they are by now', async (t) => {
  const world = await startWorld(t)
  await up(world, a({ replicas: 1 }, image('v1')))
  await up(world, a({ replicas: 2 }, image('v2')))
  await does(world, 'undo')
  await atRest(world, 'chat')
  assert.deepEqual(Object.values(await imagesOf(world)), ['vllm/vllm-openai:v1', 'vllm/vllm-openai:v1'])
})

test('restart makes all pods anew and none twice; undone, it leaves no mark', async (t) => {
  const world = await startWorld(t)
  await up(world, a({}, image('v1')))
  const before = await uidsOf(world)
  const { status } = await servingOf(world, 'chat')
  await does(world, 'restart')
  await world.until('all pods anew', async () => replaced(before, await uidsOf(world)).length === 2)
  await atRest(world, 'chat')
  assert.match((await does(world, 'history')).out, /\n2 .* present, 2 groups/)
  await does(world, 'undo')
  await world.until('the first template', async () => {
    const { status: now } = await servingOf(world, 'chat')
    return now?.updateRevision === status?.updateRevision && now?.updatedReplicas === 2
  })
  assert.equal((await servingOf(world, 'chat')).metadata.annotations?.['fairlead.dev/restarted-at'], undefined)
})

test('pause holds a rollout, status says so and what fails, resume lets it go on', async (t) => {
  const world = await startWorld(t)
  await up(world, a({}, image('v1')))
  assert.match((await does(world, 'status')).out, /^done: 2 of 2 groups have the present template, 2 serve\n$/)
  assert.match((await does(world, 'pause')).out, /is paused\n$/)
  assert.match((await does(world, 'pause')).out, /is paused already\n$/)
  const { spec } = a({ rolloutStrategy: { type: 'ServingGroupRollingUpdate', paused: true } }, image('v2'))
  await world.apply({ ...a(), spec: spec ?? {} })
  await world.until('the change to be seen', async () => {
    const { out } = await does(world, 'status', { watch: false })
    return /0 of 2 groups have the present template, 2 serve; paused/.test(out)
  })
  const late = await does(world, 'status', { timeout: 1 })
  assert.equal(late.code, 1)
  await does(world, 'resume')
  assert.match((await does(world, 'status', { timeout: 20 })).out, /\ndone: 2 of 2/)
})

test('what a booster owns is restarted, but not undone: the booster would put it back', async (t) => {
  const world = await startWorld(t)
  await world.apply(modelBooster('model'))
  await world.condition(ModelBooster, 'model', 'Active')
  const before = await uidsOf(world)
  await does(world, 'restart', {}, 'model-vllm')
  await world.until('the pod anew', async () => replaced(before, await uidsOf(world)).length === 1)
  await assert.rejects(
    does(world, 'undo', {}, 'model-vllm'),
    /belongs to ModelBooster model, .*change the ModelBooster instead/,
  )
})
