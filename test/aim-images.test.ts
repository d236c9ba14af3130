/** What becomes of a model whose image cannot be looked at, and how it heals. Minutes pass on a clock that the test moves. */
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMClusterRuntimeConfig } from '#api/aim-runtime-config.ts'
import { AIMServiceTemplate } from '#api/aim-service-template.ts'
import { Event } from '#api/core/kinds.ts'
import { type ManualClock, manualClock } from '#base/manual-clock.testkit.ts'
import { aim, aimModel, becomes, dockerConfigType, gpuNode, secret, type Told } from './aim.ts'
import { type LocalRegistry, type LocalRegistryOptions, startRegistry } from './registry.ts'
import { temporaryDirectory } from './up-process.ts'
import { startWorld, type World } from './world.ts'

const deployments = '[{"gpuModel": "MI300X", "gpuCount": 4, "precision": "fp16", "metric": "throughput"}]'
const labels = {
  'aim.eai.amd.com/model.name': 'meta-llama/Llama-3-8B',
  'aim.eai.amd.com/model.recommended-deployments': deployments,
}
const credentials = 'registry-credentials'
const minuteMs = 60_000

interface Scene {
  readonly world: World
  readonly registry: LocalRegistry
  readonly clock: ManualClock
  /** The image of this name in the registry. */
  readonly image: (name: string) => string
  readonly told: (name: string, want: Parameters<typeof becomes>[3]) => Promise<Told>
  /** Looks at an image so far. */
  readonly looks: (name: string) => number
}

async function scene(t: TestContext, options: LocalRegistryOptions = {}): Promise<Scene> {
  const registry = await startRegistry(options)
  t.after(() => registry[Symbol.asyncDispose]())
  await registry.push('amd/llama:v1', { labels })
  const clock = manualClock(Date.now())
  const world = await startWorld(t, { nodes: [gpuNode('a', '74a1')], catalog: { clock } })
  return {
    world,
    registry,
    clock,
    image: (name) => `${registry.host}/${name}`,
    told: (name, want) => becomes(world, AIMModel, { name }, want),
    looks: (name) => {
      const [repository, tag] = name.split(':')
      return registry.requests.filter((line) => line.endsWith(`/v2/${repository}/manifests/${tag}`)).length
    },
  }
}

const withSecret = { imagePullSecrets: [{ name: credentials }] }
const config = (data: Record<string, string>, namespace = 'default') =>
  secret(credentials, data, { namespace, type: dockerConfigType })

test('scenario 9 #8 a pull secret that comes is enough for a model to heal', async (t) => {
  const { world, registry, image, told } = await scene(t, { auth: 'basic' })
  await world.apply(aimModel('m', { image: image('amd/llama:v1'), ...withSecret }))
  const failed = await told('m', { status: 'Failed', conditions: { MetadataExtracted: 'False/SecretNotFound' } })
  assert.match(failed.message('MetadataExtracted'), /Secret registry-credentials .* namespace default/)
  assert.equal(registry.requests.length, 0)
  await world.apply(config(registry.dockerConfig()))
  await told('m', { status: 'Ready', conditions: { MetadataExtracted: 'True/MetadataExtracted' } })
})

const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'puller', namespace: 'default' } }
for (const [which, { spec, also }] of Object.entries({
  'a pull secret': { spec: withSecret, also: [] },
  'an account': { spec: { serviceAccountName: 'puller' }, also: [{ ...account, ...withSecret }] },
})) {
  test(`where a runtime config names ${which}, a secret that comes is enough too`, async (t) => {
    const { world, registry, image, told } = await scene(t, { auth: 'basic' })
    await world.apply(aim(AIMClusterRuntimeConfig, { name: 'default' }, spec))
    await world.apply(aimModel('m', { image: image('amd/llama:v1') }))
    await told('m', { status: 'Failed', conditions: { MetadataExtracted: 'False/ImagePullAuthFailure' } })
    for (const object of also) await world.apply(object)
    await world.apply(config(registry.dockerConfig()))
    await told('m', { status: 'Ready', conditions: { MetadataExtracted: 'True/MetadataExtracted' } })
  })
}

