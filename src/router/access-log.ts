import type { ExchangeRecord } from './exchange-record.ts'
import { shortened } from './openai-error.ts'

export type AccessLogFormat = 'json' | 'text'

/** One line a request, without a newline. Keys as in Kthena's access log; what is unknown is left out. */
export function accessLine(format: AccessLogFormat, record: ExchangeRecord, endMs: number): string {
  const upstreamStart = record.upstreamStartMs ?? endMs
  const answered = record.firstByteMs ?? endMs
  const timings = {
    duration_total: endMs - record.startMs,
    duration_request_processing: upstreamStart - record.startMs,
    duration_upstream_processing: Math.max(0, answered - upstreamStart),
    duration_response_processing: Math.max(0, endMs - Math.max(answered, upstreamStart)),
  }
  const facts = {
    model_name: shortened(record.model ?? ''),
    model_route: record.route,
    model_server: record.server,
    selected_pod: record.pod,
    request_id: record.requestId,
    backend_type: record.server === undefined ? undefined : 'model_server',
    backend_name: record.server,
    upstream_model: record.upstreamModel,
    upstream_status_code: record.upstreamStatus,
    upstream_attempts: record.attempts || undefined,
    error_origin: record.errorOrigin,
  }
  const time = new Date(record.startMs).toISOString()
  const { method, path, protocol, status, errorType, errorMessage, usage } = record
  const failed = errorType !== 'successful_request'
  if (format === 'json') {
    return JSON.stringify({
      timestamp: time,
      method,
      path,
      protocol,
      status_code: status,
      error: failed ? { type: errorType, message: errorMessage ?? '' } : undefined,
      ...facts,
      input_tokens: usage?.inputTokens,
      output_tokens: usage?.outputTokens,
      ...timings,
    })
  }
  const words = [`[${time}]`, `"${method} ${escaped(path)} ${protocol}"`, String(status)]
  if (failed) words.push(`error=${errorType}:${escaped(errorMessage ?? '')}`)
  for (const [name, value] of Object.entries(facts))
    if (value !== undefined) words.push(`${name}=${escaped(String(value))}`)
  if (usage !== undefined) words.push(`tokens=${usage.inputTokens}/${usage.outputTokens}`)
  const { duration_request_processing: before, duration_upstream_processing: engine } = timings
  words.push(`timings=${timings.duration_total}ms(${before}+${engine}+${timings.duration_response_processing})`)
  return words.join(' ')
}

export interface LineBuffer {
  add(line: string): void
  /** Writes what is there now. */
  flush(): void
}

/** One write, often a blocking one, for all the lines of a turn of the event loop. */
export function lineBuffer(write: (lines: string) => void): LineBuffer {
  let lines: string[] = []
  const flush = (): void => {
    if (lines.length === 0) return
    const text = lines.join('\n')
    lines = []
    write(text)
  }
  return {
    add(line) {
      if (lines.push(line) === 1) setImmediate(flush)
    },
    flush,
  }
}

/** What a client wrote must not be able to begin a line or a word of its own. */
function escaped(text: string): string {
  return /^[\x21\x23-\x7e]*$/.test(text) ? text : JSON.stringify(text)
}
