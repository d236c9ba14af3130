import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigMap } from '#api/core/kinds.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import type { InformerHandler, Informers } from '#kube/informer.ts'
import { Expectations } from './expectations.ts'

function object(resourceVersion: string, metadata: object = {}): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', uid: 'u', resourceVersion, ...metadata } }
}

/** Expectations over a cache of one kind that shows what the test says. */
function setup() {
  const handlers = new Set<InformerHandler<ConfigMap>>()
  const informers = {
    of: () => ({
      subscribe(handler: InformerHandler<ConfigMap>) {
        handlers.add(handler)
        return () => handlers.delete(handler)
      },
    }),
  } as unknown as Informers // the rest is never called
  const clock = manualClock()
  const released: string[] = []
  const expectations = new Expectations(informers, clock, (key) => released.push(key))
  expectations.follow(ConfigMap)
  return {
    clock,
    released,
    expectations,
    begin: () => expectations.begin('key'),
    show: (shown: ConfigMap) => handlers.forEach((handler) => handler.upsert(shown, undefined)),
    remove: (last: ConfigMap) => handlers.forEach((handler) => handler.remove(last)),
  }
}

test('a key is held until its write is shown, then released once', () => {
  const { expectations, begin, show, released } = setup()
  const writes = begin()
  writes.landed(object('2'), object('1'))
  writes.close()
  assert.equal(expectations.hold('key'), true)
  assert.equal(expectations.hold('other'), false)
  show(object('1'))
  assert.deepEqual(released, [])
  show(object('2'))
  show(object('3'))
  assert.deepEqual(released, ['key'])
  assert.equal(expectations.hold('key'), false)
})

test('what is shown before the answer comes, or before the pass is over, is not waited for', () => {
  const { expectations, begin, show } = setup()
  const writes = begin()
  show(object('2'))
  writes.landed(object('2'), object('1'))
  writes.landed(object('3'), object('2'))
  show(object('3'))
  writes.close()
  assert.equal(expectations.isIdle(), true)
})

test('a write that changed nothing is not waited for: no event will tell of it', () => {
  const { expectations, begin } = setup()
  const writes = begin()
  writes.landed(object('1'), object('1'))
  writes.close()
  assert.equal(expectations.hold('key'), false)
})

test('of two writes to an object both are waited for', () => {
  const { begin, show, released, expectations } = setup()
  const writes = begin()
  writes.landed(object('2'), object('1'))
  writes.landed(object('3'), object('1'))
  writes.close()
  expectations.hold('key')
  show(object('2'))
  assert.deepEqual(released, [])
  show(object('3'))
  assert.deepEqual(released, ['key'])
})

test('a delete is seen when the object goes, or when it is going', () => {
  for (const leave of ['removed', 'marked'] as const) {
    const { begin, show, remove, expectations, released } = setup()
    const writes = begin()
    writes.deleted('u')
    writes.close()
    expectations.hold('key')
    show(object('2'))
    assert.deepEqual(released, [])
    if (leave === 'removed') remove(object('2'))
    else show(object('3', { deletionTimestamp: 'now' }))
    assert.deepEqual(released, ['key'])
  }
})

test('no key is held for ever: a version that the watch skipped is given up on', () => {
  const { begin, clock, expectations, released } = setup()
  const writes = begin()
  writes.landed(object('2'), object('1'))
  writes.close()
  expectations.hold('key')
  clock.advance(5_000)
  assert.deepEqual(released, ['key'])
  assert.equal(expectations.isIdle(), true)
  assert.equal(clock.pending, 0)
})
