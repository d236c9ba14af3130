import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import type { AnyResource } from '#machinery/meta.ts'
import type { ApiCases } from './api-suite.ts'
import { gizmo, gizmoDefinition, merge } from './api-target.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

function definition(group: string): AnyResource {
  return { ...gizmoDefinition, metadata: { name: `gizmos.${group}` }, spec: { ...gizmoDefinition.spec, group } }
}

export const customKindCases: ApiCases = {
  'a custom kind has defaults': async (api) => {
    assert.deepEqual((await api.object('POST', api.gizmos, gizmo('g'))).spec, { size: 'm' })
  },
  'a custom kind is checked by schema and by CEL, and all errors are told': async (api) => {
    const many = await api.refused(422, 'Invalid', api.ask('POST', api.gizmos, gizmo('g', { replicas: -1, size: 3 })))
    const fields = many.details?.causes?.map(({ field }) => field)
    for (const field of ['spec.replicas', 'spec.size']) assert.ok(fields?.includes(field), field)
    const rule = await api.refused(422, 'Invalid', api.ask('POST', api.gizmos, gizmo('g', { replicas: 100 })))
    assert.match(rule.message ?? '', /Gizmo\.suite\.example\.com "g" is invalid: spec: .*too many gizmos/)
  },
  'two items of one key are refused': async (api) => {
    const body = gizmo('g', { parts: [{ name: 'a' }, { name: 'a' }] })
    const status = await api.refused(422, 'Invalid', api.ask('POST', api.gizmos, body))
    assert.equal(status.details?.causes?.[0]?.reason, 'FieldValueDuplicate')
  },
  'every served version shows the same object': async (api) => {
    const made = await api.object('POST', api.gizmos, gizmo('g'))
    const path = api.gizmos.replace('/v1/', '/v1beta1/')
    const other = await api.object('GET', `${path}/g`)
    assert.deepEqual([other.apiVersion, other.metadata.uid], ['suite.example.com/v1beta1', made.metadata.uid])
    const { items, apiVersion } = await api.list(path)
    assert.deepEqual([apiVersion, items[0]?.apiVersion], ['suite.example.com/v1beta1', 'suite.example.com/v1beta1'])
    await api.object('PATCH', `${path}/g`, { spec: { size: 'l' } }, merge)
    assert.equal((await api.object('GET', `${api.gizmos}/g`)).spec?.['size'], 'l')
  },
  'a custom kind comes with its definition and goes with it': async (api, t) => {
    const group = `${api.namespace}.example.com`
    const name = `gizmos.${group}`
    const path = `/apis/${group}/v1/namespaces/${api.namespace}/gizmos`
    assert.equal((await api.ask('GET', path)).status, 404)
    await api.object('POST', definitions, definition(group))
    await settled(t.signal, async () => (await api.ask('GET', path)).status === 200)
    await api.object('POST', path, { ...gizmo('g'), apiVersion: `${group}/v1` })
    await api.object('DELETE', `${definitions}/${name}`)
    await settled(t.signal, async () => (await api.ask('GET', `${definitions}/${name}`)).status === 404)
    await settled(t.signal, async () => (await api.ask('GET', path)).status === 404)
  },
  'a definition whose name does not fit is refused': async (api) => {
    const body = { ...definition(`${api.namespace}.example.com`), metadata: { name: 'other.example.com' } }
    await api.refused(422, 'Invalid', api.ask('POST', definitions, body))
  },
  'a definition without a schema is refused': async (api) => {
    const { spec, ...rest } = definition(`${api.namespace}.example.com`)
    const body = { ...rest, spec: { ...spec, versions: [{ name: 'v1', served: true, storage: true }] } }
    await api.refused(422, 'Invalid', api.ask('POST', definitions, body))
  },
}

async function settled(signal: AbortSignal, holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await turn(undefined, { signal })
}