test('scenario 10 #5 #9 #10 a wrong password is tried after 1, 2 and 4 minutes, and at once when it is mended', async (t) => {
  const { world, registry, image, told, clock, looks } = await scene(t, { auth: 'basic' })
  await world.apply(config(registry.dockerConfig('alice', 'wrong')))
  await world.apply(aimModel('m', { image: image('amd/llama:v1'), ...withSecret }))
  const want = {
    status: 'Failed',
    reason: 'AuthError',
    conditions: { AuthValid: 'False/AuthError', MetadataExtracted: 'False/ImagePullAuthFailure' },
  }
  const attempt = (count: number) =>
    world.until(`attempt ${count} is told`, async () => {
      const model = await world.find(AIMModel, { namespace: 'default', name: 'm' })
      return model?.status?.inspection?.attempts === count && model.status.inspection
    })
  const failed = await told('m', want)
  assert.equal(failed.conditions['DependenciesReachable'], undefined)
  const asked = looks('amd/llama:v1')
  for (const [at, minutes] of [1, 2, 4].entries()) {
    const { lastAttemptTime, nextAttemptTime } = await attempt(at + 1)
    assert.equal(Date.parse(nextAttemptTime ?? '') - Date.parse(lastAttemptTime ?? ''), minutes * minuteMs)
    for (let touch = 0; touch < 10; touch++) {
      await world.client.patch(
        AIMModel,
        { namespace: 'default', name: 'm' },
        { type: 'merge', patch: { metadata: { labels: { touch: `${touch}` } } } },
      )
    }
    await world.settled()
    assert.equal(looks('amd/llama:v1'), asked * (at + 1), 'what happens meanwhile has nobody asked')
    clock.advance(minutes * minuteMs)
  }
  await attempt(4)
  await world.apply(config(registry.dockerConfig()))
  await told('m', { status: 'Ready', conditions: { AuthValid: 'True/AuthenticationValid' } })
  const events = await world.client.list(Event, { namespace: 'default' })
  assert.ok(events.items.filter(({ reason }) => reason === 'ImagePullAuthFailure').length <= 2, '#63')
})

test('#3 #4 where discovery is off, no registry is asked unless the model says so', async (t) => {
  const { world, registry, image, told } = await scene(t)
  await world.apply(aim(AIMClusterRuntimeConfig, { name: 'default' }, { model: { autoDiscovery: false } }))
  await becomes(world, AIMClusterRuntimeConfig, { name: 'default' }, { conditions: { Ready: 'True/Valid' } })
  for (const [name, discovery] of Object.entries({ plain: {}, creates: { createTemplates: true } })) {
    await world.apply(aimModel(name, { image: image('amd/llama:v1'), discovery }))
    await told(name, { status: 'Ready', conditions: { MetadataExtracted: 'Unknown/ExtractionDisabled' } })
  }
  assert.equal(registry.requests.length, 0)
  await world.apply(
    aimModel('asks', { image: image('amd/llama:v1'), discovery: { extractMetadata: true, createTemplates: true } }),
  )
  await told('asks', { status: 'Ready', conditions: { ServiceTemplatesReady: 'True/AllTemplatesReady' } })
})

test('#66 the second secret is tried where the first is refused', async (t) => {
  const { world, registry, image, told } = await scene(t, { auth: 'token' })
  await world.apply(secret('wrong', registry.dockerConfig('alice', 'wrong'), { type: dockerConfigType }))
  await world.apply(config(registry.dockerConfig()))
  await world.apply(
    aimModel('m', { image: image('amd/llama:v1'), imagePullSecrets: [{ name: 'wrong' }, { name: credentials }] }),
  )
  await told('m', { status: 'Ready' })
})

test('credentials that were refused are not accepted because their registry is away', async (t) => {
  let isAway = false
  const { world, registry, image, told, clock } = await scene(t, {
    auth: 'basic',
    instead(_request, response) {
      if (isAway) response.writeHead(503).end()
      return isAway
    },
  })
  await world.apply(config(registry.dockerConfig('alice', 'wrong')))
  await world.apply(aimModel('m', { image: image('amd/llama:v1'), ...withSecret }))
  await told('m', { status: 'Failed', conditions: { AuthValid: 'False/AuthError' } })
  isAway = true
  await world.settled()
  clock.advance(minuteMs)
  await told('m', { conditions: { DependenciesReachable: 'False/InfrastructureError', AuthValid: 'False/AuthError' } })
  isAway = false
  await world.apply(config(registry.dockerConfig()))
  await told('m', { status: 'Ready', conditions: { AuthValid: 'True/AuthenticationValid' } })
})

