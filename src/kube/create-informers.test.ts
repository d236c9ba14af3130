import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { silentLog } from '#base/log.ts'
import type { Fetch } from '#machinery/http.ts'
import { metadataOf } from '#machinery/kind.ts'
import { createClient } from './create-client.ts'
import { createInformers, type InformersOptions } from './create-informers.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { type Answer, event, failure, list, scripted, status, stream, Thing, thing } from './script.testkit.ts'

function open(fetch: Fetch, options: Partial<InformersOptions> = {}) {
  const clock = manualClock()
  const client = createClient({ fetch, clock })
  const informers = createInformers({
    client,
    clock,
    log: silentLog,
    freeze: true,
    random: () => 0,
    watchLists: false,
    ...options,
  })
  const told: string[] = []
  const things = informers.of(Thing)
  things.subscribe({
    upsert: (object, old) => told.push(`${old === undefined ? 'new' : 'changed'} ${object.metadata.uid}`),
    remove: (object) => told.push(`gone ${object.metadata.uid}`),
    served: () => told.push('served'),
  })
  const settle = async () => {
    for (let turns = 0; turns < 60; turns++) await turn()
  }
  return { informers, things, told, clock, settle }
}

test('an object made anew under its old name goes and comes, whether a watch or a list shows it', async () => {
  const { fetch } = scripted([
    list(10, [thing('a', 1, 'a1'), thing('b', 1, 'b1'), thing('c', 1, 'c1')]),
    stream([event('ADDED', thing('a', 11, 'a2')), event('ERROR', status(410, 'Expired'))]),
    list(20, [thing('a', 11, 'a2'), thing('b', 15, 'b2')]),
  ])
  const { informers, told, settle } = open(fetch)
  await settle()
  assert.deepEqual(told.slice(3), ['gone a1', 'new a2', 'gone c1', 'gone b1', 'new b2'])
  await informers[Symbol.asyncDispose]()
})

test('what a list shows unchanged is told to nobody', async () => {
  const { fetch } = scripted([list(10, [thing('a', 1)]), failure(410, 'Expired'), list(20, [thing('a', 1)])])
  const { informers, told, settle } = open(fetch)
  await settle()
  assert.deepEqual(told, ['new uid-a'])
  await informers[Symbol.asyncDispose]()
})

test('an object that an index cannot read is filed nowhere, and costs the others nothing', async () => {
  const { fetch } = scripted([list(10, [thing('a', 1), thing('b', 1)]), stream([event('MODIFIED', thing('a', 11))])])
  const { informers, things, told, settle } = open(fetch)
  things.index('name', ({ metadata: { name = '' } }) => {
    if (name === 'a') throw new TypeError('no such member')
    return [name]
  })
  await settle()
  assert.deepEqual(told, ['new uid-a', 'new uid-b', 'changed uid-a'])
  assert.deepEqual([things.byIndex('name', 'a').length, things.byIndex('name', 'b').length], [0, 1])
  await informers[Symbol.asyncDispose]()
})

test('a handler that throws costs the others nothing', async () => {
  const { fetch } = scripted([list(10, [thing('a', 1)]), stream([event('ADDED', thing('b', 11))])])
  const { informers, things, told, settle } = open(fetch)
  things.subscribe({
    upsert() {
      throw new Error('a bug')
    },
    remove() {},
  })
  await settle()
  assert.deepEqual(told, ['new uid-a', 'new uid-b'])
  await informers[Symbol.asyncDispose]()
})

test('an index follows changes, and one added late knows what was there before', async () => {
  const valuesOf = ({ spec }: Thing) => [spec?.value === undefined || spec.value < 10 ? 'low' : 'high']
  const { fetch } = scripted([list(10, [thing('a', 1), thing('b', 2)]), stream([event('MODIFIED', thing('a', 11))])])
  const { informers, things, settle } = open(fetch)
  things.index('early', valuesOf)
  await settle()
  things.index('late', valuesOf)
  for (const name of ['early', 'late']) {
    assert.deepEqual(
      things.byIndex(name, 'high').map(({ metadata }) => metadata.name),
      ['a'],
    )
    assert.deepEqual(
      things.byIndex(name, 'low').map(({ metadata }) => metadata.name),
      ['b'],
    )
  }
  await informers[Symbol.asyncDispose]()
})

test('cached objects cannot be changed in place', async () => {
  const { informers, things, settle } = open(scripted([list(10, [thing('a', 1)])]).fetch)
  await settle()
  const cached = things.get({ namespace: 'default', name: 'a' })
  assert.throws(() => Object.assign(cached?.spec ?? {}, { value: 2 }), TypeError)
  await informers[Symbol.asyncDispose]()
})

