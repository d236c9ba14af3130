import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import * as fc from 'fast-check'
import { isFault } from '#base/fault.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { type Change, type Entry, type Key, openStore, type Store, type StoreOptions } from './store.ts'

const pods = 'pods'
const key = (name: string, namespace = 'n', resource = pods): Key => ({ resource, namespace, name })
const say = (word: string) => (revision: number) => `${word}@${revision}`
const names = (entries: readonly Entry[]): string[] => entries.map(({ namespace, name }) => `${namespace}/${name}`)

function open(options: Partial<StoreOptions> = {}): Store {
  return openStore({ path: ':memory:', ...options })
}

function fileOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return join(folder, 'store.db')
}

test('a write is seen by the next decision at once, and by readers once committed', async () => {
  await using store = open()
  const write = store.put(key('a'), say('one'))
  assert.equal(store.latest(key('a'))?.text, 'one@2')
  assert.equal(store.get(key('a')), undefined)
  assert.deepEqual(store.list({ resource: pods }), [])
  await write
  assert.equal(store.get(key('a'))?.text, 'one@2')
})

test('a state that was decided can be waited for, and fails with its commit', async (t) => {
  await using store = open({ path: fileOf(t) })
  const write = store.put(key('a'), say('one'))
  const decided = store.latest(key('a')) as Entry
  assert.equal(await store.committed(decided), await write)
  assert.equal(await store.committed(decided), store.get(key('a')))
  const failing = store.put(key('b'), () => null as unknown as string)
  await assert.rejects(store.committed(store.latest(key('b')) as Entry), (error) => isFault(error, 'unavailable'))
  await assert.rejects(failing)
})

test('watchers are told before the writer is answered, once a commit, in order', async () => {
  await using store = open()
  const told: string[][] = []
  store.subscribe(pods, (changes) => told.push(changes.map(({ entry }) => entry.text)))
  const writes = [
    store.put(key('a'), say('a')),
    store.put(key('b', 'n', 'jobs'), say('b')),
    store.put(key('a'), say('c')),
  ]
  await Promise.race(writes)
  assert.deepEqual(told, [['a@2', 'c@4']])
})

test('a range holds one namespace, in order, and no namespace that merely begins alike', async () => {
  await using store = open()
  await Promise.all([key('b'), key('a'), key('z', 'n-2'), key('c', 'm')].map((place) => store.put(place, say('x'))))
  assert.deepEqual(names(store.list({ resource: pods, namespace: 'n' })), ['n/a', 'n/b'])
  assert.equal(store.list({ resource: pods }).length, 4)
})

test('a list of the past shows what was, and nothing later', async () => {
  await using store = open()
  await store.put(key('a'), say('old'))
  const { revision } = await store.put(key('b'), say('kept'))
  await Promise.all([
    store.put(key('a'), say('new')),
    store.delete(key('b'), say('gone')),
    store.put(key('c'), say('late')),
  ])
  assert.deepEqual(names(store.list({ resource: pods }, revision)), ['n/a', 'n/b'])
  assert.equal(store.list({ resource: pods }, revision)[0]?.text, 'old@2')
  assert.deepEqual(names(store.list({ resource: pods })), ['n/a', 'n/c'])
})

test('what is compacted can be neither listed nor watched from', async () => {
  await using store = open()
  for (const word of ['a', 'b', 'c']) await store.put(key('a'), say(word))
  store.compact(3)
  assert.equal(store.compacted, 3)
  assert.deepEqual(
    store.changes(pods, 3).map(({ entry }) => entry.text),
    ['c@4'],
  )
  for (const past of [() => store.changes(pods, 2), () => store.list({ resource: pods }, 2)]) {
    assert.throws(past, (error) => isFault(error) && error.code === 'Compacted')
  }
})

test('history is dropped when there is too much of it', async () => {
  await using store = open({ keep: { changes: 10, bytes: 1e9, ageMs: 1e9 } })
  for (let i = 0; i < 50; i++) await store.put(key('a'), say('x'))
  assert.ok(store.compacted >= 38, `compacted only to ${store.compacted}`)
  assert.ok(store.changes(pods, store.compacted).length >= 10)
})

test('history is dropped when it is too large', async () => {
  await using store = open({ keep: { changes: 1e9, bytes: 1_000, ageMs: 1e9 } })
  for (let i = 0; i < 50; i++) await store.put(key('a'), () => 'x'.repeat(100))
  assert.ok(store.changes(pods, store.compacted).length <= 11)
})

test('history is dropped when it is too old', async () => {
  let nowMs = 0
  let tick = (): void => {}
  const clock = {
    now: () => nowMs,
    after: (_: number, run: () => void) => {
      tick = run
      return { cancel: () => {} }
    },
  }
  await using store = open({ clock, keep: { changes: 1e9, bytes: 1e9, ageMs: 1_000 } })
  await store.put(key('a'), say('old'))
  nowMs = 2_000
  await store.put(key('b'), say('new'))
  tick()
  assert.equal(store.compacted, 2)
})

