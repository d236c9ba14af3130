import type { Io } from './io.ts'

export interface RecordingIo extends Io {
  out(): string
  errors(): string
  code(): number
}

/** An `Io` that keeps what it is given; no terminal unless told otherwise. */
export function recordingIo(overrides: Partial<Io> = {}): RecordingIo {
  let [out, errors, code] = ['', '', 0]
  return {
    write(text) {
      out += text
    },
    error(line) {
      errors += `${line}\n`
    },
    exit(status) {
      code = status
    },
    interactive: false,
    colors: false,
    columns: 80,
    rows: 24,
    env: {},
    ...overrides,
    out: () => out,
    errors: () => errors,
    code: () => code,
  }
}
