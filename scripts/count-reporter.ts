import type { TestEvent } from 'node:test/reporters'

/** In the order and under the names of Node's own last lines. */
export const countNames = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const
export type Counts = Record<(typeof countNames)[number], number>

/** Writes the counts of a whole run as one JSON object. */
// oxlint-disable-next-line import/no-default-export -- what --test-reporter loads
export default async function* countReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    // There is a summary of each file too.
    if (event.type !== 'test:summary' || event.data.file !== undefined) continue
    // The types know of no failed ones.
    const { passed: pass, failed: fail, ...counts } = event.data.counts as typeof event.data.counts & { failed: number }
    yield JSON.stringify({ ...counts, pass, fail })
  }
}