test('a store opened again is as it was, history and revision included', async (t) => {
  const path = fileOf(t)
  {
    await using store = open({ path })
    await store.put(key('a'), say('a'))
    await store.put(key('b'), say('b'))
    await store.put(key('a'), say('c'))
    store.compact(3)
    await store.delete(key('b'), say('gone'))
  }
  await using store = open({ path })
  assert.equal(store.revision, 5)
  assert.equal(store.compacted, 3)
  assert.deepEqual(
    store.list({ resource: pods }).map(({ text }) => text),
    ['c@4'],
  )
  assert.deepEqual(
    store.list({ resource: pods }, 4).map(({ text }) => text),
    ['c@4', 'b@3'],
  )
  assert.deepEqual(
    store.changes(pods, 3).map(({ entry, previous }) => [entry.text, previous?.text]),
    [
      ['c@4', 'a@2'],
      ['gone@5', 'b@3'],
    ],
  )
})

test('closing commits what was decided', async (t) => {
  const path = fileOf(t)
  {
    await using store = open({ path })
    void store.put(key('a'), say('a'))
  }
  await using store = open({ path })
  assert.equal(store.get(key('a'))?.text, 'a@2')
})

test('only its owner can read a store, and what SQLite puts beside it', async (t) => {
  const path = fileOf(t)
  await using store = open({ path })
  await store.put(key('a'), () => 'a')
  for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o777, 0o600, file)
})

test('a store that is in use cannot be opened a second time', async (t) => {
  const path = fileOf(t)
  await using _store = open({ path })
  assert.throws(
    () => open({ path }),
    (error) => isFault(error, 'conflict') && error.code === 'StoreInUse',
  )
})

test('a store of another format is refused', (t) => {
  const path = fileOf(t)
  const db = new DatabaseSync(path)
  db.exec('PRAGMA user_version = 999')
  db.close()
  assert.throws(
    () => open({ path }),
    (error) => isFault(error, 'invalid') && error.code === 'StoreFormat',
  )
})

test('a commit that fails leaves everything as it was, and its writers know', async (t) => {
  const path = fileOf(t)
  await using store = open({ path })
  await store.put(key('a'), say('a'))
  // A row that SQLite refuses makes the whole commit fail, as a full disk would.
  const taken = store.put({ ...key('b'), name: null as unknown as string }, say('b'))
  const beside = store.put(key('c'), say('c'))
  await assert.rejects(taken, (error) => isFault(error, 'unavailable'))
  await assert.rejects(beside, (error) => isFault(error, 'unavailable'))
  assert.equal(store.latest(key('c')), undefined)
  assert.equal((await store.put(key('c'), say('c'))).revision, 3)
})

test('history that cannot be dropped stays, and nothing else suffers', async (t) => {
  const path = fileOf(t)
  await using before = open({ path })
  await before[Symbol.asyncDispose]()
  const full = new DatabaseSync(path)
  full.exec("CREATE TRIGGER full BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
  full.close()
  const clock = manualClock()
  await using store = open({ path, clock, keep: { changes: 2, bytes: 1e9, ageMs: 1_000 } })
  for (let i = 0; i < 9; i++) await store.put(key('a'), say('x'))
  clock.advance(120_000)
  assert.equal(store.changes(pods, store.compacted).length, 8) // the first had nothing before it to drop
  assert.throws(() => store.compact(store.revision), /disk is full/)
})

/** One step of a random history; a number compacts so many revisions back. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ name: fc.constantFrom('a', 'b', 'c'), remove: fc.boolean() }) },
  { weight: 1, arbitrary: fc.nat(5) },
)

test('every revision that is kept lists as it stood when it was the newest, before and after reopening', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const path = join(folder, `${runs++}.db`)
      const past = new Map<number, string[]>()
      {
        await using store = open({ path, durability: 'off' })
        for (const change of steps) {
          if (typeof change === 'number') store.compact(store.revision - change)
          else if (!change.remove) await store.put(key(change.name), say(change.name))
          else if (store.get(key(change.name))) await store.delete(key(change.name), say('gone'))
          past.set(store.revision, texts(store))
        }
        check(store, past)
      }
      await using store = open({ path, durability: 'off' })
      check(store, past)
    }),
    { numRuns: 60 },
  )
})

function texts(store: Store, revision?: number): string[] {
  return store.list({ resource: pods }, revision).map(({ text }) => text)
}

function check(store: Store, past: ReadonlyMap<number, string[]>): void {
  for (const [revision, want] of past) {
    if (revision >= store.compacted) assert.deepEqual(texts(store, revision), want)
  }
  const changes: readonly Change[] = store.changes(pods, store.compacted)
  assert.ok(changes.every(({ entry }, i) => i === 0 || entry.revision > (changes[i - 1]?.entry.revision ?? 0)))
}
