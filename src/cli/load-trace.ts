/** Loads over time: from a CSV file, or made up. */
import type { LoadPoint } from '#autoscaler/what-if.ts'
import { Fault } from '#base/fault.ts'

/** What a column may be called that says when; its numbers are seconds. */
const timeColumns: readonly string[] = ['seconds', 'time', 't']
/** The column that stands for whatever metric has none of its own. */
const anyMetric = 'load'

/** Points of a CSV text whose first line names the columns: `seconds`, and the metrics, or `load` for all of them. */
export function parseLoadTrace(text: string, file: string, metrics: readonly string[]): LoadPoint[] {
  const lines = text
    .split(/\r?\n/)
    .map((line, i) => ({ cells: line.split(',').map((cell) => cell.trim()), line: i + 1 }))
  const [head, ...rows] = lines.filter(({ cells }) => cells.some((cell) => cell !== '') && !cells[0]?.startsWith('#'))
  const columns = head?.cells ?? []
  const time = columns.findIndex((name) => timeColumns.includes(name.toLowerCase()))
  const places = metrics.map((metric) => ({ metric, column: placeOf(columns, metric) }))
  const unknown = places.find(({ column }) => column === -1)
  if (time === -1 || unknown !== undefined) {
    const wanted = [timeColumns[0], ...metrics].join(',')
    throw wrong(
      file,
      head?.line ?? 1,
      `the first line must name the columns ${wanted}; ${anyMetric} stands for any metric`,
    )
  }
  const points = rows.map(({ cells, line }) => ({
    line,
    atMs: numberIn(cells[time], file, line) * 1000,
    totals: Object.fromEntries(places.map(({ metric, column }) => [metric, numberIn(cells[column], file, line)])),
  }))
  const back = points.find(({ atMs }, i) => atMs <= (points[i - 1]?.atMs ?? -1))
  if (back !== undefined) throw wrong(file, back.line, 'time must rise from line to line')
  if (points.length < 2) throw wrong(file, head?.line ?? 1, 'give at least two moments')
  return points.map(({ atMs, totals }) => ({ atMs, totals }))
}

function placeOf(columns: readonly string[], metric: string): number {
  const own = columns.indexOf(metric)
  return own === -1 ? columns.indexOf(anyMetric) : own
}

function numberIn(cell: string | undefined, file: string, line: number): number {
  const value = cell === undefined || cell === '' ? Number.NaN : Number(cell)
  if (Number.isFinite(value) && value >= 0) return value
  throw wrong(file, line, `${JSON.stringify(cell ?? '')} is no number from 0 up`)
}

function wrong(file: string, line: number, what: string): Fault {
  return new Fault('invalid', 'BadTrace', `${file}:${line}: ${what}`)
}

export const loadShapes = ['day', 'ramp', 'spike'] as const
export type LoadShape = (typeof loadShapes)[number]

/** The part of the peak at a part of the time, both from 0 to 1. */
const shapes: Readonly<Record<LoadShape, (part: number) => number>> = {
  /** Quiet at both ends. */
  day: (part) => (1 - Math.cos(2 * Math.PI * part)) / 2,
  ramp: (part) => part,
  /** A tenth, and at a third of the time, for a sixth of it, everything. */
  spike: (part) => (part >= 1 / 3 && part < 1 / 2 ? 1 : 0.1),
}

export function generateLoad(
  metrics: readonly string[],
  { shape, peak, durationMs, stepMs }: { shape: LoadShape; peak: number; durationMs: number; stepMs: number },
): LoadPoint[] {
  const count = Math.floor(durationMs / stepMs)
  return Array.from({ length: count + 1 }, (_, i) => {
    const total = peak * shapes[shape](i / count)
    return { atMs: i * stepMs, totals: Object.fromEntries(metrics.map((metric) => [metric, total])) }
  })
}
