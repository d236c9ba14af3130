import assert from 'node:assert/strict'
import type { AnyResource } from '#machinery/meta.ts'
import type { ApiCases } from './api-suite.ts'
import { apply, configMap, gizmo, jsonPatch, merge, pod, strategic } from './api-target.ts'

interface ContainerSpec {
  readonly name: string
  readonly image?: string
}

function containers(object: AnyResource): string[] {
  return (object.spec?.['containers'] as ContainerSpec[]).map(({ name, image }) => `${name} ${image}`)
}

export const patchCases: ApiCases = {
  'a merge patch adds, changes and removes': async (api) => {
    await api.object('POST', api.configMaps, configMap('a', { data: { k: '1', l: '2' } }))
    const made = await api.object('PATCH', `${api.configMaps}/a`, { data: { k: '3', l: null, m: '4' } }, merge)
    assert.deepEqual(made['data'], { k: '3', m: '4' })
  },
  'a JSON patch is applied whole or not at all': async (api) => {
    const made = await api.object('POST', api.configMaps, configMap('a', { data: { k: '1' } }))
    const patch = (value: string) => [
      { op: 'replace', path: '/data/k', value: '2' },
      { op: 'test', path: '/data/k', value },
    ]
    await api.refused(422, 'Invalid', api.ask('PATCH', `${api.configMaps}/a`, patch('9'), jsonPatch))
    assert.deepEqual(await api.object('GET', `${api.configMaps}/a`), made)
    const done = await api.object('PATCH', `${api.configMaps}/a`, patch('2'), jsonPatch)
    assert.deepEqual(done['data'], { k: '2' })
  },
  'a strategic patch joins lists by their key': async (api) => {
    await api.object('POST', api.pods, pod('p'))
    const patch = { spec: { containers: [{ name: 'c', image: 'example.com/c:2' }] }, metadata: { labels: { a: 'b' } } }
    const made = await api.object('PATCH', `${api.pods}/p`, patch, strategic)
    assert.deepEqual(containers(made), ['c example.com/c:2'])
    assert.deepEqual(made.metadata.labels, { a: 'b' })
  },
  'a custom kind has no strategic patch, and no server knows a patch of text': async (api) => {
    await api.object('POST', api.gizmos, gizmo('g'))
    await api.refused(415, 'UnsupportedMediaType', api.ask('PATCH', `${api.gizmos}/g`, {}, strategic))
    await api.refused(415, 'UnsupportedMediaType', api.ask('PATCH', `${api.gizmos}/g`, {}, { type: 'text/plain' }))
  },
  'a patch with an old version conflicts': async (api) => {
    await api.object('POST', api.configMaps, configMap('a'))
    const patch = { metadata: { resourceVersion: '1' }, data: { k: 'v' } }
    await api.refused(409, 'Conflict', api.ask('PATCH', `${api.configMaps}/a`, patch, merge))
  },
  'a patch that changes nothing does not count as one': async (api) => {
    const made = await api.object('POST', api.gizmos, gizmo('g', { replicas: 2 }))
    const again = await api.object('PATCH', `${api.gizmos}/g`, { spec: { replicas: 2 } }, merge)
    assert.deepEqual(again, made)
  },
  'a patch of a wrong result is refused with its field': async (api) => {
    await api.object('POST', api.gizmos, gizmo('g'))
    const status = await api.refused(
      422,
      'Invalid',
      api.ask('PATCH', `${api.gizmos}/g`, { spec: { replicas: -1 } }, merge),
    )
    assert.equal(status.details?.causes?.[0]?.field, 'spec.replicas')
  },
  'the status is patched by its own path': async (api) => {
    await api.object('POST', api.gizmos, gizmo('g'))
    const patch = { spec: { size: 'xl' }, status: { phase: 'On' } }
    const made = await api.object('PATCH', `${api.gizmos}/g/status`, patch, merge)
    assert.deepEqual([made.status, made.spec?.['size']], [{ phase: 'On' }, 'm'])
  },
  'apply creates, then changes what it owns and takes back what it leaves out': async (api) => {
    const path = `${api.gizmos}/g?fieldManager=me`
    const first = await api.ask(
      'PATCH',
      path,
      gizmo('g', { replicas: 1, parts: [{ name: 'a' }, { name: 'b' }] }),
      apply,
    )
    assert.equal(first.status, 201)
    const second = await api.object('PATCH', path, gizmo('g', { parts: [{ name: 'b', colour: 'red' }] }), apply)
    assert.deepEqual(second.spec, { size: 'm', parts: [{ name: 'b', colour: 'red' }] })
  },
  'the same apply twice is one write': async (api) => {
    const path = `${api.gizmos}/g?fieldManager=me`
    const body = gizmo('g', { replicas: 1, parts: [{ name: 'a' }] })
    assert.deepEqual(await api.object('PATCH', path, body, apply), await api.object('PATCH', path, body, apply))
  },
  'apply shares a list with others, item by item': async (api) => {
    for (const name of ['a', 'b']) {
      await api.object('PATCH', `${api.gizmos}/g?fieldManager=${name}`, gizmo('g', { parts: [{ name }] }), apply)
    }
    const made = await api.object('PATCH', `${api.gizmos}/g?fieldManager=a`, gizmo('g'), apply)
    assert.deepEqual(made.spec?.['parts'], [{ name: 'b' }])
  },
  'apply conflicts over a value of somebody else, unless forced': async (api) => {
    await api.object('PATCH', `${api.gizmos}/g?fieldManager=one`, gizmo('g', { replicas: 1 }), apply)
    const path = `${api.gizmos}/g?fieldManager=two`
    const status = await api.refused(409, 'Conflict', api.ask('PATCH', path, gizmo('g', { replicas: 2 }), apply))
    assert.equal(status.details?.causes?.[0]?.reason, 'FieldManagerConflict')
    assert.equal(status.details?.causes?.[0]?.field, '.spec.replicas')
    const forced = await api.object('PATCH', `${path}&force=true`, gizmo('g', { replicas: 2 }), apply)
    assert.equal(forced.spec?.['replicas'], 2)
  },
  'apply needs a manager': async (api) => {
    await api.refused(422, 'Invalid', api.ask('PATCH', `${api.gizmos}/g`, gizmo('g'), apply))
  },
  'apply reads YAML': async (api) => {
    const yaml = 'apiVersion: suite.example.com/v1\nkind: Gizmo\nmetadata: {name: g}\nspec:\n  replicas: 3\n'
    const made = await api.object('PATCH', `${api.gizmos}/g?fieldManager=me`, yaml, apply)
    assert.equal(made.spec?.['replicas'], 3)
  },
  'the scale of a custom kind is read and written': async (api) => {
    await api.object('POST', api.gizmos, gizmo('g', { replicas: 2 }))
    const scale = await api.object('GET', `${api.gizmos}/g/scale`)
    assert.deepEqual([scale.kind, scale.spec, scale.status], ['Scale', { replicas: 2 }, { replicas: 0 }])
    await api.object('PATCH', `${api.gizmos}/g/scale`, { spec: { replicas: 5 } }, merge)
    await api.object('PUT', `${api.gizmos}/g/scale`, {
      ...(await api.object('GET', `${api.gizmos}/g/scale`)),
      spec: { replicas: 6 },
    })
    assert.equal((await api.object('GET', `${api.gizmos}/g`)).spec?.['replicas'], 6)
  },
}
