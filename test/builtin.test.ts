import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  ClusterRole,
  ConfigMap,
  coreKinds,
  CustomResourceDefinition,
  Namespace,
  Node,
  PersistentVolumeClaim,
  Pod,
  Secret,
} from '#api/core/kinds.ts'
import { isFault } from '#base/fault.ts'
import { acceptsAllAnnotation } from '#kube/local-node.ts'
import type { Kind } from '#machinery/kind.ts'
import type { OwnerReference, Resource } from '#machinery/meta.ts'
import { startGarbageCollector } from '#embedded/builtin/garbage-collector.ts'
import { createKindSet } from '#embedded/builtin/kind-set.ts'
import type { Informers } from '#kube/informer.ts'
import { type BareApi, bareApi, until } from './bare-api.ts'
import { gizmoDefinition } from './suites/api-target.ts'

const namespace = 'default'

async function world(t: TestContext, run: (api: BareApi) => Promise<void>): Promise<void> {
  await using api = await bareApi()
  {
    await using builtin = await api.startBuiltin()
    await until(t, 'start', () => builtin.idle())
    await run(api)
  }
  assert.deepEqual(api.bugs, [])
}

function configMap(name: string, owners: readonly OwnerReference[] = []): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace, ownerReferences: [...owners] } }
}

function ownedBy({ kind, metadata }: Resource, block = false): OwnerReference {
  return { apiVersion: 'v1', kind, name: metadata.name ?? '', uid: metadata.uid ?? '', blockOwnerDeletion: block }
}

async function isThere(
  api: BareApi,
  kind: Kind,
  name: string,
  within: string | undefined = namespace,
): Promise<boolean> {
  try {
    await api.client.get(kind, { namespace: within, name })
    return true
  } catch (error) {
    if (isFault(error, 'missing')) return false
    throw error
  }
}

test('dependents follow their owner, through generations and kinds', (t) =>
  world(t, async (api) => {
    const owner = await api.client.create(ConfigMap, configMap('owner'))
    const secret: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'child', namespace, ownerReferences: [ownedBy(owner)] },
    }
    const child = await api.client.create(Secret, secret)
    await api.client.create(ConfigMap, configMap('grandchild', [ownedBy(child)]))
    await api.client.create(ConfigMap, configMap('stranger'))
    await api.client.delete(ConfigMap, { namespace, name: 'owner' }, { propagationPolicy: 'Background' })
    await until(t, 'the grandchild gone', async () => !(await isThere(api, ConfigMap, 'grandchild')))
    assert.equal(await isThere(api, Secret, 'child'), false)
    assert.equal(await isThere(api, ConfigMap, 'stranger'), true)
  }))

test('an object whose owner never was, or has another uid by now, is deleted', (t) =>
  world(t, async (api) => {
    const owner = await api.client.create(ConfigMap, configMap('owner'))
    await api.client.create(ConfigMap, configMap('late', [{ ...ownedBy(owner), uid: 'the uid of a former one' }]))
    await until(t, 'it gone', async () => !(await isThere(api, ConfigMap, 'late')))
    assert.equal(await isThere(api, ConfigMap, 'owner'), true)
  }))

test('an owner of a kind that nobody serves keeps its dependents', (t) =>
  world(t, async (api) => {
    const owner = { apiVersion: 'unknown.dev/v1', kind: 'Unknown', name: 'x', uid: 'some' }
    await api.client.create(ConfigMap, configMap('kept', [owner]))
    const gone = await api.client.create(
      ConfigMap,
      configMap('gone', [{ ...ownedBy(configMap('nobody')), uid: 'none' }]),
    )
    await until(t, 'the other gone', async () => !(await isThere(api, ConfigMap, gone.metadata.name ?? '')))
    assert.equal(await isThere(api, ConfigMap, 'kept'), true)
  }))

test('a cluster-scoped object whose owner is said to be in some namespace is kept', (t) =>
  world(t, async (api) => {
    const owner = await api.client.create(ConfigMap, configMap('owner'))
    const role = (name: string, owners: OwnerReference[]): ClusterRole => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRole',
      metadata: { name, ownerReferences: owners },
      rules: [],
    })
    await api.client.create(ClusterRole, role('kept', [ownedBy(owner)]))
    const former = { apiVersion: 'v1', kind: 'Namespace', name: 'former', uid: 'some' }
    await api.client.create(ClusterRole, role('gone', [former]))
    await until(t, 'the other gone', async () => !(await isThere(api, ClusterRole, 'gone', undefined)))
    assert.equal(await isThere(api, ClusterRole, 'kept', undefined), true)
  }))

