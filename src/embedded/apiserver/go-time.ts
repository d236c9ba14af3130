/** A text that is no time, in the words of Go's `time` package. */
export class GoTimeError extends Error {}

interface Element {
  readonly layout: string
  readonly shape: RegExp
}

const digits = (count: number, layout: string): Element => ({ layout, shape: new RegExp(`^\\d{${count}}`) })
const literal = (text: string): Element => ({ layout: text, shape: new RegExp(`^${text}`) })

const toSeconds: readonly Element[] = [
  digits(4, '2006'),
  literal('-'),
  digits(2, '01'),
  literal('-'),
  digits(2, '02'),
  literal('T'),
  digits(2, '15'),
  literal(':'),
  digits(2, '04'),
  literal(':'),
  digits(2, '05'),
]
const zone: Element = { layout: 'Z07:00', shape: /^(?:Z|[+-]\d{2}:\d{2})/ }
const micros: Element = { layout: '.000000', shape: /^\.\d{6}(?!\d)/ }
/** Go reads a fraction after the seconds even where the layout has none. */
const anyFraction: Element = { layout: '', shape: /^(?:\.\d+)?/ }

/**
 * RFC 3339 as Kubernetes reads and writes it: in UTC, with seconds, or with microseconds exactly.
 * Throws a GoTimeError for anything else.
 */
export function goTime(text: string, micro: boolean): string {
  const layout = micro ? '2006-01-02T15:04:05.000000Z07:00' : '2006-01-02T15:04:05Z07:00'
  let rest = text
  for (const element of [...toSeconds, micro ? micros : anyFraction, zone]) {
    const found = element.shape.exec(rest)?.[0]
    if (found === undefined) {
      throw new GoTimeError(
        `parsing time ${JSON.stringify(text)} as "${layout}": cannot parse ${JSON.stringify(rest)} as "${element.layout}"`,
      )
    }
    rest = rest.slice(found.length)
  }
  if (rest !== '') throw new GoTimeError(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`)
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) throw new GoTimeError(`parsing time ${JSON.stringify(text)}: day out of range`)
  const seconds = new Date(ms).toISOString().slice(0, 19)
  return micro ? `${seconds}${/\.\d{6}/.exec(text)?.[0] ?? ''}Z` : `${seconds}Z`
}
