/** Capacity that users can reach: with a router, a group counts when requests get to it, and goes when none is under way. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import { routableGate } from '#api/labels.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { systemClock } from '#base/clock.ts'
import { askRouters } from '#serving/routers.ts'
import { startSimulation } from '#simulator/simulation.ts'
import { startClients } from './asking.ts'
import { backend, modelBooster } from './builders.ts'
import { startWorld } from './world.ts'

const simulation = startSimulation()
after(() => simulation[Symbol.asyncDispose]())

const pace = [{ name: 'FAIRLEAD_SIMULATE_INTER_TOKEN_MS', value: '40' }]
const booster = (version: string, replicas: number) =>
  modelBooster('chat', {
    backends: [
      backend('a', {
        minReplicas: replicas,
        maxReplicas: replicas,
        env: pace,
        workers: [{ type: 'server', image: `vllm/vllm-openai:${version}` }],
      }),
    ],
  })

async function startRouted(t: Parameters<typeof startWorld>[0]) {
  const urls: string[] = []
  const world = await startWorld(t, { simulation, routers: askRouters(() => urls, systemClock) })
  const clients = await startClients(t, world)
  urls.push(clients.operatorsUrl)
  return { world, clients, urls }
}

const gateOf = (pod: Pod) => pod.status?.conditions?.find(({ type }) => type === routableGate)?.status

test('a pod is ready when the router sends it requests; without a router it is ready when it is', async (t) => {
  const { world, clients, urls } = await startRouted(t)
  await world.apply(booster('v1', 1))
  await world.condition(ModelBooster, 'chat', 'Active')
  const [pod] = await world.list(Pod)
  assert.deepEqual(pod?.spec?.readinessGates, [{ conditionType: routableGate }])
  assert.equal(gateOf(pod), 'True')
  assert.equal((await clients.ask('chat')).status, 200, 'Active means that it answers')
  urls.length = 0
  await world.apply(booster('v1', 2))
  await world.condition(ModelBooster, 'chat', 'Active')
  await world.until('two pods', async () => (await world.list(Pod)).length === 2)
  const gates = (await world.list(Pod)).map(({ spec }) => spec?.readinessGates?.length ?? 0)
  assert.deepEqual(
    gates.sort((one, other) => one - other),
    [0, 1],
  )
})

test('while all groups are replaced and then one is taken away, no request fails, however long its answer takes', async (t) => {
  const { world, clients } = await startRouted(t)
  await world.apply(booster('v1', 2))
  await world.condition(ModelBooster, 'chat', 'Active')
  const stop = new AbortController()
  const asking = Promise.all(
    Array.from({ length: 6 }, async () => {
      const statuses: number[] = []
      while (!stop.signal.aborted) statuses.push((await clients.ask('chat')).status)
      return statuses
    }),
  )
  await world.apply(booster('v2', 2))
  await world.until('all of the new template', async () => {
    const pods = await world.list(Pod)
    return (
      pods.length === 2 &&
      pods.every(({ spec }) => spec?.containers.some((container) => container.image?.endsWith('v2')))
    )
  })
  await world.condition(ModelBooster, 'chat', 'Active')
  await world.apply(booster('v2', 1))
  await world.until('one pod', async () => (await world.list(Pod)).length === 1)
  stop.abort()
  const statuses = (await asking).flat()
  assert.ok(statuses.length > 20, `only ${statuses.length} requests`)
  assert.deepEqual([...new Set(statuses)], [200])
})
