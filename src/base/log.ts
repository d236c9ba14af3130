import { messageOf } from './fault.ts'

/**
 * Structured logs: a constant message, facts as fields. `info` when the world was changed, `debug` per pass,
 * `error` once, at the runtime's edge. Never a secret, a prompt or a completion.
 */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log whose every line carries `fields` too. */
  with(fields: LogFields): Log
}

export type LogFields = Readonly<Record<string, unknown>>

/** What a log is told of a throw that nobody expected. An error by itself has no members that JSON would show. */
export function factsOf(error: unknown): LogFields {
  return { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined }
}

const nothing = (): void => {}

export const silentLog: Log = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  with: () => silentLog,
}
