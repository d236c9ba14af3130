import assert from 'node:assert/strict'
import type { ApiCases } from './api-suite.ts'
import { configMap, gizmo, merge, pod } from './api-target.ts'

export const deleteCases: ApiCases = {
  'a deleted object is gone': async (api) => {
    await api.object('POST', api.configMaps, configMap('a'))
    const status = await api.object('DELETE', `${api.configMaps}/a`)
    assert.deepEqual([status.kind, status.status], ['Status', 'Success'])
    await api.refused(404, 'NotFound', api.ask('GET', `${api.configMaps}/a`))
  },
  'finalizers hold an object until the last is taken away': async (api) => {
    const finalizers = ['example.com/one', 'example.com/two']
    await api.object('POST', api.gizmos, { ...gizmo('g'), metadata: { name: 'g', finalizers } })
    const held = await api.object('DELETE', `${api.gizmos}/g`)
    assert.match(held.metadata.deletionTimestamp ?? '', /Z$/)
    const patch = (left: string[]) => api.object('PATCH', `${api.gizmos}/g`, { metadata: { finalizers: left } }, merge)
    const less = await patch(['example.com/two'])
    assert.equal(less.metadata.deletionTimestamp, held.metadata.deletionTimestamp)
    await patch([])
    await api.refused(404, 'NotFound', api.ask('GET', `${api.gizmos}/g`))
  },
  'no finalizer is added to what is being deleted': async (api) => {
    await api.object('POST', api.gizmos, { ...gizmo('g'), metadata: { name: 'g', finalizers: ['example.com/one'] } })
    await api.object('DELETE', `${api.gizmos}/g`)
    const patch = { metadata: { finalizers: ['example.com/one', 'example.com/two'] } }
    await api.refused(422, 'Invalid', api.ask('PATCH', `${api.gizmos}/g`, patch, merge))
  },
  'foreground and orphan are finalizers': async (api) => {
    for (const [propagationPolicy, finalizer] of [
      ['Foreground', 'foregroundDeletion'],
      ['Orphan', 'orphan'],
    ]) {
      const name = String(propagationPolicy).toLowerCase()
      await api.object('POST', api.gizmos, { ...gizmo(name), metadata: { name, finalizers: ['example.com/hold'] } })
      // What is answered is the object as it was marked: a garbage collector may be done before one looks again.
      const options = { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy }
      const { finalizers } = (await api.object('DELETE', `${api.gizmos}/${name}`, options)).metadata
      assert.ok(finalizers?.includes(finalizer ?? ''), `${finalizers}`)
    }
  },
  'a deletion that means another object conflicts': async (api) => {
    const made = await api.object('POST', api.configMaps, configMap('a'))
    const remove = (preconditions: object) => api.ask('DELETE', `${api.configMaps}/a`, { preconditions })
    await api.refused(409, 'Conflict', remove({ uid: 'another' }))
    await api.refused(409, 'Conflict', remove({ resourceVersion: '1' }))
    assert.equal((await remove({ uid: made.metadata.uid, resourceVersion: made.metadata.resourceVersion })).status, 200)
  },
  'a collection is deleted by selector': async (api) => {
    for (const [name, colour] of [
      ['a', 'red'],
      ['b', 'blue'],
      ['c', 'red'],
    ]) {
      await api.object(
        'POST',
        api.configMaps,
        configMap(name ?? '', { metadata: { labels: { colour: colour ?? '' } } }),
      )
    }
    await api.object('DELETE', `${api.configMaps}?labelSelector=colour%3Dred`)
    const { items } = await api.list(`${api.configMaps}?labelSelector=colour`)
    assert.deepEqual(
      items.map(({ metadata }) => metadata.name),
      ['b'],
    )
  },
  'a pod that runs nowhere is gone at once': async (api) => {
    await api.object('POST', api.pods, pod('p'))
    await api.object('DELETE', `${api.pods}/p`)
    await api.refused(404, 'NotFound', api.ask('GET', `${api.pods}/p`))
  },
  'a bound pod is given its grace period, and less on request': async (api) => {
    await api.object('POST', api.pods, pod('p', { nodeName: 'nowhere', terminationGracePeriodSeconds: 60 }))
    const going = await api.object('DELETE', `${api.pods}/p`)
    assert.equal(going.metadata.deletionGracePeriodSeconds, 60)
    const sooner = await api.object('DELETE', `${api.pods}/p?gracePeriodSeconds=5`)
    assert.equal(sooner.metadata.deletionGracePeriodSeconds, 5)
    const later = await api.object('DELETE', `${api.pods}/p?gracePeriodSeconds=50`)
    assert.equal(later.metadata.deletionGracePeriodSeconds, 5)
    await api.object('DELETE', `${api.pods}/p?gracePeriodSeconds=0`)
    await api.refused(404, 'NotFound', api.ask('GET', `${api.pods}/p`))
  },
  'a wrong propagation policy is refused': async (api) => {
    await api.object('POST', api.configMaps, configMap('a'))
    await api.refused(422, 'Invalid', api.ask('DELETE', `${api.configMaps}/a?propagationPolicy=Sideways`))
  },
}
