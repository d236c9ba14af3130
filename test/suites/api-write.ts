import assert from 'node:assert/strict'
import type { ApiCases } from './api-suite.ts'
import { configMap, gizmo, pod } from './api-target.ts'

export const writeCases: ApiCases = {
  'a created object gets a uid, a version and a time, and reads back the same': async (api) => {
    const made = await api.object('POST', api.configMaps, configMap('a', { data: { k: 'v' } }))
    const { uid, resourceVersion, creationTimestamp, namespace } = made.metadata
    assert.match(uid ?? '', /^[0-9a-f-]{36}$/)
    assert.match(resourceVersion ?? '', /^\d+$/)
    assert.match(creationTimestamp ?? '', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    assert.equal(namespace, api.namespace)
    assert.deepEqual(await api.object('GET', `${api.configMaps}/a`), made)
  },
  'a name can be taken once': async (api) => {
    await api.object('POST', api.configMaps, configMap('a'))
    const status = await api.refused(409, 'AlreadyExists', api.ask('POST', api.configMaps, configMap('a')))
    assert.equal(status.message, 'configmaps "a" already exists')
    assert.deepEqual(status.details, { name: 'a', kind: 'configmaps' })
  },
  'a name is made from generateName': async (api) => {
    const body = { metadata: { generateName: 'a-' } }
    const [one, two] = await Promise.all([
      api.object('POST', api.configMaps, body),
      api.object('POST', api.configMaps, body),
    ])
    assert.match(one.metadata.name ?? '', /^a-[a-z0-9]{5}$/)
    assert.notEqual(one.metadata.name, two.metadata.name)
  },
  'an object without a name is refused': async (api) => {
    await api.refused(422, 'Invalid', api.ask('POST', api.configMaps, { metadata: {} }))
  },
  'a bad name is refused, and the field is told': async (api) => {
    const status = await api.refused(422, 'Invalid', api.ask('POST', api.configMaps, configMap('Not_A_Name')))
    assert.equal(status.details?.causes?.[0]?.field, 'metadata.name')
  },
  'a version given on create is refused': async (api) => {
    const body = configMap('a', { metadata: { resourceVersion: '1' } })
    const { status, text } = await api.ask('POST', api.configMaps, body)
    assert.ok(status >= 400, text) // Kubernetes calls it a fault of its own: 500
    assert.match(text, /resourceVersion should not be set on objects to be created/)
  },
  'an object of another namespace is refused': async (api) => {
    const body = configMap('a', { metadata: { namespace: 'elsewhere' } })
    await api.refused(400, 'BadRequest', api.ask('POST', api.configMaps, body))
  },
  'an object of another kind is refused': async (api) => {
    await api.refused(400, 'BadRequest', api.ask('POST', api.configMaps, pod('a')))
  },
  'a missing object is not found, by name': async (api) => {
    const status = await api.refused(404, 'NotFound', api.ask('GET', `${api.configMaps}/none`))
    assert.equal(status.message, 'configmaps "none" not found')
    await api.refused(404, 'NotFound', api.ask('PUT', `${api.configMaps}/none`, configMap('none')))
    await api.refused(404, 'NotFound', api.ask('DELETE', `${api.configMaps}/none`))
  },
  'nothing can be made in a namespace that is not there': async (api) => {
    await api.refused(404, 'NotFound', api.ask('POST', '/api/v1/namespaces/no-such/configmaps', configMap('a')))
  },
  'an update of an old version conflicts': async (api) => {
    const first = await api.object('POST', api.configMaps, configMap('a'))
    await api.object('PUT', `${api.configMaps}/a`, { ...first, data: { k: '1' } })
    await api.refused(409, 'Conflict', api.ask('PUT', `${api.configMaps}/a`, { ...first, data: { k: '2' } }))
  },
  'an update without a version wins': async (api) => {
    await api.object('POST', api.configMaps, configMap('a'))
    const made = await api.object('PUT', `${api.configMaps}/a`, configMap('a', { data: { k: '1' } }))
    assert.deepEqual(made['data'], { k: '1' })
  },
  'an update that means another uid conflicts': async (api) => {
    await api.object('POST', api.configMaps, configMap('a'))
    const body = configMap('a', { metadata: { uid: '00000000-0000-0000-0000-000000000000' } })
    await api.refused(409, 'Conflict', api.ask('PUT', `${api.configMaps}/a`, body))
  },
  'an update that changes nothing does not count as one': async (api) => {
    const made = await api.object('POST', api.configMaps, configMap('a', { data: { k: 'v' } }))
    const again = await api.object('PUT', `${api.configMaps}/a`, made)
    assert.equal(again.metadata.resourceVersion, made.metadata.resourceVersion)
  },
  'what only the server knows cannot be changed': async (api) => {
    const made = await api.object('POST', api.configMaps, configMap('a'))
    const changed = await api.object('PUT', `${api.configMaps}/a`, {
      ...made,
      metadata: { ...made.metadata, creationTimestamp: '2001-01-01T00:00:00Z', labels: { x: 'y' } },
    })
    assert.equal(changed.metadata.creationTimestamp, made.metadata.creationTimestamp)
    assert.deepEqual(changed.metadata.labels, { x: 'y' })
  },
  'the generation counts changes of the spec alone': async (api) => {
    const made = await api.object('POST', api.gizmos, gizmo('g'))
    assert.equal(made.metadata.generation, 1)
    const labelled = await api.object('PUT', `${api.gizmos}/g`, {
      ...made,
      metadata: { ...made.metadata, labels: { a: 'b' } },
    })
    assert.equal(labelled.metadata.generation, 1)
    const grown = await api.object('PUT', `${api.gizmos}/g`, { ...labelled, spec: { size: 'l' } })
    assert.equal(grown.metadata.generation, 2)
    const told = await api.object('PUT', `${api.gizmos}/g/status`, { ...grown, status: { phase: 'Big' } })
    assert.equal(told.metadata.generation, 2)
  },
  'the status is written by its own path, and only it': async (api) => {
    const made = await api.object('POST', api.gizmos, { ...gizmo('g'), status: { phase: 'Early' } })
    assert.equal(made.status, undefined)
    const path = `${api.gizmos}/g`
    const told = await api.object('PUT', `${path}/status`, { ...made, spec: { size: 'xl' }, status: { phase: 'On' } })
    assert.deepEqual([told.status, told.spec?.['size']], [{ phase: 'On' }, 'm'])
    const kept = await api.object('PUT', path, { ...told, spec: { size: 's' }, status: { phase: 'Off' } })
    assert.deepEqual([kept.status, kept.spec?.['size']], [{ phase: 'On' }, 's'])
  },
  'a dry run answers as if and stores nothing': async (api) => {
    const made = await api.object('POST', `${api.configMaps}?dryRun=All`, configMap('a'))
    assert.match(made.metadata.uid ?? '', /-/)
    await api.refused(404, 'NotFound', api.ask('GET', `${api.configMaps}/a`))
    const real = await api.object('POST', api.configMaps, configMap('a'))
    await api.object('PUT', `${api.configMaps}/a?dryRun=All`, configMap('a', { data: { k: 'v' } }))
    await api.object('DELETE', `${api.configMaps}/a?dryRun=All`)
    assert.deepEqual(await api.object('GET', `${api.configMaps}/a`), real)
    await api.refused(422, 'Invalid', api.ask('POST', `${api.configMaps}?dryRun=Some`, configMap('b')))
  },
  'an unknown field is dropped, with a warning or without': async (api) => {
    const body = gizmo('g', { colour: 'red' })
    const warned = await api.ask('POST', api.gizmos, body)
    assert.equal(warned.headers.get('warning'), '299 - "unknown field \\"spec.colour\\""')
    assert.deepEqual((warned.body as { spec: unknown }).spec, { size: 'm' })
    const silent = await api.ask('POST', `${api.gizmos}?fieldValidation=Ignore`, { ...body, metadata: { name: 'h' } })
    assert.equal(silent.headers.get('warning'), null)
  },
  'strict validation refuses unknown and doubled fields': async (api) => {
    const path = `${api.gizmos}?fieldValidation=Strict`
    const unknown = await api.refused(400, 'BadRequest', api.ask('POST', path, gizmo('g', { colour: 'red' })))
    assert.match(unknown.message ?? '', /strict decoding error: unknown field "spec.colour"/)
    const text =
      '{"apiVersion":"suite.example.com/v1","kind":"Gizmo","metadata":{"name":"g"},"spec":{"size":"a","size":"b"}}'
    const doubled = await api.refused(400, 'BadRequest', api.ask('POST', path, text))
    assert.match(doubled.message ?? '', /strict decoding error: .*spec.size/)
  },
  'bad labels and annotations are refused': async (api) => {
    const label = configMap('a', { metadata: { labels: { 'not a key': 'x' } } })
    await api.refused(422, 'Invalid', api.ask('POST', api.configMaps, label))
    const value = configMap('a', { metadata: { labels: { key: 'not a value!' } } })
    await api.refused(422, 'Invalid', api.ask('POST', api.configMaps, value))
    const large = configMap('a', { metadata: { annotations: { key: 'x'.repeat(300_000) } } })
    await api.refused(422, 'Invalid', api.ask('POST', api.configMaps, large))
  },
  'writers are told apart by managedFields': async (api) => {
    await api.object('POST', `${api.configMaps}?fieldManager=one`, configMap('a', { data: { k: '1' } }))
    const made = await api.object(
      'PUT',
      `${api.configMaps}/a?fieldManager=two`,
      configMap('a', { data: { k: '1', l: '2' } }),
    )
    const managers = made.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`)
    assert.deepEqual(managers?.toSorted(), ['one Update', 'two Update'])
  },
}
