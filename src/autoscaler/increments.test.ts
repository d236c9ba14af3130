import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Gains, observedOf, quantile, rateOf, withCounts } from './increments.ts'

const bounds = [0.5, 1, 2, Infinity]

/** Cumulative counts of scrapes 15 s apart; the first column is the number of the worked example. */
const rows: Record<
  string,
  { scrapes: readonly (readonly number[])[]; bounds?: readonly number[]; want: number | undefined }
> = {
  '59 only what came since the last scrape counts': {
    scrapes: [
      [50, 90, 100, 100],
      [100, 180, 198, 200],
    ],
    want: 1.625,
  },
  // Predecessors say 0, and scale down what answers nobody because it is stuck.
  '61, A-13: without an observation there is no latency': {
    scrapes: [
      [5, 9, 10, 10],
      [5, 9, 10, 10],
    ],
    want: undefined,
  },
  // Predecessors give up on all pods.
  '62, A-13: counts that fell have begun anew': {
    scrapes: [
      [900, 900, 900, 900],
      [50, 90, 94, 100],
    ],
    want: 2 + 2 / 6,
  },
  'the first scrape alone tells nothing': { scrapes: [[50, 90, 100, 100]], want: undefined },
  'gains of several scrapes are looked at together': {
    scrapes: [
      [0, 0, 0, 0],
      [50, 90, 90, 90],
      [50, 90, 100, 100],
    ],
    want: 1.5,
  },
}
for (const [name, { scrapes, want }] of Object.entries(rows)) {
  test(name, () => {
    const gains = gainsOf(scrapes)
    const observed = observedOf(gains, bounds)
    const value = observed && quantile(observed, 95)
    assert.equal(value === undefined ? undefined : value.toFixed(6), want?.toFixed(6))
  })
}

const quantiles: Record<string, { bounds: readonly number[]; counts: readonly number[]; want: number | undefined }> = {
  '58 within a bucket observations are spread evenly': { bounds, counts: [50, 90, 100, 100], want: 1.5 },
  '60 the last bucket reaches to twice its lower bound': { bounds, counts: [50, 90, 94, 100], want: 2 + 2 / 6 },
  '63 a bucket without any bound says 0': { bounds: [Infinity], counts: [7], want: 0 },
  '64 up to the end of the last bucket': { bounds: [0.5, 0.75, Infinity], counts: [2, 4, 8], want: 1.5 },
  'nothing observed': { bounds, counts: [0, 0, 0, 0], want: undefined },
}
for (const [name, { bounds: of, counts, want }] of Object.entries(quantiles)) {
  test(name, () => assert.equal(quantile({ bounds: of, counts }, 95)?.toFixed(6), want?.toFixed(6)))
}

const rates: Record<string, { scrapes: readonly number[]; want: number | undefined }> = {
  'a counter is a rate': { scrapes: [100, 160], want: 4 },
  'a reset costs no more than one scrape': { scrapes: [1000, 1060, 20, 80], want: (60 + 20 + 60) / 45 },
  'one scrape is no rate': { scrapes: [100], want: undefined },
  'a rate forgets what is more than a minute back': { scrapes: [0, 900, 900, 900, 900, 900], want: 0 },
}
for (const [name, { scrapes, want }] of Object.entries(rates)) {
  test(name, () => assert.equal(rateOf(gainsOf(scrapes.map((count) => [count]))), want))
}

test('other buckets begin anew', () => {
  const first = withCounts(undefined, { atMs: 0, counts: [1, 2], layout: 'a' })
  const other = withCounts(first, { atMs: 15_000, counts: [9], layout: 'b' })
  assert.deepEqual(other.gains, [])
})

function gainsOf(scrapes: readonly (readonly number[])[]): Gains {
  let gains: Gains | undefined
  scrapes.forEach((counts, i) => {
    gains = withCounts(gains, { atMs: i * 15_000, counts, layout: 'same' })
  })
  if (gains === undefined) throw new Error('no scrapes')
  return gains
}
