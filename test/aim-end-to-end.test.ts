/** From a private image to a streamed answer: a model, its templates, a service, and a client at the router. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMService } from '#api/aim-service.ts'
import { AIMServiceTemplate } from '#api/aim-service-template.ts'
import { Job, Namespace, Pod } from '#api/core/kinds.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { aim, aimModel, aimService, gpuNode } from './aim.ts'
import { startClients } from './asking.ts'
import { startRegistry } from './registry.ts'
import { startWorld, type World } from './world.ts'

const labels = {
  'aim.eai.amd.com/model.name': 'meta-llama/Llama-3-8B',
  'aim.eai.amd.com/model.recommended-deployments':
    '[{"gpuModel": "MI300X", "gpuCount": 4, "precision": "fp16", "metric": "throughput"}]',
}

function secret(name: string, namespace: string, type: string, data: Record<string, string>): AnyResource {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type, data }
}

const token = { HF_TOKEN: Buffer.from('a-token').toString('base64') }
const env = [{ name: 'HF_TOKEN', valueFrom: { secretKeyRef: { name: 'hf-credentials', key: 'HF_TOKEN' } } }]

async function credentials(world: World, namespace: string, config: Record<string, string>): Promise<void> {
  await world.apply(secret('registry-credentials', namespace, 'kubernetes.io/dockerconfigjson', config))
  await world.apply(secret('hf-credentials', namespace, 'Opaque', token))
}

test('a private image becomes a model, templates, a service and a streamed answer', async (t) => {
  await using registry = await startRegistry({ auth: 'token' })
  await registry.push('amd/llama-3-8b:v1.0.0', { labels })
  const world = await startWorld(t, { nodes: [gpuNode('a', '74a1')] })
  await credentials(world, 'default', registry.dockerConfig())
  const imagePullSecrets = [{ name: 'registry-credentials' }]
  await world.apply(aimModel('llama', { image: `${registry.host}/amd/llama-3-8b:v1.0.0`, imagePullSecrets, env }))
  await world.condition(AIMModel, 'llama', 'Ready')
  const [template] = await world.list(AIMServiceTemplate, 'aim.eai.amd.com/model=llama')
  assert.equal(template?.status?.hardwareSummary, '4 x MI300X')
  await world.apply(aimService('chat', { model: { name: 'llama' } }))
  await world.condition(AIMService, 'chat', 'Ready')
  const clients = await startClients(t, world)
  const { text } = await clients.answered('chat')
  assert.ok(text.length > 0)

  const [job] = await world.list(Job)
  const [pod] = await world.list(Pod, 'aim.eai.amd.com/service=chat')
  for (const spec of [job?.spec?.template.spec, pod?.spec]) {
    assert.deepEqual(spec?.imagePullSecrets, imagePullSecrets)
    assert.deepEqual(
      spec?.containers[0]?.env?.find(({ name }) => name === 'HF_TOKEN'),
      env[0],
    )
  }
  const service = await world.find(AIMService, { namespace: 'default', name: 'chat' })
  assert.equal(service?.status?.status, 'Running')
  assert.equal(service?.status?.templateCandidates?.[0]?.reason, 'BestMatch')
})

test('the template of a cluster model serves a service in another namespace', async (t) => {
  await using registry = await startRegistry({ auth: 'basic' })
  await registry.push('amd/llama-3-8b:v1.0.0', { labels })
  const world = await startWorld(t, { nodes: [gpuNode('a', '74a1')] })
  await world.apply({ apiVersion: apiVersionOf(Namespace), kind: 'Namespace', metadata: { name: 'team-b' } })
  for (const namespace of ['aim-system', 'team-b']) await credentials(world, namespace, registry.dockerConfig())
  const image = `${registry.host}/amd/llama-3-8b:v1.0.0`
  const imagePullSecrets = [{ name: 'registry-credentials' }]
  await world.apply(aim(AIMClusterModel, { name: 'llama' }, { image, imagePullSecrets, env }))
  await world.apply(aimService('chat', { model: { image } }, { namespace: 'team-b' }))
  const running = await world.until('the service runs', async () => {
    const service = await world.find(AIMService, { namespace: 'team-b', name: 'chat' })
    return service?.status?.status === 'Running' && service
  })
  assert.deepEqual(
    [running.status?.resolvedModel?.scope, running.status?.resolvedTemplate?.scope],
    ['Cluster', 'Cluster'],
  )
  const [job] = await world.list(Job)
  assert.equal(job?.metadata.namespace, 'aim-system')
  const clients = await startClients(t, world)
  await clients.answered('chat')
})
