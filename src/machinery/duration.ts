/** Milliseconds of each of Go's units: https://pkg.go.dev/time#ParseDuration */
const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
}

const goDuration = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const goPart = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g
/** Beyond this a Go duration overflows: 2^63 - 1 nanoseconds. */
const maxMs = 9_223_372_036_854

/** Milliseconds of a Go duration such as `1h30m` or `-100ms`; `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  if (!goDuration.test(text)) return undefined
  let ms = 0
  for (const [, amount, unit] of text.matchAll(goPart)) ms += exactMs(Number(amount), unit ?? '')
  if (ms > maxMs) return undefined
  return text.startsWith('-') ? -ms : ms
}

/** To the nanosecond; a bare product of floats would drift. */
function exactMs(amount: number, unit: string): number {
  const ms = amount * (unitMs[unit] ?? 0)
  return Number.isInteger(amount) && Number.isInteger(ms) ? ms : Math.round(ms * 1e6) / 1e6
}

/** As Go prints it: `1h30m0s`, `1.5s`, `100ms`, `0s`. */
export function formatDuration(ms: number): string {
  const sign = ms < 0 ? '-' : ''
  const size = Math.abs(ms)
  if (size < 1000) {
    const nanos = Math.round(size * 1e6)
    if (nanos === 0) return '0s'
    if (nanos < 1000) return `${sign}${nanos}ns`
    return nanos < 1e6 ? `${sign}${nanos / 1e3}µs` : `${sign}${nanos / 1e6}ms`
  }
  const minutes = Math.floor(size / 60_000)
  const seconds = `${Math.round((size - minutes * 60_000) * 1e6) / 1e9}s`
  if (minutes === 0) return sign + seconds
  const hours = Math.floor(minutes / 60)
  return `${sign}${hours === 0 ? '' : `${hours}h`}${minutes % 60}m${seconds}`
}

const shortUnit = /\d\s*(?:ns|us|µs|ms|s|m|h|hr|d|w|wk)(?![a-zµ])/i
const longUnit = /\d\s*(?:nano|micro|milli|sec|min|hour|day|week)/i

/** Whether OpenAPI's format `duration` takes it: a Go duration, or words such as `2 days 3 hours`. */
export function isDurationFormat(text: string): boolean {
  return parseDuration(text) !== undefined || shortUnit.test(text) || longUnit.test(text)
}
