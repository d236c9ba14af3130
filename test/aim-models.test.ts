/** What a user of an AIMModel is promised, seen from outside; the scenarios are those of the catalog's description. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMClusterRuntimeConfig, AIMRuntimeConfig } from '#api/aim-runtime-config.ts'
import { AIMService } from '#api/aim-service.ts'
import { AIMClusterServiceTemplate, AIMServiceTemplate } from '#api/aim-service-template.ts'
import { Job, Node } from '#api/core/kinds.ts'
import type { AnyResource } from '#machinery/meta.ts'
import type { Fetch } from '#machinery/http.ts'
import { aim, aimModel, aimService, becomes, gpuNode, mi300x, modelNamespace, recommending, secret } from './aim.ts'
import { startWorld, type World } from './world.ts'

const gpuWorld = { nodes: [gpuNode('a', '74a1')] }

async function templatesOf(world: World, model: string): Promise<AIMServiceTemplate[]> {
  const all = await world.list(AIMServiceTemplate)
  return all.filter(({ spec }) => spec.modelName === model)
}

const custom = { modelSources: [{ sourceUri: 'hf://meta-llama/Llama-3-8B' }] }
const hardware = (gpu: Record<string, unknown>) => ({ gpu })

interface Row {
  readonly spec: Record<string, unknown>
  readonly want: { readonly status: string; readonly reason: string; readonly conditions?: Record<string, string> }
  readonly templates?: number
  readonly also?: readonly AnyResource[]
}

const rows: Record<string, Row> = {
  '#25 an image whose recommendations cannot be used has no templates to wait for': {
    spec: { imageMetadata: recommending({ ...mi300x, precision: 'fp7' }) },
    want: {
      status: 'Ready',
      reason: 'AllComponentsReady',
      conditions: { ServiceTemplatesReady: 'True/NoTemplatesExpected' },
    },
    templates: 0,
  },
  'scenario 1b a template of hardware that is there is ready, and so is its model': {
    spec: { imageMetadata: recommending(mi300x) },
    want: {
      status: 'Ready',
      reason: 'AllComponentsReady',
      conditions: {
        MetadataExtracted: 'True/MetadataProvided',
        ImageMetadataReady: 'True/MetadataProvided',
        ServiceTemplatesReady: 'True/AllTemplatesReady',
        RuntimeConfigReady: 'True/DefaultConfigNotFound',
      },
    },
    templates: 1,
  },
  'scenario 3 hardware that is partly there is enough': {
    spec: { imageMetadata: recommending(mi300x, { ...mi300x, gpuModel: 'MI325X' }) },
    want: {
      status: 'Ready',
      reason: 'AllComponentsReady',
      conditions: { ServiceTemplatesReady: 'True/SomeTemplatesReady' },
    },
    templates: 2,
  },
  'scenario 5 #15 nothing extracted, nothing given: nothing to wait for': {
    spec: { discovery: { extractMetadata: false } },
    want: {
      status: 'Ready',
      reason: 'AllComponentsReady',
      conditions: {
        MetadataExtracted: 'Unknown/ExtractionDisabled',
        ImageMetadataReady: 'True/ExtractionDisabled',
        ServiceTemplatesReady: 'True/NoTemplatesExpected',
      },
    },
    templates: 0,
  },
  '#2 createTemplates false makes none': {
    spec: { imageMetadata: recommending(mi300x), discovery: { createTemplates: false } },
    want: { status: 'Ready', reason: 'AllComponentsReady' },
    templates: 0,
  },
  '#16 metadata that is given is in the status, even where nothing is extracted': {
    spec: { imageMetadata: recommending(mi300x), discovery: { extractMetadata: false, createTemplates: true } },
    want: { status: 'Ready', reason: 'AllComponentsReady' },
    templates: 1,
  },
  'scenario 8 a named runtime config that is not there': {
    spec: { runtimeConfigName: 'high-security', imageMetadata: recommending(mi300x) },
    want: {
      status: 'Failed',
      reason: 'ReferenceNotFound',
      conditions: { ConfigValid: 'False/ReferenceNotFound', RuntimeConfigReady: 'False/ConfigNotFound' },
    },
    templates: 0,
  },
  'scenario 9 a pull secret that is not there': {
    spec: { imagePullSecrets: [{ name: 'registry-credentials' }] },
    want: {
      status: 'Failed',
      reason: 'ReferenceNotFound',
      conditions: {
        MetadataExtracted: 'False/SecretNotFound',
        ImageMetadataReady: 'False/SecretNotFound',
        ConfigValid: 'False/ReferenceNotFound',
      },
    },
    templates: 0,
  },
  'a secret behind env that is not there': {
    spec: {
      imageMetadata: recommending(mi300x),
      env: [{ name: 'HF_TOKEN', valueFrom: { secretKeyRef: { name: 'nowhere', key: 'token' } } }],
    },
    want: { status: 'Failed', reason: 'ReferenceNotFound', conditions: { ConfigValid: 'False/ReferenceNotFound' } },
    templates: 0,
  },
  'scenario 24 #40 MI250 is MI250X': {
    spec: { imageMetadata: recommending({ gpuModel: 'MI250', gpuCount: 8, precision: 'fp16', metric: 'latency' }) },
    want: { status: 'NotAvailable', reason: 'NoTemplatesAvailable' },
    templates: 1,
  },
  'scenario 27 #26 profiles that differ by their id alone get a template each': {
    spec: {
      imageMetadata: recommending(
        { ...mi300x, profileId: 'vllm-mi300x-fp16-tp4-throughput' },
        { ...mi300x, profileId: 'vllm-mi300x-fp16-tp4-throughput-v2' },
        { ...mi300x, profileId: 'vllm-mi300x-fp16-tp4-throughput-v2' },
      ),
    },
    want: { status: 'Ready', reason: 'AllComponentsReady' },
    templates: 2,
  },
  '#31 a name too long for a label works': {
    spec: { imageMetadata: recommending(mi300x) },
    want: { status: 'Ready', reason: 'AllComponentsReady' },
    templates: 1,
  },
}

test('models in one world', async (t) => {
  const world = await startWorld(t, gpuWorld)
  for (const [at, [name, { spec, want, templates, also = [] }]] of Object.entries(rows).entries()) {
    const model = name.startsWith('#31') ? `m-${'x'.repeat(80)}` : `m${at}`
    await t.test(name, async () => {
      for (const object of also) await world.apply(object)
      await world.apply(aimModel(model, spec))
      await becomes(world, AIMModel, { name: model }, want)
      const object = await world.find(AIMModel, { namespace: 'default', name: model })
      assert.equal(object?.status?.observedGeneration, object?.metadata.generation, '#18')
      assert.deepEqual(object?.spec.discovery, spec['discovery'], 'the spec stays as it was written')
      if (templates !== undefined) assert.equal((await templatesOf(world, model)).length, templates)
    })
  }
  await t.test('scenario 4 given metadata is all that is told, and no label of an image', async () => {
    const image = 'registry.internal/models/llama-3-8b:v1.0.0'
    const metadata = {
      ...recommending({ ...mi300x, gpuCount: 8, precision: 'fp8', metric: 'latency' }),
      oci: { title: 'Llama 3 8B', vendor: 'Meta', licenses: 'llama3' },
    }
    await world.apply(aimModel('llama-3-8b', { image, imageMetadata: metadata }))
    await becomes(world, AIMModel, { name: 'llama-3-8b' }, { status: 'Ready' })
    const model = await world.find(AIMModel, { namespace: 'default', name: 'llama-3-8b' })
    assert.deepEqual(model?.status?.imageMetadata, metadata)
    const [template] = await templatesOf(world, 'llama-3-8b')
    assert.equal(template?.metadata.name, 'registry-internal-models-llama-3-8b-v1-0-8x-mi300x-lat-fp8-ccf9')
  })
  await t.test(
    '#13 a deployment that is no longer recommended takes its template along; #14 a copy stays',
    async () => {
      const both = recommending(mi300x, { ...mi300x, gpuCount: 8 })
      await world.apply(aimModel('shrinks', { imageMetadata: both }))
      await becomes(world, AIMModel, { name: 'shrinks' }, { status: 'Ready' })
      const [first] = await templatesOf(world, 'shrinks')
      assert.ok(first)
      const { labels, annotations, ownerReferences, namespace } = first.metadata
      const copy = { name: 'a-copy', namespace, labels, annotations, ownerReferences }
      await world.apply({ ...first, status: undefined, metadata: copy } as unknown as AnyResource)
      await world.apply(aimModel('shrinks', { imageMetadata: recommending({ ...mi300x, gpuCount: 2 }) }))
      await world.until('the former templates go', async () => {
        const names = (await templatesOf(world, 'shrinks')).map(({ metadata }) => metadata.name)
        return names.length === 2 && names.includes('a-copy')
      })
    },
  )
  await t.test('scenario 6 templates stay where making them is turned off again', async () => {
    const at = (createTemplates: boolean) =>
      aimModel('toggles', { imageMetadata: recommending(mi300x), discovery: { createTemplates } })
    await world.apply(at(false))
    await becomes(world, AIMModel, { name: 'toggles' }, { status: 'Ready' })
    assert.equal((await templatesOf(world, 'toggles')).length, 0)
    await world.apply(at(true))
    await world.until('a template', async () => (await templatesOf(world, 'toggles')).length === 1)
    await world.apply(at(false))
    await world.settled()
    assert.equal((await templatesOf(world, 'toggles')).length, 1)
  })
  await t.test('scenario 8 the runtime config that was missing heals its model', async () => {
    const name = `m${Object.keys(rows).findIndex((row) => row.startsWith('scenario 8'))}`
    await world.apply(aim(AIMClusterRuntimeConfig, { name: 'high-security' }, {}))
    await becomes(
      world,
      AIMModel,
      { name },
      { status: 'Ready', conditions: { ConfigValid: 'True/ConfigurationValid' } },
    )
  })
  await t.test('scenario 26 a secret behind env that comes heals its model', async () => {
    const name = `m${Object.keys(rows).findIndex((row) => row.startsWith('a secret behind env'))}`
    const told = await becomes(world, AIMModel, { name }, { status: 'Failed' })
    assert.equal(
      told.message('ConfigValid'),
      'Secret nowhere of env HF_TOKEN is not in namespace default; create it there',
    )
    await world.apply(secret('nowhere', { token: '' }))
    await becomes(world, AIMModel, { name }, { status: 'Ready' })
  })
  await t.test('scenario 16 the weights of a custom model are told, and no Job asks for them', async () => {
    await world.apply(
      aimModel('llama-custom', {
        image: 'ghcr.io/amd/aim-base:v1.0.0',
        ...custom,
        discovery: { extractMetadata: false },
      }),
    )
    await becomes(world, AIMModel, { name: 'llama-custom' }, { status: 'Ready' })
    const model = await world.find(AIMModel, { namespace: 'default', name: 'llama-custom' })
    assert.equal(model?.status?.sourceType, 'Custom')
    const [template] = await templatesOf(world, 'llama-custom')
    assert.equal(template?.status?.modelSources?.[0]?.modelId, 'meta-llama/Llama-3-8B')
    assert.equal(template?.spec.type, 'unoptimized')
    await becomes(
      world,
      AIMServiceTemplate,
      { name: template?.metadata.name ?? '' },
      {
        status: 'Ready',
        conditions: { Discovered: 'True/InlineModelSources' },
      },
    )
    const jobs = await world.list(Job)
    assert.equal(jobs.filter((job) => job.metadata.labels?.['aim.eai.amd.com/model'] === 'llama-custom').length, 0)
  })
  await t.test('scenario 17 each custom template has its own hardware', async () => {
    const entry = (name: string, more: Record<string, unknown> = {}) => ({ name, ...more })
    await world.apply(
      aimModel('six', {
        ...custom,
        discovery: { extractMetadata: false },
        custom: { hardware: hardware({ requests: 1, model: 'MI300X' }) },
        customTemplates: [
          entry('default-hardware'),
          entry('multi-gpu', { hardware: hardware({ requests: 2 }) }),
          entry('different-gpu', { hardware: hardware({ model: 'MI250X' }) }),
          entry('latency-optimized', { type: 'optimized', profile: { metric: 'latency', precision: 'fp16' } }),
          entry('throughput-optimized', { type: 'preview', profile: { metric: 'throughput', precision: 'fp8' } }),
          entry('minimal'),
        ],
      }),
    )
    await becomes(
      world,
      AIMModel,
      { name: 'six' },
      { status: 'Ready', conditions: { ServiceTemplatesReady: 'True/SomeTemplatesReady' } },
    )
    const templates = await templatesOf(world, 'six')
    const byAlias = new Map(
      templates.map((each) => [each.metadata.labels?.['aim.eai.amd.com/template.alias'], each.status]),
    )
    assert.equal(byAlias.get('default-hardware')?.hardwareSummary, '1 x MI300X')
    assert.equal(byAlias.get('multi-gpu')?.hardwareSummary, '2 x MI300X')
    assert.equal(byAlias.get('different-gpu')?.status, 'NotAvailable')
    assert.equal(byAlias.get('different-gpu')?.resolvedHardware?.gpu?.model, 'MI250X')
    assert.equal(byAlias.get('throughput-optimized')?.profile?.metadata?.type, 'preview')
  })
  await t.test('scenario 28 a paused model is left alone, and catches up', async () => {
    const paused = { annotations: { 'aim.eai.amd.com/reconciliation-paused': 'true' } }
    await world.apply(aimModel('paused', { imageMetadata: recommending(mi300x) }, paused))
    await world.settled()
    assert.equal((await world.find(AIMModel, { namespace: 'default', name: 'paused' }))?.status?.status, undefined)
    await world.apply(aimModel('paused', { imageMetadata: recommending(mi300x) }))
    await becomes(world, AIMModel, { name: 'paused' }, { status: 'Ready' })
  })
  await t.test('scenario 29 a template waits for its model', async () => {
    await world.apply(aim(AIMServiceTemplate, { name: 'early', namespace: 'default' }, { modelName: 'late' }))
    await becomes(
      world,
      AIMServiceTemplate,
      { name: 'early' },
      { status: 'Failed', conditions: { ModelReady: 'False/ModelNotFound' } },
    )
    await world.apply(aimModel('late', { discovery: { extractMetadata: false } }))
    await becomes(world, AIMServiceTemplate, { name: 'early' }, { status: 'Ready' })
  })
  await t.test('scenario 30 the templates of a model go with it, and those made by hand stay', async () => {
    await world.apply(aimModel('goes', { imageMetadata: recommending(mi300x) }))
    await world.apply(aim(AIMServiceTemplate, { name: 'by-hand', namespace: 'default' }, { modelName: 'goes' }))
    await becomes(world, AIMModel, { name: 'goes' }, { status: 'Ready' })
    await world.client.delete(AIMModel, { namespace: 'default', name: 'goes' })
    await becomes(world, AIMServiceTemplate, { name: 'by-hand' }, { status: 'Failed', reason: 'ReferenceNotFound' })
    await world.until('its own template goes', async () => (await templatesOf(world, 'goes')).length === 1)
  })
  await t.test('#59 a template of the namespace may be of a model of the cluster', async () => {
    await world.apply(
      aim(AIMClusterModel, { name: 'shared' }, { image: 'ghcr.io/amd/x:1', discovery: { extractMetadata: false } }),
    )
    await world.apply(aim(AIMServiceTemplate, { name: 'of-shared', namespace: 'default' }, { modelName: 'shared' }))
    await becomes(world, AIMServiceTemplate, { name: 'of-shared' }, { status: 'Ready' })
    const template = await world.find(AIMServiceTemplate, { namespace: 'default', name: 'of-shared' })
    assert.equal(template?.status?.resolvedModel?.scope, 'Cluster')
  })
  await t.test('#44 #63 a second look changes nothing and tells nothing anew', async () => {
    await world.settled()
    const before = await world.client.list(AIMModel)
    await world.client.patch(
      Node,
      { name: 'a' },
      { type: 'merge', patch: { metadata: { annotations: { touched: 'yes' } } } },
    )
    await world.settled()
    const after = await world.client.list(AIMModel)
    const versions = (list: typeof before) => list.items.map(({ metadata }) => metadata.resourceVersion)
    assert.deepEqual(versions(after), versions(before))
  })
})

test('#70 templates of a model of the same name in another namespace do not count', async (t) => {
  const world = await startWorld(t, gpuWorld)
  await world.apply(modelNamespace('other'))
  await world.apply(
    aimModel('m', { imageMetadata: recommending({ ...mi300x, gpuModel: 'MI210' }) }, { namespace: 'other' }),
  )
  await world.apply(aimModel('m', { imageMetadata: recommending(mi300x) }))
  await becomes(world, AIMModel, { namespace: 'other', name: 'm' }, { status: 'NotAvailable' })
  const told = await becomes(world, AIMModel, { name: 'm' }, { status: 'Ready' })
  assert.equal(told.message('ServiceTemplatesReady'), '1 templates: 1 Ready')
})

test('#29 what somebody else writes into a template is put right', async (t) => {
  const world = await startWorld(t, gpuWorld)
  await world.apply(aimModel('m', { imageMetadata: recommending(mi300x), imagePullSecrets: [] }))
  await becomes(world, AIMModel, { name: 'm' }, { status: 'Ready' })
  const [template] = await templatesOf(world, 'm')
  const place = { namespace: 'default', name: template?.metadata.name ?? '' }
  await world.client.patch(AIMServiceTemplate, place, {
    type: 'merge',
    patch: { spec: { imagePullSecrets: [{ name: 'mine' }] } },
  })
  await world.until('it is ours again', async () => {
    return (await world.find(AIMServiceTemplate, place))?.spec.imagePullSecrets?.length === 0
  })
})

test('#30 a template that is refused costs no other', async (t) => {
  const refusing: (fetch: Fetch) => Fetch = (fetch) => async (request) => {
    const isRefused = request.method === 'PATCH' && /aimservicetemplates\/[^/]*mi210/.test(request.url)
    if (!isRefused) return fetch(request)
    return Response.json(
      { kind: 'Status', status: 'Failure', reason: 'Forbidden', code: 403, message: 'no MI210 here' },
      { status: 403 },
    )
  }
  const world = await startWorld(t, { ...gpuWorld, between: refusing })
  const deployments = ['MI100', 'MI210', 'MI300X'].map((gpuModel) => ({ ...mi300x, gpuModel }))
  await world.apply(aimModel('m', { imageMetadata: recommending(...deployments) }))
  const told = await becomes(world, AIMModel, { name: 'm' }, { status: 'Degraded', reason: 'TemplateWriteFailed' })
  assert.match(told.message('Ready'), /no MI210 here/)
  assert.equal((await templatesOf(world, 'm')).length, 2)
})

for (const { kind, templates } of [
  { kind: AIMModel, templates: AIMServiceTemplate },
  { kind: AIMClusterModel, templates: AIMClusterServiceTemplate },
]) {
  test(`scenario 18 the template of a former image stays while a service uses it, marked: ${kind.kind}`, async (t) => {
    const world = await startWorld(t, gpuWorld)
    const namespace = kind.namespaced ? { namespace: 'default' } : {}
    const at = (image: string) =>
      aim(kind, { name: 'llama-3-8b', ...namespace }, { image, imageMetadata: recommending(mi300x) })
    await world.apply(at('ghcr.io/amd/llama-3-8b:v1.0.0'))
    const former = { ...namespace, name: 'ghcr-io-amd-llama-3-8b-v1-0-0-4x-mi300x-thr-fp16-da3a' }
    await becomes(world, templates, former, { status: 'Ready' })
    await world.apply(aimService('chat', { model: { name: 'llama-3-8b' } }))
    await becomes(world, AIMService, { name: 'chat' }, { status: 'Running' })
    await world.apply(at('ghcr.io/amd/llama-3-8b:v2.0.0'))
    const next = { ...namespace, name: 'ghcr-io-amd-llama-3-8b-v2-0-0-4x-mi300x-thr-fp16-52e7' }
    await becomes(world, templates, next, { status: 'Ready' })
    await world.until('the former is marked', async () => {
      const template = await world.find(templates, former)
      assert.ok(template)
      return template.metadata.annotations?.['aim.eai.amd.com/stale'] === 'true'
    })
    await world.client.delete(AIMService, { namespace: 'default', name: 'chat' })
    await world.until('the former goes', async () => (await world.find(templates, former)) === undefined)
  })
}

test('scenario 7 #20 #21 discovery is turned off for all, and on again for a namespace', async (t) => {
  const world = await startWorld(t, gpuWorld)
  const config = (kind: typeof AIMRuntimeConfig, autoDiscovery: boolean, namespace?: string) =>
    aim(kind, { name: 'default', ...(namespace !== undefined && { namespace }) }, { model: { autoDiscovery } })
  await world.apply(config(AIMClusterRuntimeConfig, false))
  await world.apply(aimModel('quiet', { imageMetadata: recommending(mi300x) }))
  await becomes(
    world,
    AIMModel,
    { name: 'quiet' },
    { status: 'Ready', conditions: { ServiceTemplatesReady: 'True/NoTemplatesExpected' } },
  )
  await world.apply(aimModel('asks', { imageMetadata: recommending(mi300x), discovery: { createTemplates: true } }))
  await becomes(world, AIMModel, { name: 'asks' }, { conditions: { ServiceTemplatesReady: 'True/AllTemplatesReady' } })
  await world.apply(config(AIMRuntimeConfig, true, 'default'))
  await becomes(world, AIMModel, { name: 'quiet' }, { conditions: { ServiceTemplatesReady: 'True/AllTemplatesReady' } })
  const model = await world.find(AIMModel, { namespace: 'default', name: 'quiet' })
  assert.equal(model?.status?.resolvedRuntimeConfig?.scope, 'Merged', '#19')
  await becomes(world, AIMClusterRuntimeConfig, { name: 'default' }, { conditions: { Ready: 'True/Valid' } })
})

async function label(world: World, value: string | null): Promise<void> {
  const patch = { metadata: { labels: { 'amd.com/gpu.device-id': value } } }
  await world.client.patch(Node, { name: 'a' }, { type: 'merge', patch })
}

test('scenarios 2 and 20 #54 templates follow the GPUs of nodes as they come and go', async (t) => {
  const world = await startWorld(t, { nodes: [gpuNode('a')] })
  await world.apply(aimModel('llama', { imageMetadata: recommending(mi300x) }))
  await world.apply(
    aim(AIMClusterModel, { name: 'llama' }, { image: 'ghcr.io/amd/x:1', imageMetadata: recommending(mi300x) }),
  )
  await becomes(
    world,
    AIMModel,
    { name: 'llama' },
    {
      status: 'NotAvailable',
      reason: 'NoTemplatesAvailable',
      conditions: { ServiceTemplatesReady: 'False/NoTemplatesAvailable' },
    },
  )
  assert.equal((await world.list(Job)).length, 0)
  const [waiting] = await world.list(AIMServiceTemplate)
  assert.equal(waiting?.status?.hardwareSummary, '4 x MI300X', 'what it wants is told while it is not there')
  await label(world, '74a1')
  await becomes(world, AIMModel, { name: 'llama' }, { status: 'Ready' })
  await becomes(
    world,
    AIMClusterModel,
    { name: 'llama' },
    { status: 'Ready', conditions: { ClusterServiceTemplatesReady: 'True/AllTemplatesReady' } },
  )
  const jobs = (await world.list(Job)).length
  await label(world, null)
  const sinceMs = performance.now()
  await becomes(world, AIMModel, { name: 'llama' }, { status: 'NotAvailable' })
  assert.ok(performance.now() - sinceMs < 2_000)
  const [gone] = await world.list(AIMServiceTemplate)
  assert.equal(gone?.status?.profile?.metadata?.gpu, 'MI300X', 'the profile stays')
  await label(world, '74a1')
  await becomes(world, AIMModel, { name: 'llama' }, { status: 'Ready' })
  await world.settled()
  assert.equal((await world.list(Job)).length, jobs, 'nobody asks anew')
  assert.equal((await world.list(AIMClusterServiceTemplate)).length, 1)
})
