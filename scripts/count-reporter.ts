import type { TestEvent } from 'node:test/reporters'

/** In the order and under the names of Node's own last lines. */
export const countNames = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const
export type Counts = Record<(typeof countNames)[number], number>

/** A file whose process failed, not a test in it: the reporter of dots names no cause then. */
export interface FailedFile {
  readonly name: string
  /** Its exit status, or the signal that it died of. */
  readonly end: string | number
  /** The last that it wrote to standard error. */
  readonly said: string
}

export interface Report {
  readonly counts: Counts
  readonly failedFiles: readonly FailedFile[]
}

const keptCharacters = 4_000

/** Writes the `Report` of a whole run as one JSON object. */
// oxlint-disable-next-line import/no-default-export -- what --test-reporter loads
export default async function* countReporter(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const said = new Map<string, string>()
  const failedFiles: FailedFile[] = []
  for await (const { type, data } of events) {
    if (type === 'test:stderr') said.set(data.file, ((said.get(data.file) ?? '') + data.message).slice(-keptCharacters))
    if (type === 'test:fail') {
      const { exitCode, signal } = data.details.error as { exitCode?: number | null; signal?: string | null }
      const end = signal ?? exitCode
      if (end !== undefined && end !== null) failedFiles.push({ name: data.name, end, said: said.get(data.name) ?? '' })
    }
    // There is a summary of each file too.
    if (type !== 'test:summary' || data.file !== undefined) continue
    // The types know of no failed ones.
    const { passed: pass, failed: fail, ...counts } = data.counts as typeof data.counts & { failed: number }
    yield JSON.stringify({ counts: { ...counts, pass, fail }, failedFiles } satisfies Report)
  }
}
