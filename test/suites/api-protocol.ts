import assert from 'node:assert/strict'
import type { ApiCases } from './api-suite.ts'
import { configMap, gizmo, pod } from './api-target.ts'

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
const partial = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'
const partialList = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'

interface Table {
  readonly kind: string
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[]
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: { readonly kind: string } }[]
}

export const protocolCases: ApiCases = {
  'a table has the columns of the definition': async (api) => {
    await api.object('POST', api.gizmos, gizmo('g', { replicas: 3 }))
    const { body } = await api.ask('GET', api.gizmos, undefined, { accept: table })
    const { kind, columnDefinitions, rows } = body as Table
    assert.equal(kind, 'Table')
    assert.deepEqual(
      columnDefinitions.map(({ name, priority }) => `${name} ${priority}`),
      ['Name 0', 'Size 0', 'Replicas 1'],
    )
    assert.deepEqual(rows[0]?.cells, ['g', 'm', 3])
    assert.equal(rows[0]?.object.kind, 'PartialObjectMetadata')
  },
  'a table of pods says how they are': async (api) => {
    await api.object('POST', api.pods, pod('p'))
    const { body } = await api.ask('GET', `${api.pods}/p`, undefined, { accept: table })
    const { columnDefinitions, rows } = body as Table
    const shown = columnDefinitions.filter(({ priority }) => priority === 0).map(({ name }) => name)
    assert.deepEqual(shown, ['Name', 'Ready', 'Status', 'Restarts', 'Age'])
    assert.deepEqual(rows[0]?.cells.slice(0, 3), ['p', '0/1', 'Pending'])
  },
  'metadata can be had alone': async (api) => {
    await api.object('POST', api.configMaps, configMap('a', { data: { k: 'v' } }))
    const one = await api.object('GET', `${api.configMaps}/a`, undefined, { accept: partial })
    assert.deepEqual(Object.keys(one).toSorted(), ['apiVersion', 'kind', 'metadata'])
    assert.equal(one.kind, 'PartialObjectMetadata')
    const all = await api.object('GET', api.configMaps, undefined, { accept: partialList })
    assert.equal(all.kind, 'PartialObjectMetadataList')
  },
  'metadata can be watched alone, from the list on': async (api) => {
    await api.object('POST', api.gizmos, gizmo('a'))
    const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    await using watch = await api.watch(`${api.gizmos}?${query}`, { accept: partial })
    const events = [await watch.next(), await watch.next()]
    await api.object('DELETE', `${api.gizmos}/a`)
    events.push(await watch.next())
    assert.deepEqual(
      events.map(({ type, object }) => `${type} ${object.kind} ${Object.keys(object).toSorted().join()}`),
      ['ADDED', 'BOOKMARK', 'DELETED'].map((type) => `${type} PartialObjectMetadata apiVersion,kind,metadata`),
    )
    assert.equal(events[1]?.object.metadata.annotations?.['k8s.io/initial-events-end'], 'true')
  },
  'what cannot be spoken is refused': async (api) => {
    await api.refused(406, 'NotAcceptable', api.ask('GET', api.configMaps, undefined, { accept: 'text/html' }))
    const body = api.ask('POST', api.configMaps, 'name=a', { type: 'application/x-www-form-urlencoded' })
    await api.refused(415, 'UnsupportedMediaType', body)
  },
  'who prefers protobuf and takes JSON gets something': async (api) => {
    const accept = 'application/vnd.kubernetes.protobuf,application/json'
    assert.equal((await api.ask('GET', api.configMaps, undefined, { accept })).status, 200)
  },
  'a body that is no JSON is a bad request': async (api) => {
    await api.refused(400, 'BadRequest', api.ask('POST', api.configMaps, '{"metadata":'))
    await api.refused(400, 'BadRequest', api.ask('POST', api.configMaps, '[]'))
  },
  'too large a body is refused': async (api) => {
    const body = configMap('a', { data: { k: 'x'.repeat(4 * 1024 * 1024) } })
    await api.refused(413, 'RequestEntityTooLarge', api.ask('POST', api.configMaps, body))
  },
  'an unknown path or resource is not found': async (api) => {
    for (const path of [
      '/nothing',
      '/api/v9/pods',
      '/apis/none.example.com/v1/things',
      '/api/v1/namespaces/x/nothings',
    ]) {
      assert.equal((await api.ask('GET', path)).status, 404, path)
    }
  },
  'a method that makes no sense is not allowed': async (api) => {
    await api.refused(405, 'MethodNotAllowed', api.ask('PUT', api.configMaps, configMap('a')))
    assert.equal((await api.ask('DELETE', '/version')).status, 405)
  },
  'the version is that of a Kubernetes release': async (api) => {
    const { body } = await api.ask('GET', '/version')
    assert.match((body as { gitVersion: string }).gitVersion, /^v1\.\d+\.\d+/)
  },
  'discovery tells every kind, in both forms': async (api) => {
    const old = (await api.ask('GET', '/apis/suite.example.com/v1')).body as {
      resources: { name: string; verbs: string[] }[]
    }
    assert.deepEqual(old.resources.map(({ name }) => name).toSorted(), ['gizmos', 'gizmos/scale', 'gizmos/status'])
    const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
    const { body } = await api.ask('GET', '/apis', undefined, { accept })
    const { kind, items } = body as {
      kind: string
      items: { metadata: { name: string }; versions: { version: string }[] }[]
    }
    assert.equal(kind, 'APIGroupDiscoveryList')
    const group = items.find(({ metadata }) => metadata.name === 'suite.example.com')
    assert.deepEqual(
      group?.versions.map(({ version }) => version),
      ['v1', 'v1beta1'],
    )
  },
  'OpenAPI tells every kind by its group, version and kind': async (api) => {
    const entryOf = async (): Promise<string | undefined> => {
      const { text } = await api.ask('GET', '/openapi/v3') // JSON, though Kubernetes does not call it so
      const { paths } = JSON.parse(text) as { paths: Record<string, { serverRelativeURL: string }> }
      return paths['apis/suite.example.com/v1']?.serverRelativeURL
    }
    let entry: string | undefined
    while (entry === undefined) entry = await entryOf() // a new definition takes a moment to be there
    const { body } = await api.ask('GET', entry)
    const { schemas } = (body as { components: { schemas: Record<string, Record<string, unknown>> } }).components
    const found = schemas['com.example.suite.v1.Gizmo']
    assert.deepEqual(found?.['x-kubernetes-group-version-kind'], [
      { group: 'suite.example.com', version: 'v1', kind: 'Gizmo' },
    ])
  },
  'one may ask what one may do, and who one is': async (api) => {
    const spec = { resourceAttributes: { verb: 'create', resource: 'pods', namespace: api.namespace } }
    const review = await api.object('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', { spec })
    assert.equal(review.status?.['allowed'], true)
    const self = await api.object('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {})
    assert.ok((self.status?.['userInfo'] as { username: string }).username)
  },
  'a bad selector, limit or version is a bad request': async (api) => {
    for (const query of ['limit=x', 'resourceVersion=x', 'fieldSelector=x', 'labelSelector=%3D%3D']) {
      const { status } = await api.ask('GET', `${api.configMaps}?${query}`)
      assert.ok(status === 400 || status === 422, `${query}: ${status}`)
    }
  },
}
