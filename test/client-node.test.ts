/** The npm client of Kubernetes as judge: written by others, on other assumptions than our own client. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as k8s from '@kubernetes/client-node'
import { modelBooster } from './builders.ts'
import { type ListeningWorld, serverName, startListeningWorld } from './listening-world.ts'

const group = 'workload.serving.volcano.sh'
const version = 'v1alpha1'
const apiVersion = `${group}/${version}`
const plural = 'modelboosters'
const namespace = 'default'

interface Booster extends k8s.KubernetesObject {
  readonly spec: { readonly backends: readonly { readonly name: string; readonly modelURI: string }[] }
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

type Named = k8s.KubernetesObject & { metadata: { name: string } }

/** The same object, to the types of the judge. */
const booster = (name: string, spec?: Record<string, unknown>): Named => modelBooster(name, spec) as unknown as Named

describe(`@kubernetes/client-node against ${serverName}`, () => {
  const config = new k8s.KubeConfig()
  let world: ListeningWorld
  before(async () => {
    world = await startListeningWorld()
    config.loadFromFile(world.kubeconfig)
  })
  after(() => world[Symbol.asyncDispose]())

  /** Everything a watch of boosters sees, in words, and a promise for a certain one. */
  function watching(): { seen: string[]; saw: (word: string) => Promise<void>; informer: k8s.Informer<Booster> } {
    const seen: string[] = []
    const waiting = new Map<string, () => void>()
    const api = config.makeApiClient(k8s.CustomObjectsApi)
    const list = (): Promise<k8s.KubernetesListObject<Booster>> =>
      api.listNamespacedCustomObject({ group, version, namespace, plural })
    const informer = k8s.makeInformer(config, `/apis/${apiVersion}/namespaces/${namespace}/${plural}`, list)
    const see = (word: string): void => {
      seen.push(word)
      waiting.get(word)?.()
    }
    for (const event of ['add', 'update', 'delete'] as const) {
      informer.on(event, ({ metadata, status }) => {
        const active = status?.conditions?.some((each) => each.type === 'Active' && each.status === 'True')
        if (active === true && event !== 'delete') see(`active ${metadata?.name}`)
        see(`${event} ${metadata?.name}`)
      })
    }
    const saw = (word: string): Promise<void> =>
      seen.includes(word) ? Promise.resolve() : new Promise((resolve) => waiting.set(word, resolve))
    return { seen, saw, informer }
  }

  test('an informer sees a custom object come, become active and go', async () => {
    const api = config.makeApiClient(k8s.CustomObjectsApi)
    const { saw, seen, informer } = watching()
    await informer.start()
    await api.createNamespacedCustomObject({ group, version, namespace, plural, body: booster('seen') })
    await saw('add seen')
    await saw('active seen')
    await api.deleteNamespacedCustomObject({ group, version, namespace, plural, name: 'seen' })
    await saw('delete seen')
    await informer.stop()
    assert.ok(seen.indexOf('add seen') < seen.indexOf('update seen'))
    assert.equal(seen.at(-1), 'delete seen')
  })

  test('a watch gives ADDED, MODIFIED and DELETED', async () => {
    const api = config.makeApiClient(k8s.CoreV1Api)
    const types: string[] = []
    const ended = Promise.withResolvers<void>()
    const path = `/api/v1/namespaces/${namespace}/configmaps`
    const fieldSelector = 'metadata.name=watched'
    const watch = await new k8s.Watch(config).watch(
      path,
      { fieldSelector, allowWatchBookmarks: true },
      (type) => {
        if (type !== 'BOOKMARK') types.push(type)
        if (type === 'DELETED') ended.resolve()
      },
      () => ended.resolve(),
    )
    const metadata = { name: 'watched' }
    await api.createNamespacedConfigMap({ namespace, body: { metadata, data: { a: '1' } } })
    await api.replaceNamespacedConfigMap({ namespace, name: 'watched', body: { metadata, data: { a: '2' } } })
    await api.deleteNamespacedConfigMap({ namespace, name: 'watched' })
    await ended.promise
    watch.abort()
    assert.deepEqual(types, ['ADDED', 'MODIFIED', 'DELETED'])
  })

  test('custom objects are created, read, listed, patched and refused', async () => {
    const api = config.makeApiClient(k8s.CustomObjectsApi)
    const place = { group, version, namespace, plural, name: 'custom' }
    const created = (await api.createNamespacedCustomObject({ ...place, body: booster('custom') })) as Booster
    assert.equal(created.spec.backends[0]?.name, 'vllm')
    const list = (await api.listNamespacedCustomObject({ ...place, fieldSelector: 'metadata.name=custom' })) as {
      items: Booster[]
    }
    assert.deepEqual(
      list.items.map(({ metadata }) => metadata?.uid),
      [created.metadata?.uid],
    )

    const patch = (type: k8s.PatchStrategy, body: unknown, options = {}): Promise<Booster> =>
      api.patchNamespacedCustomObject(
        { ...place, body, ...options },
        k8s.setHeaderOptions('Content-Type', type),
      ) as Promise<Booster>
    const merged = await patch(k8s.PatchStrategy.MergePatch, { metadata: { labels: { by: 'merge' } } })
    assert.equal(merged.metadata?.labels?.['by'], 'merge')
    const replace = [{ op: 'replace', path: '/metadata/labels/by', value: 'json' }]
    assert.equal((await patch(k8s.PatchStrategy.JsonPatch, replace)).metadata?.labels?.['by'], 'json')
    const applied = { apiVersion, kind: 'ModelBooster', metadata: { name: 'custom', labels: { by: 'apply' } } }
    const owned = await patch(k8s.PatchStrategy.ServerSideApply, applied, { fieldManager: 'judge', force: true })
    assert.equal(owned.metadata?.labels?.['by'], 'apply')

    await assert.rejects(
      api.createNamespacedCustomObject({ ...place, body: booster('custom') }),
      (error) => error instanceof k8s.ApiException && error.code === 409,
    )
    const wrong = booster('wrong', { backends: [] })
    await assert.rejects(
      api.createNamespacedCustomObject({ ...place, body: wrong }),
      (error) => error instanceof k8s.ApiException && error.code === 422 && /spec\.backends/.test(String(error.body)),
    )
  })

  test('objects of any kind, by what they say they are', async () => {
    const api = k8s.KubernetesObjectApi.makeApiClient(config)
    const object = booster('generic')
    await api.create(object)
    const read = await api.read<Booster & Named>(object)
    assert.equal(read.spec.backends[0]?.modelURI, 'hf://acme/tiny-chat')
    await api.patch(
      { ...object, metadata: { ...object.metadata, annotations: { note: 'x' } } },
      undefined,
      undefined,
      undefined,
      undefined,
      k8s.PatchStrategy.MergePatch,
    )
    const { items } = await api.list<k8s.KubernetesObject>(apiVersion, 'ModelBooster', namespace)
    const listed = items.find(({ metadata }) => metadata?.name === 'generic')
    assert.equal(listed?.metadata?.annotations?.['note'], 'x')
    await api.delete(object)
    await assert.rejects(api.read(object), (error) => error instanceof k8s.ApiException && error.code === 404)
  })

  test('pods: listed, patched strategically, and their logs', async () => {
    const api = config.makeApiClient(k8s.CoreV1Api)
    const image = 'vllm/vllm-openai:latest'
    const container = { name: 'engine', image, command: ['vllm', 'serve', 'tiny'] }
    const { seen, informer, ready } = podsOf(config, api)
    await informer.start()
    await api.createNamespacedPod({
      namespace,
      body: { metadata: { name: 'engine' }, spec: { containers: [container] } },
    })
    await ready
    await informer.stop()
    assert.ok(seen.has('engine'))

    const body = { spec: { containers: [{ name: 'engine', image: 'vllm/vllm-openai:v2' }] } }
    const patched = await api.patchNamespacedPod(
      { namespace, name: 'engine', body },
      k8s.setHeaderOptions('Content-Type', k8s.PatchStrategy.StrategicMergePatch),
    )
    assert.deepEqual(
      patched.spec?.containers.map((each) => [each.image, each.command]),
      [['vllm/vllm-openai:v2', container.command]],
    )
    const log = await api.readNamespacedPodLog({ namespace, name: 'engine', container: 'engine', tailLines: 5 })
    assert.match(log, /simulated engine/)
    const { items } = await api.listNamespacedPod({
      namespace,
      fieldSelector: 'status.phase=Running,metadata.name=engine',
    })
    assert.match(items[0]?.status?.podIP ?? '', /^127\./)
    assert.ok(items[0]?.metadata?.creationTimestamp instanceof Date)
  })
})

function podsOf(config: k8s.KubeConfig, api: k8s.CoreV1Api) {
  const { promise: ready, resolve } = Promise.withResolvers<void>()
  const seen = new Set<string>()
  const informer = k8s.makeInformer(config, '/api/v1/namespaces/default/pods', () =>
    api.listNamespacedPod({ namespace: 'default' }),
  )
  const look = ({ metadata, status }: k8s.V1Pod): void => {
    seen.add(metadata?.name ?? '')
    const isReady = status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True')
    if (metadata?.name === 'engine' && isReady === true) resolve()
  }
  informer.on('add', look)
  informer.on('update', look)
  return { seen, informer, ready }
}
