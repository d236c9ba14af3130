/** How images are asked for their profiles, and what happens when they do not answer. Minutes pass on a clock that the test moves. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMClusterServiceTemplate, AIMServiceTemplate } from '#api/aim-service-template.ts'
import { Job } from '#api/core/kinds.ts'
import { type ManualClock, manualClock } from '#base/manual-clock.testkit.ts'
import { aim, aimModel, becomes, dockerConfigType, gpuNode, mi300x, recommending, secret } from './aim.ts'
import { startWorld, type World } from './world.ts'

async function scene(t: TestContext): Promise<{ world: World; clock: ManualClock }> {
  const clock = manualClock(Date.now())
  return { world: await startWorld(t, { nodes: [gpuNode('a', '74a1')], catalog: { clock } }), clock }
}

const failing = (value: number) => [{ name: 'FAIRLEAD_SIMULATE_FAIL_DRY_RUN', value: String(value) }]
const given = { imageMetadata: recommending(mi300x) }
/** Of a key that its Secret does not have, so that pods with it never start. */
const neverStarts = [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'absent' } } }]

async function onlyTemplate(world: World): Promise<AIMServiceTemplate> {
  return world.until('a template', async () => (await world.list(AIMServiceTemplate))[0])
}

async function attempts(world: World, count: number): Promise<number> {
  const discovery = await world.until(`${count} attempts`, async () => {
    const found = (await onlyTemplate(world)).status?.discovery
    return found?.attempts === count && found
  })
  return Date.parse(discovery.nextAttemptTime ?? '') - Date.parse(discovery.lastAttemptTime ?? '')
}

test('scenario 22 #49 #26 an image that fails is asked again later and later, and heals by itself', async (t) => {
  const { world, clock } = await scene(t)
  await world.apply(aimModel('m', { ...given, env: failing(1) }))
  const failed = await becomes(world, AIMModel, { name: 'm' }, { status: 'Failed', reason: 'AllTemplatesFailed' })
  assert.match(failed.message('ServiceTemplatesReady'), /1 Failed/)
  for (const [at, seconds] of [60, 120, 240].entries()) {
    assert.equal(await attempts(world, at + 1), seconds * 1000)
    const told = await becomes(
      world,
      AIMServiceTemplate,
      { name: (await onlyTemplate(world)).metadata.name ?? '' },
      {
        status: 'Failed',
        conditions: { Discovered: 'False/DiscoveryFailed' },
      },
    )
    assert.match(told.message('Ready'), /exit code 1|attempt/)
    await world.settled()
    clock.advance(seconds * 1000 + 1000)
  }
  await attempts(world, 4)
  await world.apply(aimModel('m', given))
  await becomes(world, AIMModel, { name: 'm' }, { status: 'Ready' })
  const template = await onlyTemplate(world)
  assert.equal(template.status?.discovery?.attempts, undefined, '#48 what failed before is forgotten')
  await becomes(
    world,
    AIMServiceTemplate,
    { name: template.metadata.name ?? '' },
    {
      conditions: { Discovered: 'True/DiscoveryComplete', DiscoveryJobReady: 'True/DiscoveryComplete' }, // #46
    },
  )
})

test('what an image has told is read once, however long its Job stays', async (t) => {
  const logs: string[] = []
  const world = await startWorld(t, {
    nodes: [gpuNode('a', '74a1')],
    between: (fetch) => (request) => {
      if (/\/pods\/[^/]+\/log\?/.test(request.url)) logs.push(request.url)
      return fetch(request)
    },
  })
  await world.apply(aimModel('m', given))
  await becomes(world, AIMModel, { name: 'm' }, { status: 'Ready' })
  const { metadata } = await onlyTemplate(world)
  const place = { namespace: 'default', name: metadata.name ?? '' }
  for (let touch = 0; touch < 5; touch++) {
    const patch = { metadata: { annotations: { touched: `${touch}` } } }
    await world.client.patch(AIMServiceTemplate, place, { type: 'merge', patch })
    await world.settled()
  }
  assert.equal(logs.length, 1)
  assert.equal((await world.list(Job)).length, 1)
})

