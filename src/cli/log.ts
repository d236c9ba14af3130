import { pino } from 'pino'
import type { Log } from '#base/log.ts'
import type { LogLevel } from './log-level.ts'

/** JSON lines to a file or to standard error, written at once, so that nothing is lost with the process. */
export function openLog(level: LogLevel, file?: string): Log {
  const destination = pino.destination({ dest: file ?? 2, sync: true, append: true, mkdir: true, mode: 0o600 })
  return wrap(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination))
}

function wrap(logger: pino.Logger): Log {
  return {
    debug: (message, fields = {}) => logger.debug(fields, message),
    info: (message, fields = {}) => logger.info(fields, message),
    warn: (message, fields = {}) => logger.warn(fields, message),
    error: (message, fields = {}) => logger.error(fields, message),
    with: (fields) => wrap(logger.child(fields)),
  }
}
