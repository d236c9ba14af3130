import assert from 'node:assert/strict'
import type { ApiCases } from './api-suite.ts'
import { type Api, configMap, gizmo, pod } from './api-target.ts'

async function fill(api: Api, count: number): Promise<string[]> {
  const names = Array.from({ length: count }, (_, i) => `m-${String(i).padStart(3, '0')}`)
  await Promise.all(names.map((name) => api.object('POST', api.configMaps, configMap(name))))
  // A cluster puts a ConfigMap of its own into every namespace.
  return names
}

const only = 'fieldSelector=metadata.name!%3Dkube-root-ca.crt'

async function pages(api: Api, limit: number, between: () => Promise<void> = async () => {}): Promise<string[][]> {
  const seen: string[][] = []
  let token = ''
  do {
    const { items, metadata } = await api.list(`${api.configMaps}?${only}&limit=${limit}&continue=${token}`)
    seen.push(items.map((item) => item.metadata.name ?? ''))
    token = encodeURIComponent(metadata.continue ?? '')
    await between()
  } while (token !== '')
  return seen
}

export const listCases: ApiCases = {
  'a list is a list of its kind, in order': async (api) => {
    const names = await fill(api, 5)
    const list = await api.list(`${api.configMaps}?${only}`)
    assert.deepEqual([list.kind, list.apiVersion], ['ConfigMapList', 'v1'])
    assert.deepEqual(
      list.items.map(({ metadata }) => metadata.name),
      names,
    )
    assert.match(list.metadata.resourceVersion ?? '', /^\d+$/)
  },
  'pages join to the whole, each object once': async (api) => {
    const names = await fill(api, 10)
    const seen = await pages(api, 3)
    assert.deepEqual(
      seen.map((page) => page.length),
      [3, 3, 3, 1],
    )
    assert.deepEqual(seen.flat(), names)
  },
  'pages show the moment of the first': async (api) => {
    const names = await fill(api, 6)
    let turn = 0
    const seen = await pages(api, 2, async () => {
      if (turn++ > 0) return
      await api.object('DELETE', `${api.configMaps}/m-005`)
      await api.object('POST', api.configMaps, configMap('m-999'))
    })
    assert.deepEqual(seen.flat(), names)
  },
  'the first page tells how many remain': async (api) => {
    for (let i = 0; i < 5; i++) await api.object('POST', api.gizmos, gizmo(`g-${i}`))
    const { metadata } = await api.list(`${api.gizmos}?limit=2`)
    assert.equal(metadata.remainingItemCount, 3)
    assert.ok(metadata.continue)
  },
  'a broken continue token is refused': async (api) => {
    await api.refused(400, 'BadRequest', api.ask('GET', `${api.configMaps}?limit=1&continue=nonsense`))
  },
  'a version of the future is not there yet': async (api) => {
    const { metadata } = await api.list(api.configMaps)
    const later = String(Number(metadata.resourceVersion) + 1_000_000)
    const path = `${api.configMaps}?resourceVersion=${later}&resourceVersionMatch=NotOlderThan`
    const status = await api.refused(504, 'Timeout', api.ask('GET', path))
    assert.equal(status.details?.causes?.[0]?.reason, 'ResourceVersionTooLarge')
  },
  'an exact version lists what was then': async (api) => {
    const { metadata } = await api.object('POST', api.gizmos, gizmo('a'))
    await api.object('POST', api.gizmos, gizmo('b'))
    const path = `${api.gizmos}?resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=Exact`
    const { items } = await api.list(path)
    assert.deepEqual(
      items.map((item) => item.metadata.name),
      ['a'],
    )
  },
  'a match without a version is refused, and so is one nobody knows': async (api) => {
    await api.refused(422, 'Invalid', api.ask('GET', `${api.configMaps}?resourceVersionMatch=Exact`))
    await api.refused(422, 'Invalid', api.ask('GET', `${api.configMaps}?resourceVersion=1&resourceVersionMatch=Near`))
    await api.refused(422, 'Invalid', api.ask('GET', `${api.configMaps}?resourceVersion=0&resourceVersionMatch=Exact`))
  },
  'labels select': async (api) => {
    for (const [name, labels] of Object.entries({ a: { x: '1' }, b: { x: '2', y: '' }, c: { x: '3' }, d: {} })) {
      await api.object('POST', api.gizmos, { ...gizmo(name), metadata: { name, labels } })
    }
    const rows = {
      'x=1': 'a',
      'x!=1,x': 'bc',
      'x in (1,3)': 'ac',
      'x notin (1,2)': 'cd',
      '!x': 'd',
      y: 'b',
      'x=2,!y': '',
    }
    for (const [selector, want] of Object.entries(rows)) {
      const { items } = await api.list(`${api.gizmos}?labelSelector=${encodeURIComponent(selector)}`)
      assert.equal(items.map((item) => item.metadata.name).join(''), want, selector)
    }
    await api.refused(400, 'BadRequest', api.ask('GET', `${api.gizmos}?labelSelector=${encodeURIComponent('x in (')}`))
  },
  'fields select': async (api) => {
    await api.object('POST', api.pods, pod('bound', { nodeName: 'nowhere' }))
    await api.object('POST', api.pods, pod('free'))
    const rows = {
      'metadata.name=free': ['free'],
      'spec.nodeName=nowhere': ['bound'],
      'spec.nodeName=': ['free'],
      'status.phase=Pending': ['bound', 'free'],
      'status.phase!=Pending': [],
    }
    for (const [selector, want] of Object.entries(rows)) {
      const { items } = await api.list(`${api.pods}?fieldSelector=${encodeURIComponent(selector)}`)
      assert.deepEqual(
        items.map((item) => item.metadata.name),
        want,
        selector,
      )
    }
    await api.refused(400, 'BadRequest', api.ask('GET', `${api.pods}?fieldSelector=spec.nothing%3D1`))
  },
  'a custom kind selects by the fields that it names': async (api) => {
    await api.object('POST', api.gizmos, gizmo('a', { size: 'l' }))
    await api.object('POST', api.gizmos, gizmo('b'))
    const { items } = await api.list(`${api.gizmos}?fieldSelector=spec.size%3Dl`)
    assert.deepEqual(
      items.map((item) => item.metadata.name),
      ['a'],
    )
  },
  'a list over all namespaces holds them all': async (api) => {
    const label = { metadata: { name: 'a', labels: { in: api.namespace } } }
    await api.object('POST', api.configMaps, label)
    const { items } = await api.list(`/api/v1/configmaps?labelSelector=in%3D${api.namespace}`)
    assert.deepEqual(
      items.map((item) => item.metadata.namespace),
      [api.namespace],
    )
  },
}