test('waiting for the first list ends with its signal', async () => {
  const { informers, things } = open(scripted([]).fetch)
  const stop = new AbortController()
  const synced = things.synced(stop.signal)
  stop.abort(new Error('enough'))
  await assert.rejects(synced, /enough/)
  assert.equal(things.hasSynced(), false)
  await informers[Symbol.asyncDispose]()
})

test('who wants metadata alone gets it out of whole objects where those are followed, else by a watch of its own', async () => {
  const accepts: string[] = []
  const { fetch } = scripted([list(10, [thing('a', 1)]), stream([])])
  const { informers, things, settle } = open((request) => {
    accepts.push(request.headers.get('accept') ?? '')
    return fetch(request)
  })
  assert.equal(informers.of(metadataOf(Thing)), things)
  const other = { ...Thing, plural: 'others' }
  const apart = informers.of(metadataOf(other))
  assert.notEqual(informers.of(other), apart)
  assert.equal(informers.of(metadataOf(other)), apart, 'still, with its indexes')
  await settle()
  assert.deepEqual(accepts.filter((accept) => accept.includes('PartialObjectMetadataList')).length, 1)
  await informers[Symbol.asyncDispose]()
})

/** Answers each namespace from a script of its own. */
function byNamespace(scripts: Readonly<Record<string, readonly Answer[]>>) {
  const lines = new Map(Object.entries(scripts).map(([namespace, answers]) => [namespace, scripted(answers)]))
  const asked: string[] = []
  const fetch: Fetch = (request) => {
    const { pathname } = new URL(request.url)
    asked.push(pathname)
    const line = lines.get(/namespaces\/([^/]+)/.exec(pathname)?.[1] ?? '')
    if (line === undefined) throw new Error(`nobody should ask for ${pathname}`)
    return line.fetch(request)
  }
  return { fetch, asked }
}

const inTeam = (namespace: string, name: string, version: number): Thing => {
  const object = thing(name, version, `${namespace}-${name}`)
  return { ...object, metadata: { ...object.metadata, namespace } }
}

test('several namespaces fill one cache, a watch each; it is synced when all are', async () => {
  const late = Promise.withResolvers<Response>()
  const { fetch, asked } = byNamespace({
    red: [list(10, [inTeam('red', 'a', 1), inTeam('red', 'b', 2)]), failure(410, 'Expired'), list(20, [])],
    blue: [() => late.promise, stream([event('DELETED', inTeam('blue', 'a', 12))])],
  })
  const { informers, things, told, settle } = open(fetch, { namespacesOf: () => ['red', 'blue'] })
  await settle()
  assert.deepEqual([things.hasSynced(), informers.unsynced()], [false, [Thing]])
  late.resolve(list(11, [inTeam('blue', 'a', 3)]))
  await settle()
  assert.deepEqual([things.hasSynced(), informers.unsynced()], [true, []])
  assert.deepEqual(told, [
    'new red-a',
    'new red-b',
    'gone red-a', // listed anew, and nothing of the other is touched
    'gone red-b',
    'new blue-a',
    'gone blue-a',
  ])
  assert.ok(asked.every((path) => /\/namespaces\/(red|blue)\/things$/.test(path)))
  await informers[Symbol.asyncDispose]()
})

test('a kind that the server does not have is synced, and empty, until it is served', async () => {
  const absent = () => failure(404, 'NotFound')
  const told: string[] = []
  const { fetch } = scripted([absent, absent, list(10, [thing('a', 1)]), absent, absent, list(20, [])])
  const {
    informers,
    things,
    clock,
    settle,
    told: handled,
  } = open(fetch, { onServed: (kind, isServed) => told.push(`${kind.kind} ${isServed}`) })
  await settle()
  assert.equal(things.hasSynced(), false)
  clock.advance(500)
  await settle()
  assert.deepEqual([things.hasSynced(), things.list(), informers.absent()], [true, [], [Thing]])
  clock.advance(10_000)
  await settle()
  assert.deepEqual(informers.absent(), [])
  clock.advance(500)
  await settle()
  assert.deepEqual([things.list(), informers.absent()], [[], [Thing]])
  assert.deepEqual(told, ['Thing false', 'Thing true', 'Thing false'])
  assert.deepEqual(handled, ['new uid-a', 'served', 'gone uid-a'])
  await informers[Symbol.asyncDispose]()
})