test('dependents follow their owner also while a kind is yet to be listed', async (t) => {
  await using api = await bareApi()
  let isListed = true
  const informers: Informers = {
    of: (kind) => {
      const informer = api.informers.of(kind)
      if (kind.kind !== Secret.kind) return informer
      return new Proxy(informer, {
        get: (target, name) =>
          name === 'hasSynced' ? () => isListed : (target[name as keyof typeof target] as () => void).bind(target),
      })
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const kinds = createKindSet(informers, coreKinds)
  await using collector = startGarbageCollector({ ...api, informers }, kinds)
  await Promise.all(kinds.all().map((kind) => informers.of(kind).synced()))
  collector.start()
  const owner = await api.client.create(ConfigMap, configMap('owner'))
  await api.client.create(ConfigMap, configMap('child', [ownedBy(owner)]))
  const sees = (name: string) => informers.of(ConfigMap).get({ namespace, name }) !== undefined
  await until(t, 'both seen', () => sees('owner') && sees('child') && collector.idle())
  isListed = false
  await api.client.delete(ConfigMap, { namespace, name: 'owner' })
  await until(t, 'the child gone', async () => !(await isThere(api, ConfigMap, 'child')))
  assert.deepEqual(api.bugs, [])
})

test('a dependent of two owners outlives one of them, and forgets it', (t) =>
  world(t, async (api) => {
    const [one, two] = await Promise.all(['one', 'two'].map((name) => api.client.create(ConfigMap, configMap(name))))
    assert.ok(one !== undefined && two !== undefined)
    await api.client.create(ConfigMap, configMap('shared', [ownedBy(one), ownedBy(two)]))
    await api.client.delete(ConfigMap, { namespace, name: 'one' })
    const owners = async () => (await api.client.get(ConfigMap, { namespace, name: 'shared' })).metadata.ownerReferences
    await until(t, 'the reference gone', async () => (await owners())?.length === 1)
    assert.equal((await owners())?.[0]?.name, 'two')
  }))

test('in the foreground the owner goes last', (t) =>
  world(t, async (api) => {
    const owner = await api.client.create(ConfigMap, configMap('owner'))
    const child = configMap('child', [ownedBy(owner, true)])
    child.metadata.finalizers = ['test.dev/hold']
    await api.client.create(ConfigMap, child)
    await api.client.delete(ConfigMap, { namespace, name: 'owner' }, { propagationPolicy: 'Foreground' })
    const childMeta = async () => (await api.client.get(ConfigMap, { namespace, name: 'child' })).metadata
    await until(t, 'the child being deleted', async () => (await childMeta()).deletionTimestamp !== undefined)
    assert.equal(await isThere(api, ConfigMap, 'owner'), true)
    const patch = { metadata: { finalizers: [] } }
    await api.client.patch(ConfigMap, { namespace, name: 'child' }, { type: 'merge', patch })
    await until(t, 'the owner gone', async () => !(await isThere(api, ConfigMap, 'owner')))
    assert.equal(await isThere(api, ConfigMap, 'child'), false)
  }))

test('orphaned dependents live on without their owner', (t) =>
  world(t, async (api) => {
    const owner = await api.client.create(ConfigMap, configMap('owner'))
    await api.client.create(ConfigMap, configMap('child', [ownedBy(owner)]))
    await api.client.delete(ConfigMap, { namespace, name: 'owner' }, { propagationPolicy: 'Orphan' })
    await until(t, 'the owner gone', async () => !(await isThere(api, ConfigMap, 'owner')))
    const { metadata } = await api.client.get(ConfigMap, { namespace, name: 'child' })
    assert.deepEqual(metadata.ownerReferences ?? [], [])
  }))

test('a deleted namespace takes its content along, and goes only when it is empty', (t) =>
  world(t, async (api) => {
    await api.client.create(Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
    const held = configMap('held')
    await api.client.create(ConfigMap, {
      ...held,
      metadata: { ...held.metadata, namespace: 'team', finalizers: ['test.dev/hold'] },
    })
    await api.client.create(Secret, {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'plain', namespace: 'team' },
    })
    await api.client.delete(Namespace, { name: 'team' })
    await until(t, 'the secret gone', async () => !(await isThere(api, Secret, 'plain', 'team')))
    assert.equal((await api.client.get(Namespace, { name: 'team' })).status?.phase, 'Terminating')
    const patch = { metadata: { finalizers: [] } }
    await api.client.patch(ConfigMap, { namespace: 'team', name: 'held' }, { type: 'merge', patch })
    await until(t, 'the namespace gone', async () => !(await isThere(api, Namespace, 'team', undefined)))
  }))

test('a namespace can be deleted also after a kind was taken away', (t) =>
  world(t, async (api) => {
    const name = gizmoDefinition.metadata.name ?? ''
    await api.client.create<Resource>(CustomResourceDefinition, gizmoDefinition)
    const seen = () => api.informers.of(CustomResourceDefinition).get({ name }) !== undefined
    await until(t, 'the kind seen', seen)
    await api.client.delete(CustomResourceDefinition, { name })
    await until(t, 'the kind gone', () => !seen())
    await api.client.create(Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } })
    await api.client.delete(Namespace, { name: 'team' })
    await until(t, 'the namespace gone', async () => !(await isThere(api, Namespace, 'team', undefined)))
  }))

