/** What a registry has, as cluster models. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AIMClusterModel } from '#api/aim-model.ts'
import { AIMClusterModelSource } from '#api/aim-cluster-model-source.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import { aim, aimClusterModel } from './aim.ts'
import { type LocalRegistryOptions, startRegistry } from './registry.ts'
import { startWorld, type World } from './world.ts'

type Loose = Record<string, unknown>

function source(spec: Loose): AnyResource {
  return aim(AIMClusterModelSource, { name: 'catalog' }, spec)
}

/** A world whose Docker Hub is a registry of the test’s own, whose time the test moves. */
async function startHub(
  t: Parameters<typeof startWorld>[0],
  { between, ...options }: LocalRegistryOptions & Pick<NonNullable<Parameters<typeof startWorld>[1]>, 'between'> = {},
) {
  const clock = manualClock()
  const registry = await startRegistry(options)
  t.after(() => registry[Symbol.asyncDispose]())
  const registries = { rules: [{ prefix: 'docker.io', location: registry.host }] }
  const world = await startWorld(t, { catalog: { clock, registries }, ...(between && { between }) })
  return { clock, registry, world }
}

const repositories = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((letter) => `amdenterpriseai/aim-${letter}`)

async function statusOf(world: World) {
  return (await world.find(AIMClusterModelSource, { name: 'catalog' }))?.status
}

function condition(conditions: readonly Condition[] = [], type: string): string {
  const found = conditions.find((each) => each.type === type)
  return `${found?.status}/${found?.reason}`
}

test('scenario 25 a source makes models of what matches, up to its limit', async (t) => {
  const { world, registry } = await startHub(t)
  for (const name of [...repositories, 'amdenterpriseai/aim-base', 'amdenterpriseai/other', 'else/aim-x']) {
    for (const tag of ['0.8.3', '0.8.4', 'latest']) await registry.push(`${name}:${tag}`, {})
  }
  const filters = [{ image: 'amdenterpriseai/aim-*', exclude: ['amdenterpriseai/aim-base'], versions: ['0.8.4'] }]
  await world.apply(source({ filters, maxModels: 5 }))
  const status = await world.until('a sync', async () => {
    const seen = await statusOf(world)
    return seen?.lastSyncTime !== undefined && seen
  })
  const { discoveredModels, availableModels, modelsLimitReached, conditions } = status
  assert.deepEqual(
    { discoveredModels, availableModels, modelsLimitReached },
    { discoveredModels: 5, availableModels: 9, modelsLimitReached: true },
  )
  assert.equal(status.status, 'Ready')
  assert.equal(condition(conditions, 'FiltersReady'), 'True/AllFiltersSucceeded')
  assert.equal(condition(conditions, 'MaxModelsLimitReached'), 'True/LimitReached')

  const models = await world.list(AIMClusterModel, 'aim.eai.amd.com/model-source=catalog')
  assert.deepEqual(
    models.map(({ spec }) => spec.image).toSorted(),
    repositories.slice(0, 5).map((name) => `${name}:0.8.4`),
  )
  for (const { metadata } of models) assert.match(metadata.name ?? '', /^amdenterpriseai-aim-[a-e]-0-8-4-[0-9a-f]{6}$/)
  assert.deepEqual(
    Object.entries(models[0]?.metadata.annotations ?? {}).map(([key, value]) => `${key}=${value}`),
    ['registry=docker.io', 'repository=amdenterpriseai/aim-a', 'tag=0.8.4'].map(
      (each) => `aim.eai.amd.com/source-${each}`,
    ),
  )
})

test('#72 a registry is asked once in an interval, whatever becomes of the models', async (t) => {
  const { world, registry, clock } = await startHub(t)
  await registry.push('amd/x:1.0.0', {})
  await world.apply(source({ filters: [{ image: 'amd/x' }], syncInterval: '10m' }))
  await world.until('a model', async () => (await world.list(AIMClusterModel)).length === 1)
  await world.settled()
  const lists = (): number => registry.requests.filter((each) => each.includes('/tags/list')).length
  assert.equal(lists(), 1)
  const [model] = await world.list(AIMClusterModel)
  const name = model?.metadata.name ?? ''
  for (let touch = 0; touch < 50; touch++) {
    await world.apply(aim(AIMClusterModel, { name, annotations: { touched: `${touch}` } }, { image: 'amd/x:1.0.0' }))
  }
  await world.settled()
  assert.equal(lists(), 1)

  await registry.push('amd/x:1.1.0', {})
  clock.advance(600_000)
  await world.until('the other model', async () => (await world.list(AIMClusterModel)).length === 2)
  assert.equal(lists(), 2)
})