/** A server with a history: it answers lists from its state, and watches from any version it has kept. */
function server() {
  const objects = new Map<string, Thing>()
  const history: { readonly version: number; readonly line: string }[] = []
  let version = 100
  let kept = 0
  let uids = 0
  let wake = Promise.withResolvers<void>()
  /** What becomes of the next requests. */
  const faults: ('cut' | 'reset' | 'error' | 'refuse')[] = []

  function change(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Thing): void {
    history.push({ version, line: event(type, object) })
    wake.resolve()
    wake = Promise.withResolvers()
  }

  const fetch: Fetch = async (request) => {
    const fault = faults.shift()
    if (fault === 'refuse') return failure(500, 'InternalError')
    const { searchParams } = new URL(request.url)
    if (!searchParams.has('watch')) return list(version, [...objects.values()])
    let at = Number(searchParams.get('resourceVersion'))
    if (at < kept) return failure(410, 'Expired')
    const bytes = (text: string) => new TextEncoder().encode(text)
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        for (;;) {
          if (at < kept) {
            controller.enqueue(bytes(event('ERROR', status(410, 'Expired'))))
            return controller.close()
          }
          const next = history.find((entry) => entry.version > at)
          if (next === undefined) {
            await wake.promise
            continue
          }
          at = next.version
          if (fault === 'cut') {
            controller.enqueue(bytes(next.line.slice(0, next.line.length / 2)))
            return controller.close()
          }
          if (fault === 'reset') return controller.error(new Error('read ECONNRESET'))
          if (fault === 'error') return controller.enqueue(bytes(event('ERROR', status(500, 'InternalError'))))
          return controller.enqueue(bytes(next.line))
        }
      },
    })
    return new Response(body)
  }

  return {
    fetch,
    faults,
    objects,
    put(name: string): void {
      version++
      const old = objects.get(name)
      const object = thing(name, version, old?.metadata.uid ?? `uid-${uids++}`)
      objects.set(name, object)
      change(old === undefined ? 'ADDED' : 'MODIFIED', object)
    },
    drop(name: string): void {
      const old = objects.get(name)
      if (old === undefined) return
      version++
      objects.delete(name)
      change('DELETED', { ...old, metadata: { ...old.metadata, resourceVersion: String(version) } })
    },
    compact(): void {
      kept = version
      history.length = 0
      wake.resolve()
      wake = Promise.withResolvers()
    },
  }
}

test('whatever happens to watches on the way, the cache and its handlers end up with what the server has', async () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), name }),
    fc.record({ do: fc.constant('drop' as const), name }),
    fc.record({ do: fc.constant('compact' as const) }),
    fc.record({
      do: fc.constant('fault' as const),
      fault: fc.constantFrom('cut' as const, 'reset' as const, 'error' as const, 'refuse' as const),
    }),
    fc.record({ do: fc.constant('pause' as const) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const api = server()
      const { informers, things, clock } = open(api.fetch)
      const seen = new Map<string, string>()
      things.subscribe({
        upsert: ({ metadata }, old) => {
          assert.equal(seen.has(metadata.uid ?? ''), old !== undefined)
          seen.set(metadata.uid ?? '', metadata.resourceVersion ?? '')
        },
        remove: ({ metadata }) => assert.ok(seen.delete(metadata.uid ?? '')),
      })
      const letGo = async (rounds: number) => {
        for (let round = 0; round < rounds; round++) {
          for (let turns = 0; turns < 4; turns++) await turn()
          clock.advance(1_000)
        }
      }
      for (const each of steps) {
        if (each.do === 'put') api.put(each.name)
        else if (each.do === 'drop') api.drop(each.name)
        else if (each.do === 'compact') api.compact()
        else if (each.do === 'fault') api.faults.push(each.fault)
        else await letGo(3)
      }
      // Whatever fault is left strikes, then there is peace.
      for (let round = 0; round < 200 && api.faults.length > 0; round++) {
        api.put('z')
        await letGo(1)
      }
      api.put('z')
      await letGo(40)
      const versions = (all: Iterable<Thing>) =>
        [...all].map(({ metadata }) => `${metadata.uid} ${metadata.resourceVersion}`).sort()
      assert.deepEqual(versions(things.list()), versions(api.objects.values()))
      assert.deepEqual([...seen].map((entry) => entry.join(' ')).sort(), versions(api.objects.values()))
      await informers[Symbol.asyncDispose]()
    }),
    { numRuns: 60 },
  )
})
