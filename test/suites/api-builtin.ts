import assert from 'node:assert/strict'
import type { ApiCases } from './api-suite.ts'
import { configMap, merge, pod } from './api-target.ts'

export const builtinCases: ApiCases = {
  'a pod begins pending, with what Kubernetes fills in': async (api) => {
    const made = await api.object('POST', api.pods, { ...pod('p'), status: { phase: 'Running' } })
    assert.equal(made.status?.['phase'], 'Pending')
    assert.equal(made.status?.['qosClass'], 'BestEffort')
    const { restartPolicy, terminationGracePeriodSeconds } = made.spec ?? {}
    assert.deepEqual([restartPolicy, terminationGracePeriodSeconds], ['Always', 30])
  },
  'images without a tag are always pulled': async (api) => {
    const images = { a: 'x', b: 'x:latest', c: 'x:1', d: 'host:5000/x', e: `x@sha256:${'0'.repeat(64)}` }
    const containers = Object.entries(images).map(([name, image]) => ({ name, image }))
    const made = await api.object('POST', api.pods, pod('p', { containers }))
    const policies = (made.spec?.['containers'] as { imagePullPolicy: string }[]).map((c) => c.imagePullPolicy)
    assert.deepEqual(policies, ['Always', 'Always', 'IfNotPresent', 'Always', 'IfNotPresent'])
  },
  'a pod without containers is refused': async (api) => {
    await api.refused(422, 'Invalid', api.ask('POST', api.pods, pod('p', { containers: [] })))
  },
  'a pod cannot become another': async (api) => {
    await api.object('POST', api.pods, pod('p'))
    const patch = { spec: { restartPolicy: 'Never' } }
    await api.refused(422, 'Invalid', api.ask('PATCH', `${api.pods}/p`, patch, merge))
  },
  'a pod is bound once': async (api) => {
    await api.object('POST', api.pods, pod('p'))
    const bind = (name: string) =>
      api.ask('POST', `${api.pods}/p/binding`, { metadata: { name: 'p' }, target: { kind: 'Node', name } })
    assert.equal((await bind('one')).status, 201)
    await api.refused(409, 'Conflict', bind('two'))
    const bound = await api.object('GET', `${api.pods}/p`)
    assert.equal(bound.spec?.['nodeName'], 'one')
    const conditions = bound.status?.['conditions'] as { type: string; status: string }[]
    assert.ok(conditions.some(({ type, status }) => type === 'PodScheduled' && status === 'True'))
  },
  'a binding is for the pod that it means, not for another of its name': async (api) => {
    const { metadata } = await api.object('POST', api.pods, pod('p'))
    const bind = (uid: string) =>
      api.ask('POST', `${api.pods}/p/binding`, { metadata: { name: 'p', uid }, target: { kind: 'Node', name: 'one' } })
    await api.refused(409, 'Conflict', bind('of-a-former-one'))
    assert.equal((await bind(metadata.uid ?? '')).status, 201)
  },
  'an evicted pod is deleted': async (api) => {
    await api.object('POST', api.pods, pod('p'))
    await api.object('POST', `${api.pods}/p/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'p' },
    })
    await api.refused(404, 'NotFound', api.ask('GET', `${api.pods}/p`))
  },
  'a service gets an address, or none if it wants none': async (api) => {
    const services = api.configMaps.replace('configmaps', 'services')
    const service = (name: string, spec: object) =>
      api.object('POST', services, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } })
    const [one, two] = await Promise.all([service('one', {}), service('two', {})])
    assert.match(String(one.spec?.['clusterIP']), /^\d+\.\d+\.\d+\.\d+$/)
    assert.notEqual(one.spec?.['clusterIP'], two.spec?.['clusterIP'])
    assert.deepEqual(one.spec?.['ports'], [{ port: 80, protocol: 'TCP', targetPort: 80 }])
    assert.equal((await service('headless', { clusterIP: 'None' })).spec?.['clusterIP'], 'None')
    const taken = { metadata: { name: 'three' }, spec: { clusterIP: one.spec?.['clusterIP'], ports: [{ port: 80 }] } }
    await api.refused(422, 'Invalid', api.ask('POST', services, taken))
  },
  'a node port is had by one service at a time, and free again when that needs it no longer': async (api) => {
    const services = api.configMaps.replace('configmaps', 'services')
    const service = (name: string, nodePort: number, type = 'NodePort') => ({
      metadata: { name },
      spec: { type, ports: [{ port: 80, ...(type === 'NodePort' && { nodePort }) }] },
    })
    const [first, second] = [31_717, 31_718]
    await api.object('POST', services, service('one', first))
    await api.refused(422, 'Invalid', api.ask('POST', services, service('one', first)))
    const typeless = { ...service('two', first).spec, type: 'ClusterIP' }
    await api.refused(422, 'Invalid', api.ask('POST', services, { metadata: { name: 'two' }, spec: typeless }))
    await api.refused(422, 'Invalid', api.ask('POST', services, service('two', first)))
    await api.object('POST', services, service('two', 0, 'ClusterIP'))
    const { spec } = service('two', second)
    assert.equal((await api.ask('PATCH', `${services}/two?dryRun=All`, { spec }, merge)).status, 200)
    const refused = { spec, metadata: { labels: { a: 'no label!' } } }
    await api.refused(422, 'Invalid', api.ask('PATCH', `${services}/two`, refused, merge))
    await api.object('POST', services, service('three', second))
    assert.equal((await api.ask('PATCH', `${services}/one`, { spec: { type: 'ClusterIP' } }, merge)).status, 200)
    await api.object('POST', services, service('four', first))
  },
  'a secret keeps what is given as text': async (api) => {
    const secrets = api.configMaps.replace('configmaps', 'secrets')
    const made = await api.object('POST', secrets, {
      metadata: { name: 's' },
      stringData: { k: 'v' },
      data: { l: 'dw==' },
    })
    assert.deepEqual([made['data'], made['stringData'], made['type']], [{ k: 'dg==', l: 'dw==' }, undefined, 'Opaque'])
  },
  'what is immutable stays': async (api) => {
    await api.object('POST', api.configMaps, configMap('a', { data: { k: 'v' }, immutable: true }))
    const change = api.ask('PATCH', `${api.configMaps}/a`, { data: { k: 'w' } }, merge)
    await api.refused(422, 'Invalid', change)
    await api.object('PATCH', `${api.configMaps}/a`, { metadata: { labels: { a: 'b' } } }, merge)
  },
  'nothing new comes into a namespace that is going': async (api) => {
    await api.object('POST', api.configMaps, {
      ...configMap('a'),
      metadata: { name: 'a', finalizers: ['example.com/hold'] },
    })
    const going = await api.object('DELETE', `/api/v1/namespaces/${api.namespace}`)
    assert.equal(going.status?.['phase'], 'Terminating')
    const status = await api.refused(403, 'Forbidden', api.ask('POST', api.configMaps, configMap('b')))
    assert.equal(status.details?.causes?.[0]?.reason, 'NamespaceTerminating')
    await api.ask('PATCH', `${api.configMaps}/a`, { metadata: { finalizers: null } }, merge)
  },
  'a job finds its pods by its uid': async (api) => {
    const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x:1' }] } }
    const jobs = `/apis/batch/v1/namespaces/${api.namespace}/jobs`
    const made = await api.object('POST', jobs, { metadata: { name: 'j' }, spec: { template } })
    assert.deepEqual(made.spec?.['selector'], {
      matchLabels: { 'batch.kubernetes.io/controller-uid': made.metadata.uid },
    })
  },
  'the default namespaces are there': async (api) => {
    for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease']) {
      assert.equal((await api.object('GET', `/api/v1/namespaces/${name}`)).status?.['phase'], 'Active')
    }
  },
  'both groups show the same events': async (api) => {
    const events = api.configMaps.replace('configmaps', 'events')
    const involvedObject = { kind: 'Pod', name: 'p', namespace: api.namespace }
    await api.object('POST', events, {
      metadata: { name: 'e' },
      involvedObject,
      reason: 'Tried',
      message: 'so it was',
      type: 'Normal',
    })
    const newer = await api.object('GET', `/apis/events.k8s.io/v1/namespaces/${api.namespace}/events/e`)
    assert.deepEqual([newer['note'], (newer['regarding'] as { name: string }).name], ['so it was', 'p'])
    const found = await api.list(`${events}?fieldSelector=involvedObject.name%3Dp,reason%3DTried`)
    assert.equal(found.items.length, 1)
  },
}