test('#72 a model that is refused is told, and tried again no more often than a registry that fails', async (t) => {
  let isRefused = true
  const { world, registry, clock } = await startHub(t, {
    between: (fetch) => async (request) => {
      const refuses = isRefused && request.method === 'POST' && /aimclustermodels/.test(request.url)
      if (!refuses || !(await request.clone().text()).includes('amd/x:1.1.0')) return fetch(request)
      const message = 'no 1.1.0 here'
      return Response.json(
        { kind: 'Status', status: 'Failure', reason: 'Invalid', code: 422, message },
        { status: 422 },
      )
    },
  })
  for (const tag of ['1.0.0', '1.1.0']) await registry.push(`amd/x:${tag}`, {})
  await world.apply(source({ filters: [{ image: 'amd/x' }], syncInterval: '10m' }))
  const status = await world.until('what was refused', async () => {
    const seen = await statusOf(world)
    return condition(seen?.conditions, 'ModelsWritten') === 'False/ModelWriteFailed' && seen
  })
  assert.match(status.conditions?.find(({ type }) => type === 'ModelsWritten')?.message ?? '', /no 1\.1\.0 here/)
  assert.deepEqual([status.status, status.discoveredModels, status.failedSyncs], ['Degraded', 1, 1])
  const lists = (): number => registry.requests.filter((each) => each.includes('/tags/list')).length
  const [model] = await world.list(AIMClusterModel)
  const name = model?.metadata.name ?? ''
  for (let touch = 0; touch < 10; touch++) {
    await world.apply(aim(AIMClusterModel, { name, annotations: { touched: `${touch}` } }, { image: 'amd/x:1.0.0' }))
    await world.settled()
  }
  assert.equal(lists(), 1)
  assert.equal((await statusOf(world))?.status, 'Degraded')

  isRefused = false
  clock.advance(60_000)
  await world.until('recovery', async () => (await statusOf(world))?.status === 'Ready')
  assert.equal((await world.list(AIMClusterModel)).length, 2)
})

test('#74 what has a model already gets no second, and two filters count an image once', async (t) => {
  const { world, registry } = await startHub(t)
  for (const tag of ['1.0.0', '1.1.0', '1.2.0']) await registry.push(`amd/x:${tag}`, {})
  await world.apply(aimClusterModel('by-hand', { image: 'docker.io/amd/x:1.1.0' }))
  await world.settled()
  await world.apply(source({ filters: [{ image: 'amd/x' }, { image: 'amd/*' }, { image: 'amd/x:1.0.0' }] }))
  const status = await world.until('a sync', async () => (await statusOf(world)) ?? false)
  assert.deepEqual([status.discoveredModels, status.availableModels, status.modelsLimitReached], [2, 2, false])
  const images = (await world.list(AIMClusterModel)).map(({ spec }) => spec.image)
  assert.deepEqual(images.toSorted(), ['amd/x:1.0.0', 'amd/x:1.2.0', 'docker.io/amd/x:1.1.0'])
})

test('a filter that fails keeps nobody else from theirs, and is tried again sooner', async (t) => {
  let isDown = true
  const { world, registry, clock } = await startHub(t, {
    instead({ url }, response) {
      const fails = isDown && url?.includes('/broken/') === true
      if (fails) response.writeHead(503).end()
      return fails
    },
  })
  for (const name of ['amd/x', 'amd/broken']) await registry.push(`${name}:1.0.0`, {})
  await world.apply(source({ filters: [{ image: 'amd/broken' }, { image: 'amd/x' }] }))
  const status = await world.until('a sync', async () => (await statusOf(world)) ?? false)
  assert.deepEqual([status.status, status.lastSyncTime, status.failedSyncs], ['Degraded', undefined, 1])
  assert.equal(condition(status.conditions, 'FiltersReady'), 'False/SomeFiltersFailed')
  const message = status.conditions?.find(({ type }) => type === 'FiltersReady')?.message
  assert.equal(message, `docker.io/amd/broken: ${registry.host} answered 503`)
  assert.equal((await world.list(AIMClusterModel)).length, 1)

  isDown = false
  await world.settled()
  clock.advance(60_000)
  await world.until('recovery', async () => (await statusOf(world))?.status === 'Ready')
  assert.equal((await world.list(AIMClusterModel)).length, 2)
})

test('what cannot be asked says what is wrong, and is asked as soon as it is put right', async (t) => {
  const { world, registry } = await startHub(t, { auth: 'basic' })
  await registry.push('amd/x:1.0.0', {})
  await world.apply(
    source({ filters: [{ image: 'amd/x', versions: ['newest'] }], imagePullSecrets: [{ name: 'hub' }] }),
  )
  const told = async (type: string, wanted: string) => {
    let message: string | undefined
    await world.until(`${type} ${wanted}`, async () => {
      const { conditions } = (await statusOf(world)) ?? {}
      message = conditions?.find((each) => each.type === type)?.message
      return condition(conditions, type) === wanted
    })
    return message
  }
  assert.match(
    (await told('ConfigValid', 'False/InvalidSpec')) ?? '',
    /^spec\.filters\[0\]: "newest" is no version constraint/,
  )
  assert.deepEqual(registry.requests, [])

  await world.apply(source({ filters: [{ image: 'amd/x' }], imagePullSecrets: [{ name: 'hub' }] }))
  assert.equal(
    await told('ConfigValid', 'False/ReferenceNotFound'),
    'Secret hub of imagePullSecrets is not in namespace aim-system; create it there',
  )
  const secret = (data: Record<string, string>): AnyResource => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'hub', namespace: 'aim-system' },
    type: 'kubernetes.io/dockerconfigjson',
    data,
  })
  await world.apply(secret(registry.dockerConfig('alice', 'wrong')))
  assert.match(
    (await told('FiltersReady', 'False/AllFiltersFailed')) ?? '',
    /refused the credentials in aim-system\/hub/,
  )
  await world.apply(secret(registry.dockerConfig()))
  await told('FiltersReady', 'True/AllFiltersSucceeded')
  assert.equal((await world.list(AIMClusterModel)).length, 1)
})