test('#65 a secret of another type is named where it was of no use', async (t) => {
  const { world, registry, image, told } = await scene(t, { auth: 'basic' })
  await world.apply(secret(credentials, registry.dockerConfig()))
  await world.apply(aimModel('m', { image: image('amd/llama:v1'), ...withSecret }))
  const failed = await told('m', { status: 'Failed', conditions: { AuthValid: 'False/AuthError' } })
  assert.match(failed.message('AuthValid'), /default\/registry-credentials is no Secret of the type kubernetes\.io\//)
})

test('#64 what this process itself may show to registries is never shown for a model', async (t) => {
  const { world, registry, image, told } = await scene(t, { auth: 'basic' })
  const home = temporaryDirectory(t)
  const ambient = Buffer.from(registry.dockerConfig()['.dockerconfigjson'], 'base64')
  for (const directory of [home, join(home, '.docker')]) {
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, 'config.json'), ambient)
  }
  setVariables(t, { HOME: home, DOCKER_CONFIG: home, REGISTRY_AUTH_FILE: join(home, 'config.json') })
  await world.apply(aimModel('m', { image: image('amd/llama:v1') }))
  const failed = await told('m', {
    status: 'Failed',
    reason: 'AuthError',
    conditions: { AuthValid: 'False/AuthError' },
  })
  assert.match(failed.message('AuthValid'), /imagePullSecrets/)
  assert.deepEqual([...new Set(registry.authorizations)], [''])
})

function setVariables(t: TestContext, variables: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(variables)) {
    const former = process.env[name]
    process.env[name] = value
    t.after(() => {
      if (former === undefined) delete process.env[name]
      else process.env[name] = former
    })
  }
}

test('#1 a label of this name alone is enough for a template', async (t) => {
  const { world, registry, image, told } = await scene(t)
  await registry.push('amd/seed:1', { labels: { 'aim.eai.amd.com/model.recommended-deployments': deployments } })
  await world.apply(aimModel('m', { image: image('amd/seed:1') }))
  await told('m', { status: 'Ready', conditions: { ServiceTemplatesReady: 'True/AllTemplatesReady' } })
  const templates = await world.list(AIMServiceTemplate)
  assert.deepEqual(
    templates.map(({ status }) => status?.hardwareSummary),
    ['4 x MI300X'],
  )
})

test('#6 a registry whose name is not known is away, which may pass, and not an image that is missing', async (t) => {
  const { world, told } = await scene(t)
  await world.apply(aimModel('m', { image: 'registry.invalid/amd/llama:v1' }))
  const waiting = await told('m', {
    status: 'Progressing',
    reason: 'InfrastructureError',
    conditions: {
      DependenciesReachable: 'False/InfrastructureError',
      MetadataExtracted: 'False/MetadataExtractionFailed',
    },
  })
  assert.equal(waiting.conditions['ConfigValid'], undefined)
  assert.match(waiting.message('MetadataExtracted'), /cannot reach registry\.invalid: the host name/)
})

test('scenario 11 a tag that is missing is found when it comes: later by itself, at once when somebody asks', async (t) => {
  const { world, registry, image, told, clock } = await scene(t)
  await world.apply(aimModel('m', { image: image('amd/llama:v2') }))
  await world.apply(aimModel('n', { image: image('amd/llama:v3') }))
  const missing = {
    status: 'Failed',
    reason: 'ReferenceNotFound',
    conditions: { MetadataExtracted: 'False/ImageNotFound', ConfigValid: 'False/ReferenceNotFound' },
  }
  const failed = await told('m', missing)
  assert.ok(failed.message('MetadataExtracted').includes(image('amd/llama:v2')))
  await told('n', missing)
  await registry.push('amd/llama:v2', { labels })
  await registry.push('amd/llama:v3', { labels })
  const annotations = { 'aim.eai.amd.com/reinspect': '1' }
  await world.apply(aimModel('n', { image: image('amd/llama:v3') }, { annotations }))
  await told('n', { status: 'Ready', conditions: { ConfigValid: 'True/ConfigurationValid' } })
  await told('m', { status: 'Failed' })
  clock.advance(2 * minuteMs)
  await told('m', { status: 'Ready' })
})

