import assert from 'node:assert/strict'
import type { ApiCases } from './api-suite.ts'
import { type Api, gizmo, merge, words } from './api-target.ts'

async function version(api: Api): Promise<string> {
  return (await api.list(api.gizmos)).metadata.resourceVersion ?? ''
}

export const watchCases: ApiCases = {
  'a watch shows what is there, then what changes': async (api) => {
    await api.object('POST', api.gizmos, gizmo('a'))
    await using watch = await api.watch(api.gizmos)
    assert.deepEqual(await words(watch, 1), ['ADDED a'])
    await api.object('POST', api.gizmos, gizmo('b'))
    await api.object('PATCH', `${api.gizmos}/a`, { spec: { size: 'l' } }, merge)
    await api.object('DELETE', `${api.gizmos}/b`)
    assert.deepEqual(await words(watch, 3), ['ADDED b', 'MODIFIED a', 'DELETED b'])
  },
  'a watch from a version shows what came after, nothing twice': async (api) => {
    await api.object('POST', api.gizmos, gizmo('a'))
    const from = await version(api)
    await api.object('POST', api.gizmos, gizmo('b'))
    await using watch = await api.watch(`${api.gizmos}?resourceVersion=${from}`)
    await api.object('POST', api.gizmos, gizmo('c'))
    assert.deepEqual(await words(watch, 2), ['ADDED b', 'ADDED c'])
  },
  'versions in a watch rise, and a deletion has one of its own': async (api) => {
    await using watch = await api.watch(`${api.gizmos}?resourceVersion=${await version(api)}`)
    const made = await api.object('POST', api.gizmos, gizmo('a'))
    await api.object('DELETE', `${api.gizmos}/a`)
    const [added, deleted] = [await watch.next(), await watch.next()]
    assert.equal(added.object.metadata.resourceVersion, made.metadata.resourceVersion)
    assert.ok(Number(deleted.object.metadata.resourceVersion) > Number(made.metadata.resourceVersion))
  },
  'what leaves a selection is deleted for its watcher, what enters is added': async (api) => {
    await api.object('POST', api.gizmos, gizmo('a'))
    const paint = (colour: string) =>
      api.object('PATCH', `${api.gizmos}/a`, { metadata: { labels: { colour } } }, merge)
    await using watch = await api.watch(
      `${api.gizmos}?labelSelector=colour%3Dred&resourceVersion=${await version(api)}`,
    )
    await paint('blue')
    const red = await paint('red')
    await api.object('PATCH', `${api.gizmos}/a`, { spec: { size: 'l' } }, merge)
    const gone = await paint('blue')
    await api.object('DELETE', `${api.gizmos}/a`)
    await api.object('POST', api.gizmos, { ...gizmo('b'), metadata: { name: 'b', labels: { colour: 'red' } } })
    const events = [await watch.next(), await watch.next(), await watch.next(), await watch.next()]
    assert.deepEqual(
      events.map(({ type, object }) => `${type} ${object.metadata.name}`),
      ['ADDED a', 'MODIFIED a', 'DELETED a', 'ADDED b'],
    )
    assert.equal(events[0]?.object.metadata.resourceVersion, red.metadata.resourceVersion)
    assert.equal(events[2]?.object.metadata.resourceVersion, gone.metadata.resourceVersion)
  },
  'a watch of one name sees only it': async (api) => {
    await using watch = await api.watch(`${api.gizmos}?fieldSelector=metadata.name%3Db`)
    for (const name of ['a', 'b', 'c']) await api.object('POST', api.gizmos, gizmo(name))
    await api.object('DELETE', `${api.gizmos}/b`)
    assert.deepEqual(await words(watch, 2), ['ADDED b', 'DELETED b'])
  },
  'a watch of a field follows the field': async (api) => {
    await using watch = await api.watch(`${api.gizmos}?fieldSelector=spec.size%3Dl`)
    await api.object('POST', api.gizmos, gizmo('a'))
    await api.object('PATCH', `${api.gizmos}/a`, { spec: { size: 'l' } }, merge)
    await api.object('PATCH', `${api.gizmos}/a`, { spec: { size: 's' } }, merge)
    assert.deepEqual(await words(watch, 2), ['ADDED a', 'DELETED a'])
  },
  'a list by watching ends with a bookmark, and goes on': async (api) => {
    await api.object('POST', api.gizmos, gizmo('a'))
    const query = 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true'
    await using watch = await api.watch(`${api.gizmos}?${query}`)
    assert.deepEqual(await words(watch, 1), ['ADDED a'])
    const { type, object } = await watch.next()
    assert.equal(type, 'BOOKMARK')
    assert.equal(object.metadata.annotations?.['k8s.io/initial-events-end'], 'true')
    await api.object('POST', api.gizmos, gizmo('b'))
    assert.deepEqual(await words(watch, 1), ['ADDED b'])
  },
  'a list by watching needs its version match': async (api) => {
    await api.refused(422, 'Invalid', api.ask('GET', `${api.gizmos}?watch=true&sendInitialEvents=true`))
    await api.refused(422, 'Invalid', api.ask('GET', `${api.gizmos}?watch=true&resourceVersionMatch=NotOlderThan`))
  },
  'a watch ends when its time is up': async (api) => {
    await using watch = await api.watch(`${api.gizmos}?timeoutSeconds=1`)
    await assert.rejects(watch.next(), /ended/)
  },
  'a no-op is no event': async (api) => {
    const made = await api.object('POST', api.gizmos, gizmo('a'))
    await using watch = await api.watch(`${api.gizmos}?resourceVersion=${made.metadata.resourceVersion}`)
    await api.object('PUT', `${api.gizmos}/a`, made)
    await api.object('POST', api.gizmos, gizmo('b'))
    assert.deepEqual(await words(watch, 1), ['ADDED b'])
  },
}
