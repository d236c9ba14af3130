/** Plugins of a ModelServing: what they do to pods, and that none is made without them. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import { startSimulation } from '#simulator/simulation.ts'
import { b, servingOf, uidsOf, up } from './serving-tools.ts'
import { startWorld } from './world.ts'

const simulation = startSimulation()
after(() => simulation[Symbol.asyncDispose]())

const tweaks = (config: Record<string, unknown>, scope?: Record<string, unknown>) => ({
  name: 'demo-pod-tweaks',
  type: 'BuiltIn',
  config,
  ...(scope !== undefined && { scope }),
})

test('S29 a plugin changes the pods in its scope, each exactly once, and a change of it replaces none', async (t) => {
  const world = await startWorld(t, { simulation })
  const env = [{ name: 'X', value: '1' }]
  await up(world, b({ plugins: [tweaks({ env }, { roles: ['prefill'], target: 'Worker' })] }))
  const withX = (await world.list(Pod)).filter(({ spec }) => spec?.containers[0]?.env?.some(({ name }) => name === 'X'))
  assert.deepEqual(
    withX.map(({ metadata }) => metadata.name),
    ['pd-0-prefill-0-1'],
  )
  assert.equal(withX[0]?.spec?.containers[0]?.env?.filter(({ name }) => name === 'X').length, 1)
  const before = await uidsOf(world)
  await up(world, b({ plugins: [tweaks({ env: [{ name: 'X', value: '2' }] })] }))
  assert.deepEqual(await uidsOf(world), before)
})

test('what a plugin wants of ready pods they get once they are ready, in the order of the list', async (t) => {
  const world = await startWorld(t, { simulation })
  const plugins = [
    tweaks({ readyAnnotations: { a: '1', b: '1' } }),
    tweaks({ readyAnnotations: { b: '2' } }, { target: 'Entry' }),
  ]
  await up(world, b({ plugins }))
  const annotations = Object.fromEntries(
    (await world.list(Pod)).map(({ metadata }) => [
      metadata.name,
      [metadata.annotations?.['a'], metadata.annotations?.['b']],
    ]),
  )
  assert.deepEqual(annotations['pd-0-prefill-0-0'], ['1', '2'])
  assert.deepEqual(annotations['pd-0-prefill-0-1'], ['1', '1'])
})

test('S29 an unknown plugin is refused with the names of those there are', async (t) => {
  const world = await startWorld(t, { simulation })
  await assert.rejects(
    world.apply(b({ plugins: [{ name: 'mine', type: 'BuiltIn' }] })),
    /spec\.plugins\[0\]\.name.*there are the plugins demo-pod-tweaks and lws-standard-labels/,
  )
  await world.apply(b({ plugins: [tweaks({ env: 'X=1' })] }))
  const { message } = await world.until('the condition', async () =>
    (await servingOf(world, 'pd')).status?.conditions?.find(
      ({ type, status }) => type === 'PluginsInvalid' && status === 'True',
    ),
  )
  assert.match(message, /spec\.plugins\[0\]\.config\.env: must be a list/)
  assert.deepEqual(await world.list(Pod), [])
  await up(world, b({ plugins: [tweaks({ env: [{ name: 'X', value: '1' }] })] }))
})