test('scenario 12 #6 a registry that is away is waited for; after ten minutes that counts as failure', async (t) => {
  let away = true
  const { world, image, told, clock } = await scene(t, {
    instead: (request) => {
      if (away) request.socket.destroy()
      return away
    },
  })
  await world.apply(aimModel('m', { image: image('amd/llama:v1') }))
  const waiting = {
    DependenciesReachable: 'False/InfrastructureError',
    MetadataExtracted: 'False/MetadataExtractionFailed',
  }
  await told('m', { status: 'Progressing', reason: 'InfrastructureError', conditions: waiting })
  const attempts: number[] = []
  const attempted = (least: number) =>
    world.until(`${least} attempts`, async () => {
      const {
        attempts: made = 0,
        nextAttemptTime,
        lastAttemptTime,
      } = (await world.find(AIMModel, { namespace: 'default', name: 'm' }))?.status?.inspection ?? {}
      return made >= least && { made, waitMs: Date.parse(nextAttemptTime ?? '') - Date.parse(lastAttemptTime ?? '') }
    })
  for (let made = 1; made <= 5; made++) {
    const { waitMs } = await attempted(made)
    attempts.push(waitMs / 1000)
    await world.settled()
    clock.advance(waitMs + 1000)
  }
  for (const [at, seconds] of [5, 10, 20, 40, 80].entries()) {
    const near = attempts[at] ?? 0
    assert.ok(near >= seconds * 0.8 - 1 && near <= seconds * 1.2 + 1, `${attempts}`)
  }
  await told('m', { status: 'Progressing' })
  clock.advance(10 * minuteMs)
  await told('m', { status: 'Failed', conditions: waiting })
  away = false
  clock.advance(10 * minuteMs)
  await told('m', { status: 'Ready', conditions: { DependenciesReachable: 'True/Reachable' } })
  away = true
  clock.advance(60 * minuteMs)
  await told('m', { status: 'Ready' })
})

test('#11 a registry that never answers holds up no other model', async (t) => {
  const { world, image, told, registry } = await scene(t)
  const dead = await startRegistry({ instead: () => true })
  t.after(() => dead[Symbol.asyncDispose]())
  for (let at = 0; at < 20; at++) await world.apply(aimModel(`dead-${at}`, { image: `${dead.host}/amd/llama:v${at}` }))
  await world.apply(aimModel('alive', { image: image('amd/llama:v1') }))
  await told('alive', { status: 'Ready' })
  assert.ok(registry.requests.length > 0)
})

test('scenario 14 labels that cannot be read cost no others', async (t) => {
  const { world, registry, image, told } = await scene(t)
  await registry.push('amd/bad:1', {
    labels: { ...labels, 'aim.eai.amd.com/model.recommended-deployments': 'not json' },
  })
  await registry.push('amd/plain:1', {})
  await registry.push('amd/old:1', {
    labels: {
      'com.amd.aim.model.recommendedDeployments': `{'gpuModel': 'MI300X', 'gpuCount': '2'}, {"gpuModel":"MI300X","gpuCount":4}`,
    },
  })
  await world.apply(aimModel('bad', { image: image('amd/bad:1') }))
  await world.apply(aimModel('plain', { image: image('amd/plain:1') }))
  await world.apply(aimModel('old', { image: image('amd/old:1') }))
  await told('bad', {
    status: 'Failed',
    reason: 'InvalidSpec',
    conditions: { MetadataExtracted: 'False/MetadataFormatError', ConfigValid: 'False/InvalidSpec' },
  })
  const bad = await world.find(AIMModel, { namespace: 'default', name: 'bad' })
  assert.equal(bad?.status?.imageMetadata?.model?.canonicalName, 'meta-llama/Llama-3-8B')
  const plain = await told('plain', {
    status: 'Ready',
    conditions: { ServiceTemplatesReady: 'True/NoTemplatesExpected' },
  })
  assert.match(plain.message('MetadataExtracted'), /no label aim\.eai\.amd\.com\/model\.recommended-deployments/)
  await told('old', { status: 'Ready' })
  const old = await world.list(AIMServiceTemplate, 'aim.eai.amd.com/model=old')
  assert.deepEqual(old.map(({ status }) => status?.hardwareSummary ?? '').toSorted(), ['2 x MI300X', '4 x MI300X'])
})