test('scenario 22 a gated repository in the log is told as credentials that do not do, until the next attempt too', async (t) => {
  const { world, clock } = await scene(t)
  await world.apply(aimModel('m', { ...given, env: failing(3) }))
  const { metadata } = await onlyTemplate(world)
  const place = { name: metadata.name ?? '' }
  const want = {
    status: 'Failed',
    reason: 'AuthError',
    conditions: {
      AuthValid: 'False/AuthError',
      Discovered: 'False/DiscoveryFailed',
      DiscoveryJobReady: 'False/JobBackoffLimitExceeded',
      DiscoveryPodsReady: 'False/AuthError',
    },
  }
  const told = await becomes(world, AIMServiceTemplate, place, want)
  assert.match(told.message('AuthValid'), /repository gated\/model may not be read .* HF_TOKEN/)
  await attempts(world, 1)
  await world.settled()
  await becomes(world, AIMServiceTemplate, place, want)
  const toldSince = async () =>
    (await onlyTemplate(world)).status?.conditions?.find(({ type }) => type === 'AuthValid')?.lastTransitionTime
  const since = await toldSince()
  clock.advance(61_000)
  await attempts(world, 2)
  assert.equal(await toldSince(), since, 'an attempt that is under way takes nothing back')
  await world.apply(aimModel('m', given))
  await becomes(world, AIMServiceTemplate, place, {
    status: 'Ready',
    conditions: { AuthValid: 'True/AuthenticationValid' },
  })
})

test('#47 an image that prints no profile has not told it', async (t) => {
  const { world } = await scene(t)
  await world.apply(aimModel('m', { ...given, env: failing(2) }))
  const { metadata } = await onlyTemplate(world)
  await becomes(
    world,
    AIMServiceTemplate,
    { name: metadata.name ?? '' },
    {
      status: 'Failed',
      conditions: { Discovered: 'False/DiscoveryFailed', DiscoveryJobReady: 'False/DiscoveryOutputInvalid' },
    },
  )
  assert.equal((await onlyTemplate(world)).status?.modelSources, undefined)
})

test('scenario 21 of thirty templates ten at most are asked for at once, and all come to be ready', async (t) => {
  const { world, clock } = await scene(t)
  let most = 0
  const ways = Array.from({ length: 30 }, (_, n) => ({ ...mi300x, gpuCount: n + 1 }))
  await world.apply(aimModel('many', { imageMetadata: recommending(...ways) }))
  await world.until('all are ready', async () => {
    const jobs = await world.list(Job)
    most = Math.max(most, jobs.filter(({ status }) => status?.conditions === undefined).length)
    clock.advance(5_000)
    const templates = await world.list(AIMServiceTemplate)
    return templates.length === 30 && templates.every(({ status }) => status?.status === 'Ready')
  })
  assert.ok(most > 0 && most <= 10, String(most))
  assert.equal((await world.list(Job)).length, 30)
})

