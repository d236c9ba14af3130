/** The examples of the catalog do what they say. Images come from a registry that stands for those that they name. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { AIMClusterModelSource } from '#api/aim-cluster-model-source.ts'
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMClusterRuntimeConfig } from '#api/aim-runtime-config.ts'
import { AIMService } from '#api/aim-service.ts'
import { readDocuments } from '#cli/documents.ts'
import type { Kind } from '#machinery/kind.ts'
import { becomes, gpuNode } from './aim.ts'
import { startClients } from './asking.ts'
import { startRegistry } from './registry.ts'
import { kindOf } from './tools.ts'
import { startWorld, type World } from './world.ts'

const root = join(import.meta.dirname, '../examples/aim')

const labels = {
  'aim.eai.amd.com/model.name': 'meta-llama/Llama-3-8B',
  'aim.eai.amd.com/model.family': 'llama',
  'org.opencontainers.image.title': 'Llama 3 8B',
  'org.opencontainers.image.licenses': 'llama3',
  'aim.eai.amd.com/model.recommended-deployments':
    '[{"gpuModel": "MI300X", "gpuCount": 4, "precision": "fp16", "metric": "throughput"}]',
}

async function startScene(t: TestContext): Promise<World> {
  const registry = await startRegistry()
  t.after(() => registry[Symbol.asyncDispose]())
  await registry.push('amd/llama-3-8b:v1.0.0', { labels })
  await registry.push('amd/aim-base:v1.0.0', {})
  await registry.push('models/llama-3-8b:v1.0.0', { labels })
  const location = `http://${registry.host}`
  const rules = ['ghcr.io', 'private-registry.example.com'].map((prefix) => ({ prefix, location }))
  return startWorld(t, { nodes: [gpuNode('a', '74a1')], catalog: { registries: { rules } } })
}

interface Example {
  readonly kind: Kind
  readonly name?: string
  readonly conditions: Readonly<Record<string, string>>
}

const read = { MetadataExtracted: 'True/MetadataExtracted', ImageMetadataReady: 'True/ImageMetadataFound' }
const all = { ServiceTemplatesReady: 'True/AllTemplatesReady' }
const model = (conditions: Readonly<Record<string, string>>): Example => ({ kind: AIMModel, conditions })
const examples: Record<string, Example> = {
  'air-gapped.yaml': model({ MetadataExtracted: 'True/MetadataProvided', ...all }),
  'cluster-model.yaml': {
    kind: AIMClusterModel,
    conditions: { ...read, ClusterServiceTemplatesReady: 'True/AllTemplatesReady' },
  },
  'cluster-runtime-config.yaml': {
    kind: AIMClusterRuntimeConfig,
    name: 'default',
    conditions: { Ready: 'True/Valid' },
  },
  'custom-templates.yaml': model({ ImageMetadataReady: 'True/ImageFound', ...all }),
  'discovery.yaml': model({ ...read, ServiceTemplatesReady: 'True/NoTemplatesExpected' }),
  'environment-from-secret.yaml': model({ ...read, ...all }),
  'model-source.yaml': {
    kind: AIMClusterModelSource,
    name: 'amd',
    conditions: { FiltersReady: 'True/AllFiltersSucceeded', MaxModelsLimitReached: 'False/WithinLimit' },
  },
  'model-sources.yaml': model({ ImageMetadataReady: 'True/ImageFound', ...all }),
  'model.yaml': model({ ...read, ...all }),
  'named-runtime-config.yaml': model({
    RuntimeConfigReady: 'True/ConfigFound',
    MetadataExtracted: 'Unknown/ExtractionDisabled',
    ServiceTemplatesReady: 'True/NoTemplatesExpected',
  }),
  'private-registry.yaml': model({ ...read, ...all }),
  'service.yaml': model(all),
}

test('every example applies as it is and comes to what it says', async (t) => {
  const world = await startScene(t)
  assert.deepEqual(readdirSync(root).sort(), Object.keys(examples).sort())
  for (const [file, { kind, name = 'llama-3-8b', conditions }] of Object.entries(examples)) {
    const namespace = `example-${file.replace('.yaml', '')}`
    await t.test(file, async () => {
      await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
      for (const { object } of readDocuments([join(root, file)])) {
        const { namespaced } = kindOf(object)
        const place = namespaced ? { namespace: object.metadata.namespace ?? namespace } : {}
        await world.apply({ ...object, metadata: { ...object.metadata, ...place } })
      }
      await becomes(
        world,
        kind,
        { namespace, name },
        {
          conditions: {
            Ready: 'True/AllComponentsReady',
            ...conditions,
            ...(kind.kind === 'AIMClusterRuntimeConfig' && { Ready: 'True/Valid' }),
          },
        },
      )
    })
  }
  await t.test('the service answers through the router, and says why it runs as it does', async () => {
    const place = { namespace: 'example-service', name: 'chat' }
    await becomes(world, AIMService, place, { status: 'Running' })
    const service = await world.find(AIMService, place)
    assert.deepEqual(
      service?.status?.templateCandidates?.map(({ rank, reason }) => `${rank} ${reason}`),
      ['1 BestMatch', '2 LowerPreferenceRank'],
    )
    assert.match(service?.status?.templateCandidates?.[0]?.message ?? '', /8 x MI300X, latency, fp8/)
    const clients = await startClients(t, world)
    await clients.answered('chat')
  })
})

test('the labels of an image alone are all told in the status', async (t) => {
  const world = await startScene(t)
  for (const { object } of readDocuments([join(root, 'model.yaml')])) {
    await world.apply({ ...object, metadata: { ...object.metadata, namespace: 'default' } })
  }
  await becomes(world, AIMModel, { name: 'llama-3-8b' }, { status: 'Ready' })
  const found = await world.find(AIMModel, { namespace: 'default', name: 'llama-3-8b' })
  const { model: told, oci, originalLabels } = found?.status?.imageMetadata ?? {}
  assert.equal(told?.canonicalName, 'meta-llama/Llama-3-8B')
  assert.equal(told?.family, 'llama')
  assert.deepEqual(told?.recommendedDeployments, [
    { gpuModel: 'MI300X', gpuCount: 4, precision: 'fp16', metric: 'throughput' },
  ])
  assert.deepEqual([oci?.title, oci?.licenses], ['Llama 3 8B', 'llama3'])
  assert.deepEqual(originalLabels, labels)
  assert.match(found?.status?.inspection?.resolvedDigest ?? '', /^sha256:/)
})
