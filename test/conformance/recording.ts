/** What a real API server answered, kept in `testdata`: a file for each subject, a line for each call. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Recording } from './replay.ts'

function fileOf(subject: string): string {
  return join(import.meta.dirname, 'testdata', `calls-${subject}.json`)
}

export function readRecording(subject: string): Recording {
  return JSON.parse(readFileSync(fileOf(subject), 'utf8')) as Recording
}

export function writeRecording(subject: string, recording: Recording): void {
  const lines = Object.entries(recording).map(
    ([sentence, answer]) => `${JSON.stringify(sentence)}: ${JSON.stringify(answer)}`,
  )
  writeFileSync(fileOf(subject), `{\n${lines.join(',\n')}\n}\n`)
}
