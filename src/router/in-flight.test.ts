import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Endpoint } from '#routing/snapshot.ts'
import { InFlight, leastLoaded, leastLoadedPair } from './in-flight.ts'

const pod = (uid: string): Endpoint => ({ pod: `ns/${uid}`, uid, origin: `http://${uid}` })
const [a, b, c] = [pod('a'), pod('b'), pod('c')]
const loads = (counts: Record<string, number>) => ({ of: ({ uid }: Endpoint) => counts[uid] ?? 0 })
const nothing: ReadonlySet<string> = new Set()

const cases: Record<
  string,
  { counts: Record<string, number>; random?: number; excluded?: string[]; want: string | undefined }
> = {
  'the pod with the fewest requests is chosen': { counts: { a: 2, b: 1, c: 3 }, want: 'b' },
  'chance decides between equals: first': { counts: { a: 1, b: 2, c: 1 }, random: 0, want: 'a' },
  'chance decides between equals: last': { counts: { a: 1, b: 2, c: 1 }, random: 0.99, want: 'c' },
  'an excluded pod is not chosen': { counts: { a: 0, b: 5, c: 6 }, excluded: ['a'], want: 'b' },
  'all excluded leaves none': { counts: {}, excluded: ['a', 'b', 'c'], want: undefined },
}
for (const [name, { counts, random = 0, excluded = [], want }] of Object.entries(cases)) {
  test(name, () => assert.equal(leastLoaded([a, b, c], loads(counts), random, new Set(excluded))?.uid, want))
}

test('equals are chosen equally often', () => {
  const chosen = Array.from({ length: 900 }, (_, i) => leastLoaded([a, b, c], loads({}), i / 900, nothing)?.uid)
  for (const uid of ['a', 'b', 'c']) assert.equal(chosen.filter((one) => one === uid).length, 300)
})

const pairs = [
  { group: '0', decode: pod('d0'), prefill: [pod('p0'), pod('q0')] },
  { group: '1', decode: pod('d1'), prefill: [pod('p1')] },
]
const pairCases: Record<string, { counts: Record<string, number>; excluded?: string[]; want: string | undefined }> = {
  'the least loaded decode pod brings its group': { counts: { d0: 1, p1: 9 }, want: 'd1 p1' },
  'within the group the least loaded prefill pod is taken': { counts: { d1: 1, p0: 1 }, want: 'd0 q0' },
  'a group whose prefill pods all failed is passed over': { counts: { d1: 5 }, excluded: ['p0', 'q0'], want: 'd1 p1' },
  'a prefill pod that failed is replaced within its group': { counts: { d1: 5 }, excluded: ['p0'], want: 'd0 q0' },
  'no whole group leaves none': { counts: {}, excluded: ['d0', 'p1'], want: undefined },
}
for (const [name, { counts, excluded = [], want }] of Object.entries(pairCases)) {
  test(name, () => {
    const pair = leastLoadedPair(pairs, loads(counts), 0, new Set(excluded))
    assert.equal(pair && `${pair.decode.uid} ${pair.prefill.uid}`, want)
  })
}

test('counts go up and down, and never below nothing', () => {
  const inFlight = new InFlight()
  inFlight.add(a)
  inFlight.add(a)
  inFlight.remove(a)
  assert.equal(inFlight.of(a), 1)
  inFlight.remove(a)
  inFlight.remove(a)
  assert.equal(inFlight.of(a), 0)
})