test('#51 ten Jobs whose pods never start hold up another template until their deadline, and no longer', async (t) => {
  const { world, clock } = await scene(t)
  await world.apply(secret('keys'))
  const ways = Array.from({ length: 10 }, (_, n) => ({ ...mi300x, gpuCount: n + 1 }))
  await world.apply(aimModel('stuck', { imageMetadata: recommending(...ways), env: neverStarts }))
  const stuck = await world.until('ten Jobs', async () => {
    const jobs = await world.list(Job)
    return jobs.length === 10 && jobs
  })
  await world.apply(aimModel('m', { discovery: { extractMetadata: false } }))
  await world.apply(aim(AIMServiceTemplate, { name: 'eleventh', namespace: 'default' }, { modelName: 'm' }))
  const eleventh = { name: 'eleventh' }
  await becomes(world, AIMServiceTemplate, eleventh, {
    status: 'Pending',
    conditions: { DiscoveryJobReady: 'False/JobNotCreated' },
  })
  for (const { metadata, spec } of stuck) {
    assert.equal(spec?.activeDeadlineSeconds, 900)
    const place = { namespace: 'default', name: metadata.name ?? '' }
    await world.client.patch(Job, place, { type: 'merge', patch: { spec: { activeDeadlineSeconds: 1 } } })
  }
  await world.until('their time is up', async () => {
    const jobs = await world.list(Job)
    return jobs.every(({ status }) =>
      status?.conditions?.some(({ type, reason }) => type === 'Failed' && reason === 'DeadlineExceeded'),
    )
  })
  await world.settled()
  clock.advance(6_000)
  await becomes(world, AIMServiceTemplate, eleventh, { status: 'Ready' })
})

test('#55 a template that is ready is asked anew when its model gets another image', async (t) => {
  const { world } = await scene(t)
  const off = { discovery: { extractMetadata: false } }
  await world.apply(aimModel('m', { ...off, image: 'ghcr.io/amd/first:v1' }))
  await world.apply(aim(AIMServiceTemplate, { name: 'by-hand', namespace: 'default' }, { modelName: 'm' }))
  const profileOf = (model: string) =>
    world.until(`the profile of ${model}`, async () => {
      const { status } = await onlyTemplate(world)
      const told = status?.profile?.originalDiscoveryOutput as { profile: { model: string } } | undefined
      return status?.status === 'Ready' && told?.profile.model === model
    })
  await profileOf('first')
  await world.apply(aimModel('m', { ...off, image: 'ghcr.io/amd/second:v1' }))
  await profileOf('second')
  const images = (await world.list(Job)).map(({ spec }) => spec?.template.spec?.containers[0]?.image ?? '')
  assert.deepEqual(images.toSorted(), ['ghcr.io/amd/first:v1', 'ghcr.io/amd/second:v1'])
})

test('#61 a model whose templates are being asked is Progressing in either scope', async (t) => {
  const { world } = await scene(t)
  const spec = { ...given, image: 'ghcr.io/amd/llama-3-8b:v1.0.0', env: neverStarts }
  for (const namespace of ['default', 'aim-system']) await world.apply(secret('keys', {}, { namespace }))
  await world.apply(aimModel('m', spec))
  await world.apply(aim(AIMClusterModel, { name: 'm' }, spec))
  const progressing = 'False/TemplatesProgressing'
  const want = { status: 'Progressing', reason: 'Progressing' }
  await becomes(world, AIMModel, { name: 'm' }, { ...want, conditions: { ServiceTemplatesReady: progressing } })
  const conditions = { ClusterServiceTemplatesReady: progressing }
  await becomes(world, AIMClusterModel, { name: 'm' }, { ...want, conditions })
  await world.until('both are being asked', async () => (await world.list(Job)).length === 2)
  await world.settled()
  await becomes(world, AIMClusterModel, { name: 'm' }, { ...want, conditions })
})

test('#62 a pod that failed and a GPU that is needed no longer count no more', async (t) => {
  const { world } = await scene(t)
  await world.apply(aimModel('m', { ...given, env: failing(1) }))
  const place = { name: (await onlyTemplate(world)).metadata.name ?? '' }
  await becomes(world, AIMServiceTemplate, place, { conditions: { DiscoveryPodsReady: 'False/PodFailed' } })
  await world.apply(aimModel('m', given))
  const healed = await becomes(world, AIMServiceTemplate, place, { status: 'Ready', reason: 'AllComponentsReady' })
  assert.equal(healed.conditions['DiscoveryPodsReady'], undefined)

  await world.apply(aimModel('m', { imageMetadata: recommending({ ...mi300x, gpuModel: 'MI210' }) }))
  await becomes(world, AIMModel, { name: 'm' }, { status: 'NotAvailable' })
  await world.apply(aimModel('m', { imageMetadata: recommending({ precision: 'fp16', metric: 'latency' }) }))
  await becomes(world, AIMModel, { name: 'm' }, { status: 'Ready' })
  const { conditions = [] } = (await onlyTemplate(world)).status ?? {}
  assert.ok(!conditions.some(({ type }) => type === 'GPUReady'))
})

