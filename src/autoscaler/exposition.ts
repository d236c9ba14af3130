/**
 * Prometheus' text format, as far as scaling needs it: a few families out of many, each as numbers.
 * Lines of other families are skipped unread, which is most of what an engine exposes.
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
import { Fault } from '#base/fault.ts'

export interface Family {
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped'
  /** One number for each label set; of a histogram none. */
  readonly values: readonly number[]
  /** Of a histogram: all label sets together. */
  readonly buckets: Buckets | undefined
}

/** Cumulative counts up to each bound, the bounds rising. */
export interface Buckets {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
}

const types: readonly string[] = ['counter', 'gauge', 'histogram', 'summary']

interface Draft {
  type: Family['type']
  readonly values: number[]
  readonly buckets: Map<number, number>
}

/** The families that are there. Faults: `unavailable` (`BadExposition`) for what is no such text. */
export function readExposition(text: string, wanted: ReadonlySet<string>): ReadonlyMap<string, Family> {
  const drafts = new Map<string, Draft>()
  const draftOf = (name: string): Draft => {
    let draft = drafts.get(name)
    if (draft === undefined) drafts.set(name, (draft = { type: 'untyped', values: [], buckets: new Map() }))
    return draft
  }
  for (const line of linesOf(text)) {
    const name = familyNamed(line, wanted)
    if (name === undefined) continue
    if (line.startsWith('#')) {
      const type = /^#\s+TYPE\s+\S+\s+(\w+)/.exec(line)?.[1]
      if (type !== undefined && types.includes(type)) draftOf(name).type = type as Family['type'] // it is one of them
    } else readSample(line, name, draftOf(name))
  }
  return new Map([...drafts].filter(([, draft]) => draft.values.length + draft.buckets.size > 0).map(finished))
}

function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf('\n', start)
    yield text.slice(start, end === -1 ? text.length : end).trim()
    if (end === -1) return
    start = end + 1
  }
}

/** The wanted family that a line speaks of. */
function familyNamed(line: string, wanted: ReadonlySet<string>): string | undefined {
  const name = /^(?:#\s+TYPE\s+)?([A-Za-z_:][\w:]*)/.exec(line)?.[1]
  if (name === undefined) {
    if (line === '' || line.startsWith('#')) return undefined
    throw bad(`not a line of metrics: ${shown(line)}`)
  }
  if (wanted.has(name)) return name
  const stem = name.replace(/_(?:bucket|sum|count)$/, '')
  return wanted.has(stem) ? stem : undefined
}

/** No two neighbours take the same white space: a line of nothing else must not take the square of its length. */
const sample = /^[\w:]+(?:\s*(\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\}))?\s*(\S+)(?:\s+-?\d+)?(?:\s+#.*)?$/
const boundLabel = /[{,]\s*le\s*=\s*"([^"]*)"/

function readSample(line: string, family: string, draft: Draft): void {
  const [, labels = '', text = ''] = sample.exec(line) ?? []
  const value = numberOf(text)
  if (value === undefined) throw bad(`not a sample: ${shown(line)}`)
  const bucket = line.startsWith(`${family}_bucket`)
  if (bucket) {
    const bound = numberOf(boundLabel.exec(labels)?.[1] ?? '')
    if (bound === undefined) throw bad(`a bucket without a bound: ${shown(line)}`)
    draft.buckets.set(bound, (draft.buckets.get(bound) ?? 0) + value)
  } else if (/^[\w:]+/.exec(line)?.[0] === family) draft.values.push(value)
}

/** `undefined` for what is no number; `+Inf` and `NaN` are some. */
function numberOf(text: string): number | undefined {
  if (/^[+-]?inf$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (/^nan$/i.test(text)) return Number.NaN
  const value = text === '' ? Number.NaN : Number(text)
  return Number.isNaN(value) ? undefined : value
}

function finished([name, { type, values, buckets }]: [string, Draft]): [string, Family] {
  const bounds = [...buckets.keys()].sort((a, b) => a - b)
  // Buckets alone are a histogram, though nobody says so: without values it would read as 0.
  const isHistogram = bounds.length > 0 && (type === 'histogram' || values.length === 0)
  if (!isHistogram) return [name, { type, values, buckets: undefined }]
  const counts = bounds.map((bound) => buckets.get(bound) ?? 0)
  return [name, { type: 'histogram', values: [], buckets: { bounds, counts } }]
}

function bad(what: string): Fault {
  return new Fault('unavailable', 'BadExposition', what)
}

function shown(line: string): string {
  return line.length > 60 ? `${line.slice(0, 60)}…` : line
}