test('scenario 15 the secrets of a cluster model are in aim-system, and nowhere else', async (t) => {
  const { world, registry, image } = await scene(t, { auth: 'basic' })
  await world.apply(config(registry.dockerConfig()))
  await world.apply(aim(AIMClusterModel, { name: 'm' }, { image: image('amd/llama:v1'), ...withSecret }))
  const failed = await becomes(
    world,
    AIMClusterModel,
    { name: 'm' },
    {
      status: 'Failed',
      conditions: { MetadataExtracted: 'False/SecretNotFound' },
    },
  )
  assert.match(failed.message('MetadataExtracted'), /namespace aim-system/)
  await world.apply(config(registry.dockerConfig(), 'aim-system'))
  await becomes(world, AIMClusterModel, { name: 'm' }, { status: 'Ready' })
})

test('#12 #55 another image is looked at anew; its templates take the place of the former', async (t) => {
  const { world, registry, image, told } = await scene(t)
  await registry.push('amd/llama:v2', {
    labels: { ...labels, 'aim.eai.amd.com/model.name': 'meta-llama/Llama-3.1-8B' },
  })
  await world.apply(aimModel('m', { image: image('amd/llama:v1') }))
  await told('m', { status: 'Ready' })
  const before = (await world.list(AIMServiceTemplate))[0]?.metadata.name
  await world.apply(aimModel('m', { image: image('amd/llama:v2') }))
  await world.until('the metadata of v2', async () => {
    const model = await world.find(AIMModel, { namespace: 'default', name: 'm' })
    return model?.status?.imageMetadata?.model?.canonicalName === 'meta-llama/Llama-3.1-8B'
  })
  await world.until('the former template goes', async () => {
    const names = (await world.list(AIMServiceTemplate)).map(({ metadata }) => metadata.name)
    return names.length === 1 && !names.includes(before)
  })
  await told('m', { status: 'Ready' })
})

test('an image that is no reference, and a secret that cannot be read, wait for a change', async (t) => {
  const { world, image, told, clock, registry } = await scene(t)
  await world.apply(aimModel('bad', { image: 'UPPER/case:1' }))
  await told('bad', {
    status: 'Failed',
    reason: 'InvalidSpec',
    conditions: { MetadataExtracted: 'False/InvalidImageReference' },
  })
  await world.apply(config({ '.dockerconfigjson': Buffer.from('{"auths": 1}').toString('base64') }))
  await world.apply(aimModel('m', { image: image('amd/llama:v1'), ...withSecret }))
  await told('m', {
    status: 'Failed',
    conditions: { MetadataExtracted: 'False/SecretMalformed', ConfigValid: 'False/InvalidSpec' },
  })
  clock.advance(120 * minuteMs)
  await world.settled()
  assert.equal(registry.requests.length, 0)
  await world.apply(config(registry.dockerConfig()))
  await told('m', { status: 'Ready' })
})

test('#17 the reason why metadata is there does not change at a second look', async (t) => {
  const { world, image, told } = await scene(t)
  await world.apply(aimModel('m', { image: image('amd/llama:v1') }))
  await told('m', { status: 'Ready', conditions: { ImageMetadataReady: 'True/ImageMetadataFound' } })
  const first = await world.find(AIMModel, { namespace: 'default', name: 'm' })
  await world.client.patch(
    AIMModel,
    { namespace: 'default', name: 'm' },
    { type: 'merge', patch: { metadata: { labels: { touched: 'yes' } } } },
  )
  await world.settled()
  const second = await world.find(AIMModel, { namespace: 'default', name: 'm' })
  assert.deepEqual(second?.status, first?.status)
})
