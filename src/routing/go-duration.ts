const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5,
}

/** Milliseconds of a Go duration such as `1m30s` or `0`; undefined for anything else, negative ones included. */
export function parseGoDuration(text: string): number | undefined {
  if (/^\+?0$/.test(text)) return 0
  if (!/^\+?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined
  let totalMs = 0
  for (const [, amount, unit] of text.matchAll(/([\d.]+)([a-zµμ]+)/g))
    totalMs += Number(amount) * (unitMs[unit ?? ''] ?? 0)
  return totalMs
}
