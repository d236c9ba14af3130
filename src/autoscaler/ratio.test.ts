import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { enforceRatio, type RatioResult } from './ratio.ts'

type Side = readonly [replicas: number, min: number, max: number]
interface Row {
  readonly n: Side
  readonly d: Side
  readonly range: readonly [number, number]
  readonly want: readonly [n: number, d: number, ratio: number | undefined, violated: boolean]
}

const rows: Record<string, Row> = {
  '49 too many above raise those below': { n: [6, 0, 8], d: [2, 0, 16], range: [0.25, 1], want: [6, 6, 1, false] },
  '50 too few above are raised': { n: [1, 0, 8], d: [8, 0, 16], range: [0.25, 1], want: [2, 8, 0.25, false] },
  '51 where they cannot be, those below are lowered': {
    n: [2, 0, 3],
    d: [20, 0, 20],
    range: [0.25, 1],
    want: [3, 12, 0.25, false],
  },
  '52 where those below cannot be raised, those above are lowered': {
    n: [8, 1, 8],
    d: [3, 1, 4],
    range: [0.25, 1],
    want: [4, 4, 1, false],
  },
  '53 to whole numbers': { n: [5, 1, 10], d: [3, 1, 3], range: [0.5, 1.5], want: [4, 3, 4 / 3, false] },
  '54 into a narrow range': { n: [3, 1, 8], d: [2, 1, 16], range: [0.7, 0.8], want: [3, 4, 0.75, false] },
  '55 no whole numbers fit, and it says so': { n: [1, 1, 2], d: [1, 1, 1], range: [1.5, 1.6], want: [2, 1, 2, true] },
  '56 the bounds do not fit, and it says so': {
    n: [1, 0, 1],
    d: [10, 6, 10],
    range: [0.25, 1],
    want: [1, 6, 1 / 6, true],
  },
  '57 one below nothing becomes one': { n: [0, 0, 8], d: [4, 0, 16], range: [0.25, 1], want: [1, 4, 0.25, false] },
  '57 nothing below something grows to fit': { n: [4, 0, 8], d: [0, 0, 16], range: [0.25, 1], want: [4, 4, 1, false] },
  '57 both at zero are left alone': { n: [0, 0, 8], d: [0, 0, 16], range: [0.25, 1], want: [0, 0, undefined, false] },
}

const side = ([replicas, min, max]: Side) => ({ replicas, min, max })
const shown = ({ numerator, denominator, ratio, violated }: RatioResult) => [numerator, denominator, ratio, violated]

for (const [name, { n, d, range, want }] of Object.entries(rows)) {
  test(name, () => {
    const result = enforceRatio({ numerator: side(n), denominator: side(d), range: { min: range[0], max: range[1] } })
    assert.deepEqual(shown(result), want)
    assert.equal(result.adjusted, want[0] !== n[0] || want[1] !== d[0])
  })
}

test('what comes out satisfies the range, or is said not to', () => {
  const sides = fc.record({ min: fc.nat(6), room: fc.nat(20), replicas: fc.nat(30) })
  const ranges = fc.record({
    min: fc.double({ min: 0, max: 3, noNaN: true }),
    room: fc.double({ min: 0.01, max: 3, noNaN: true }),
  })
  fc.assert(
    fc.property(sides, sides, ranges, (top, bottom, { min, room }) => {
      const bounds = (s: typeof top) => ({ replicas: s.replicas, min: s.min, max: Math.max(1, s.min + s.room) })
      const [numerator, denominator, range] = [bounds(top), bounds(bottom), { min, max: min + room }]
      const result = enforceRatio({ numerator, denominator, range })
      for (const [value, { min: least, max: most }] of [
        [result.numerator, numerator],
        [result.denominator, denominator],
      ] as const) {
        assert.ok(Number.isInteger(value) && value >= least && value <= most)
      }
      if (result.violated || result.ratio === undefined) return
      assert.ok(result.ratio >= range.min - 1e-6 && result.ratio <= range.max + 1e-6)
    }),
  )
})