function node(
  name: string,
  override: { labels?: Record<string, string>; gpus?: number; acceptsAll?: boolean } = {},
): Node {
  const { labels = {}, gpus, acceptsAll } = override
  const annotations: Record<string, string> = acceptsAll === true ? { [acceptsAllAnnotation]: 'true' } : {}
  const allocatable: Record<string, string> = gpus === undefined ? {} : { 'amd.com/gpu': String(gpus) }
  const conditions = [{ type: 'Ready', status: 'True' }]
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels, annotations },
    status: { allocatable, conditions },
  }
}

/** As a kubelet does: the status follows the node. */
async function join(api: BareApi, joining: Node): Promise<void> {
  const { status } = joining
  const { metadata } = await api.client.create(Node, joining)
  await api.client.patch(
    Node,
    { name: metadata.name ?? '' },
    { type: 'merge', patch: { status } },
    { subresource: 'status' },
  )
}

function pod(name: string, gpus = 0, spec: object = {}): Pod {
  const resources = gpus === 0 ? {} : { limits: { 'amd.com/gpu': String(gpus) } }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { containers: [{ name: 'main', image: 'x', resources }], ...spec },
  }
}

const nodeOf = async (api: BareApi, name: string) => (await api.client.get(Pod, { namespace, name })).spec?.nodeName
const scheduled = async (api: BareApi, name: string) =>
  (await api.client.get(Pod, { namespace, name })).status?.conditions?.find(({ type }) => type === 'PodScheduled')

test('a node that accepts all takes any pod, whoever should schedule it', (t) =>
  world(t, async (api) => {
    await join(api, node('this-machine', { acceptsAll: true }))
    await api.client.create(Pod, pod('a', 64, { schedulerName: 'volcano', nodeSelector: { gpu: 'mi300x' } }))
    await until(t, 'a node', async () => (await nodeOf(api, 'a')) === 'this-machine')
  }))

test('a pod goes where it fits, and one that fits nowhere is told why until there is room', (t) =>
  world(t, async (api) => {
    await join(api, node('a-small', { gpus: 1 }))
    await join(api, node('b-big', { gpus: 8, labels: { gpu: 'mi300x' } }))
    await api.client.create(Pod, pod('wants-8', 8))
    await until(t, 'the big node', async () => (await nodeOf(api, 'wants-8')) === 'b-big')
    await api.client.create(Pod, pod('wants-2', 2))
    await until(t, 'the reason', async () => (await scheduled(api, 'wants-2'))?.status === 'False')
    assert.equal((await scheduled(api, 'wants-2'))?.message, '0/2 nodes are available: 2 Insufficient amd.com/gpu.')
    await api.client.delete(Pod, { namespace, name: 'wants-8' }, { gracePeriodSeconds: 0 })
    await until(t, 'room', async () => (await nodeOf(api, 'wants-2')) === 'b-big')
  }))

test('pods that come all at once do not share what is there for one', (t) =>
  world(t, async (api) => {
    await join(api, node('small', { gpus: 1 }))
    await Promise.all(['a', 'b', 'c'].map((name) => api.client.create(Pod, pod(name, 1))))
    const states = () => Promise.all(['a', 'b', 'c'].map((name) => scheduled(api, name)))
    await until(t, 'two told', async () => (await states()).filter((state) => state?.status === 'False').length === 2)
    const nodes = await Promise.all(['a', 'b', 'c'].map((name) => nodeOf(api, name)))
    assert.equal(nodes.filter((name) => name === 'small').length, 1)
  }))

test('a claim is bound at once and says what it is', (t) =>
  world(t, async (api) => {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
    const claim = {
      apiVersion: 'v1' as const,
      kind: 'PersistentVolumeClaim' as const,
      metadata: { name: 'data', namespace },
      spec,
    }
    await api.client.create(PersistentVolumeClaim, claim)
    const get = () => api.client.get(PersistentVolumeClaim, { namespace, name: 'data' })
    await until(t, 'Bound', async () => (await get()).status?.phase === 'Bound')
    assert.match((await get()).metadata.annotations?.['fairlead.dev/storage'] ?? '', /no PersistentVolume/)
  }))
