import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiTarget } from '../suites/api-target.ts'
import { accepted } from './accepted.ts'
import { subjects } from './calls.ts'
import { type Difference, differences, printDifference } from './differences.ts'
import { readRecording } from './recording.ts'
import { replay } from './replay.ts'

export interface SuiteOptions {
  /** Whether it may differ from the recording where `accepted` says so. */
  readonly isEmbedded: boolean
  /** Whether subjects may be asked about side by side: each has a server of its own. */
  readonly concurrency: boolean
}

/** Asks a server all calls of the script and compares its answers with the recording. */
export function conformanceSuite(
  name: string,
  open: (subject: string) => Promise<ApiTarget>,
  options: SuiteOptions,
): void {
  test(name, { concurrency: options.concurrency }, async (context) => {
    const all = Object.entries(subjects).map(([subject, calls]) =>
      context.test(subject, async () => {
        const [wanted, got] = [readRecording(subject), await replay(await open(subject), subject, calls)]
        assert.deepEqual(Object.keys(wanted), Object.keys(calls), 'the recording is of this script: record it anew')
        const wrong = Object.keys(calls).flatMap((sentence) => {
          const found = differences(wanted[sentence], got[sentence])
          const told = options.isEmbedded ? unaccepted(sentence, found) : found.map(printDifference)
          return told.map((text) => `${sentence}: ${text}`)
        })
        assert.deepEqual(wrong, [])
      }),
    )
    await Promise.all(all)
  })
}

function unaccepted(sentence: string, found: readonly Difference[]): string[] {
  const entries = accepted.filter(({ calls }) => calls.includes(sentence))
  const isAt = (path: string, at: string): boolean => path === at || path.startsWith(`${at}.`)
  const unused = entries.filter(({ at }) => !found.some(({ path }) => at.some((part) => isAt(path, part))))
  const places = entries.flatMap(({ at }) => at)
  return [
    ...found.filter(({ path }) => !places.some((at) => isAt(path, at))).map(printDifference),
    ...unused.map(({ reason }) => `differs no more, and is accepted all the same: ${reason}`),
  ]
}
