import type { IncomingHttpHeaders } from 'node:http'

/** Longer than any registry's window; what says more, we do not believe. */
const longestMs = 6 * 3_600_000

/**
 * How long a registry asks us to wait: by the standard header, in seconds or as a date, else by those of Docker Hub and
 * GitHub, which say when as seconds since the epoch. Undefined where none does.
 */
export function retryAfterMs(headers: IncomingHttpHeaders, nowMs: number): number | undefined {
  const waits = [
    waitOf(one(headers['retry-after']), nowMs),
    waitOf(one(headers['x-retry-after']), nowMs),
    waitOf(one(headers['x-ratelimit-reset']), nowMs),
    waitOf(one(headers['ratelimit-reset']), nowMs),
  ]
  const wait = waits.find((each) => each !== undefined)
  return wait === undefined ? undefined : Math.min(Math.max(wait, 0), longestMs)
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** No wait is as long as the time since 2001, so a number that large is a point in time. */
const epochFromSeconds = 1_000_000_000

function waitOf(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined
  if (/^\d+$/.test(text)) {
    const seconds = Number(text)
    return seconds >= epochFromSeconds ? seconds * 1000 - nowMs : seconds * 1000
  }
  const date = Date.parse(text)
  return Number.isNaN(date) ? undefined : date - nowMs
}