test('#53 templates of the same name in either scope do not take each other’s Jobs', async (t) => {
  const { world } = await scene(t)
  const off = { discovery: { extractMetadata: false } }
  await world.apply(aimModel('m', off, { namespace: 'aim-system' }))
  await world.apply(aim(AIMClusterModel, { name: 'm' }, { image: 'ghcr.io/amd/llama-3-8b:v1.0.0', ...off }))
  await world.apply(aim(AIMServiceTemplate, { name: 'twin', namespace: 'aim-system' }, { modelName: 'm' }))
  await world.apply(aim(AIMClusterServiceTemplate, { name: 'twin' }, { modelName: 'm' }))
  await becomes(world, AIMServiceTemplate, { namespace: 'aim-system', name: 'twin' }, { status: 'Ready' })
  await becomes(world, AIMClusterServiceTemplate, { name: 'twin' }, { status: 'Ready' })
  const jobs = await world.list(Job)
  assert.deepEqual(jobs.map(({ metadata }) => metadata.ownerReferences?.[0]?.kind ?? '').toSorted(), [
    'AIMClusterServiceTemplate',
    'AIMServiceTemplate',
  ])
})

test('#56 #57 what a template says goes to its Job: its variables over ours, its own pull secret', async (t) => {
  const { world } = await scene(t)
  await world.apply(
    secret('own', { '.dockerconfigjson': Buffer.from('{"auths": {}}').toString('base64') }, { type: dockerConfigType }),
  )
  await world.apply(aimModel('m', { discovery: { extractMetadata: false }, imagePullSecrets: [] }))
  await world.apply(
    aim(
      AIMServiceTemplate,
      { name: 'cloned', namespace: 'default' },
      {
        modelName: 'm',
        hardware: { gpu: { requests: 1, model: 'MI300X' } },
        imagePullSecrets: [{ name: 'own' }],
        env: [{ name: 'AIM_GPU_MODEL', value: 'MI325X' }],
      },
    ),
  )
  await becomes(world, AIMServiceTemplate, { name: 'cloned' }, { status: 'Ready' })
  const [job] = await world.list(Job, 'aim.eai.amd.com/template=cloned')
  const pod = job?.spec?.template.spec
  assert.deepEqual(pod?.imagePullSecrets, [{ name: 'own' }])
  const models = pod?.containers[0]?.env?.filter(({ name }) => name === 'AIM_GPU_MODEL')
  assert.deepEqual(models, [{ name: 'AIM_GPU_MODEL', value: 'MI325X' }])
  assert.equal(job?.spec?.activeDeadlineSeconds, 900, '#51')
  assert.equal(pod?.automountServiceAccountToken, false)
})

test('#38 what a template runs on cannot be taken away and come back as something else', async (t) => {
  const { world } = await scene(t)
  const template = (spec: object) =>
    aim(AIMServiceTemplate, { name: 'fixed', namespace: 'default' }, { modelName: 'm', ...spec })
  await world.apply(template({ hardware: { gpu: { requests: 1, model: 'MI300X' } } }))
  await assert.rejects(world.apply(template({})), /hardware.*cannot be changed/)
  await assert.rejects(
    world.apply(template({ hardware: { gpu: { requests: 2, model: 'MI300X' } } })),
    /cannot be changed/,
  )
})

test('#39 a model without a spec is refused', async (t) => {
  const { world } = await scene(t)
  const { spec: _, ...bare } = aimModel('bare')
  await assert.rejects(world.apply(bare), /spec.*[Rr]equired/)
})
