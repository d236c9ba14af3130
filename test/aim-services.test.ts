/** What a user of an AIMService is promised, seen from outside. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMService } from '#api/aim-service.ts'
import { AIMServiceTemplate } from '#api/aim-service-template.ts'
import { Node } from '#api/core/kinds.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServing } from '#api/model-serving.ts'
import { aim, aimModel, aimService, becomes, gpuNode, mi300x, modelNamespace, recommending } from './aim.ts'
import { startWorld } from './world.ts'

const given = { imageMetadata: recommending(mi300x) }
const place = (name: string) => ({ namespace: 'default', name })

test('a service of a model by its name waits, starts and runs', async (t) => {
  const world = await startWorld(t, { nodes: [gpuNode('a')] })
  await world.apply(aimService('chat', { model: { name: 'llama' } }))
  const failed = await becomes(world, AIMService, { name: 'chat' }, { status: 'Failed', reason: 'ReferenceNotFound' })
  assert.match(failed.message('ModelReady'), /no AIMModel llama in namespace default/)
  await world.apply(aimModel('llama', given))
  const waiting = await becomes(world, AIMService, { name: 'chat' }, { status: 'Pending' })
  assert.equal(waiting.conditions['TemplateReady']?.startsWith('False'), true)
  await becomes(world, AIMService, { name: 'chat' }, { conditions: { TemplateReady: 'False/TemplateNotReady' } })
  await world.client.patch(
    Node,
    { name: 'a' },
    { type: 'merge', patch: { metadata: { labels: { 'amd.com/gpu.device-id': '74a1' } } } },
  )
  await becomes(
    world,
    AIMService,
    { name: 'chat' },
    {
      status: 'Running',
      conditions: {
        ModelReady: 'True/ModelFound',
        TemplateReady: 'True/TemplateFound',
        RuntimeReady: 'True/RuntimeReady',
        RoutingReady: 'True/ModelRouteConfigured',
      },
    },
  )
  const service = await world.find(AIMService, place('chat'))
  assert.equal(service?.status?.runtime?.replicas, '1')
  assert.deepEqual(service?.status?.routing, { path: '/v1', modelName: 'chat' })
  const serving = await world.find(ModelServing, place('chat-aim'))
  const pod = serving?.spec.template.roles[0]?.entryTemplate.spec
  assert.deepEqual(pod?.containers[0]?.resources, {
    requests: { cpu: '16', memory: '128Gi', 'amd.com/gpu': '4' },
    limits: { memory: '192Gi', 'amd.com/gpu': '4' },
  })
})

test('a service of an image makes the model that nobody has made, and one of a template by name takes that', async (t) => {
  // Nobody listens there: no test asks a registry of the world.
  const rules = [{ prefix: 'docker.io', location: 'http://127.0.0.1:1' }]
  const world = await startWorld(t, { nodes: [gpuNode('a', '74a1')], catalog: { registries: { rules } } })
  await world.apply(aimService('made', { model: { image: 'amdenterpriseai/aim-qwen-qwen3-32b:0.8.5' } }))
  await world.until('its model', () => world.find(AIMModel, place('aim-qwen-qwen3-32b-0-8-5-cdc1fb22')))
  await becomes(world, AIMService, { name: 'made' }, { status: 'Pending' })

  await world.apply(aimModel('llama', { imageMetadata: recommending(mi300x, { ...mi300x, gpuCount: 8 }) }))
  const [, other] = await world.until('two templates', async () => {
    const found = (await world.list(AIMServiceTemplate)).filter(({ spec }) => spec.modelName === 'llama')
    return found.length === 2 && found
  })
  const name = other?.metadata.name ?? ''
  await world.apply(aimService('named', { model: { name: 'llama' }, templateName: name }))
  await becomes(world, AIMService, { name: 'named' }, { status: 'Running' })
  assert.equal((await world.find(AIMService, place('named')))?.status?.resolvedTemplate?.name, name)
  await world.apply(aimService('tie', { model: { name: 'llama' } }))
  const tie = await becomes(
    world,
    AIMService,
    { name: 'tie' },
    { status: 'Failed', conditions: { TemplateReady: 'False/TemplateSelectionAmbiguous' } },
  )
  assert.match(tie.message('TemplateReady'), /spec\.template\.name/)
})

test('a service keeps its template until it asks for something that the template has not', async (t) => {
  const world = await startWorld(t, { nodes: [gpuNode('a', '74a1')] })
  const precisions = (...names: string[]) =>
    aimModel('llama', { imageMetadata: recommending(...names.map((precision) => ({ ...mi300x, precision }))) })
  const service = (overrides: object) => aimService('chat', { model: { name: 'llama' }, ...overrides })
  const runsWith = (precision: string) =>
    world.until(`it runs with ${precision}`, async () => {
      const { status } = (await world.find(AIMService, place('chat'))) ?? {}
      const env = (await world.find(ModelServing, place('chat-aim')))?.spec.template.roles[0]?.entryTemplate.spec
        .containers[0]?.env
      return (
        status?.status === 'Running' &&
        status.resolvedTemplate?.name?.includes(precision) === true &&
        env?.find(({ name }) => name === 'AIM_PRECISION')?.value === precision
      )
    })
  await world.apply(precisions('fp16'))
  await world.apply(service({}))
  await runsWith('fp16')
  await world.apply(precisions('fp8', 'fp16'))
  await world.until('a better one is ready', async () => {
    const ready = (await world.list(AIMServiceTemplate)).filter(({ status }) => status?.status === 'Ready')
    return ready.length === 2
  })
  await world.settled()
  await runsWith('fp16')
  await world.apply(service({ overrides: { precision: 'fp8' } }))
  await runsWith('fp8')
  await world.apply(service({ overrides: { precision: 'fp4' } }))
  const none = await becomes(world, AIMService, { name: 'chat' }, { status: 'Degraded' })
  assert.match(none.message('TemplateReady'), /spec\.overrides asks for precision fp4/)
  assert.ok(await world.find(ModelServing, place('chat-aim')), 'what runs goes on')
})

test('scenario 19 #60 of an image in both scopes the namespace’s model is served, by any spelling of the image', async (t) => {
  const world = await startWorld(t, { nodes: [gpuNode('a', '74a1')] })
  await world.apply(modelNamespace('other'))
  await world.apply(aim(AIMClusterModel, { name: 'shared-llama' }, { image: 'docker.io/amd/llama:1', ...given }))
  await world.apply(aimModel('llama-3-8b', { image: 'amd/llama:1', ...given }))
  await world.apply(aimService('here', { model: { image: 'index.docker.io/amd/llama:1' } }))
  await world.apply(aimService('there', { model: { image: 'amd/llama:1' } }, { namespace: 'other' }))
  await becomes(world, AIMService, { name: 'here' }, { status: 'Running' })
  await becomes(world, AIMService, { namespace: 'other', name: 'there' }, { status: 'Running' })
  const here = await world.find(AIMService, place('here'))
  const there = await world.find(AIMService, { namespace: 'other', name: 'there' })
  assert.deepEqual([here?.status?.resolvedModel?.scope, here?.status?.resolvedModel?.name], ['Namespace', 'llama-3-8b'])
  assert.deepEqual(
    [there?.status?.resolvedModel?.scope, there?.status?.resolvedTemplate?.scope],
    ['Cluster', 'Cluster'],
  )
})

test('a route is taken away and named anew as the service says', async (t) => {
  const world = await startWorld(t, { nodes: [gpuNode('a', '74a1')] })
  await world.apply(aimModel('llama', given))
  const service = (spec: object, annotations: Record<string, string> = {}) =>
    aimService('chat', { model: { name: 'llama' }, ...spec }, { annotations })
  await world.apply(service({}))
  await becomes(world, AIMService, { name: 'chat' }, { status: 'Running' })
  await world.apply(service({}, { 'aim.eai.amd.com/route-model-name': 'talk' }))
  await world.until(
    'the new name',
    async () => (await world.find(ModelRoute, place('chat')))?.spec.modelName === 'talk',
  )
  await world.apply(service({ routing: { enabled: false } }))
  await world.until('no route', async () => (await world.find(ModelRoute, place('chat'))) === undefined)
  await becomes(world, AIMService, { name: 'chat' }, { status: 'Running' })
})

test('a service keeps its hands off what somebody else has made', async (t) => {
  const world = await startWorld(t, { nodes: [gpuNode('a', '74a1')] })
  await world.apply({
    apiVersion: 'networking.serving.volcano.sh/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name: 'chat', namespace: 'default' },
    spec: { modelName: 'mine', rules: [{ name: 'default', targetModels: [{ modelServerName: 'mine' }] }] },
  })
  await world.apply(aimModel('llama', given))
  await world.apply(aimService('chat', { model: { name: 'llama' } }))
  await becomes(
    world,
    AIMService,
    { name: 'chat' },
    { status: 'Failed', conditions: { RoutingReady: 'False/NameConflict' } },
  )
  assert.equal((await world.find(ModelRoute, place('chat')))?.spec.modelName, 'mine')
})

test('all children whose names are taken are told together', async (t) => {
  const world = await startWorld(t, { nodes: [gpuNode('a', '74a1')] })
  await world.apply({
    apiVersion: 'networking.serving.volcano.sh/v1alpha1',
    kind: 'ModelServer',
    metadata: { name: 'chat-aim', namespace: 'default' },
    spec: {
      inferenceEngine: 'vLLM',
      workloadSelector: { matchLabels: { app: 'mine' } },
      workloadPort: { port: 8000 },
    },
  })
  await world.apply({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'chat-aim-predictor', namespace: 'default' },
    spec: { selector: { app: 'mine' }, ports: [{ port: 80 }] },
  })
  await world.apply(aimModel('llama', given))
  await world.apply(aimService('chat', { model: { name: 'llama' } }))
  const conditions = { ChildrenWritten: 'False/NameConflict' }
  const failed = await becomes(world, AIMService, { name: 'chat' }, { status: 'Failed', conditions })
  assert.match(failed.message('ChildrenWritten'), /ModelServer chat-aim: .*; Service chat-aim-predictor: /)
})
