/** What `up` shows: a picture that is redrawn in place on a terminal, and lines where there is none. */
import { stripVTControlCharacters } from 'node:util'
import type { Io } from './io.ts'

/** Lines of text. Where they do not fit, the body is cut and the foot stays. */
export interface Picture {
  readonly body: readonly string[]
  readonly foot: readonly string[]
}

export interface Screen {
  /** Whether a picture can be redrawn. Where it cannot, only what is said is seen. */
  readonly live: boolean
  /** Replaces the picture. */
  draw(picture: Picture): void
  /** Adds lines above the picture that stay. */
  say(...lines: readonly string[]): void
}

const escape = '\u001B['
const eraseLine = `${escape}K`
const eraseBelow = `${escape}0J`
const up = (rows: number): string => (rows === 0 ? '' : `${escape}${rows}F`)
/** Terminals that know these show all that is between them at once; the others pass them over. */
const [begin, end] = [`${escape}?2026h`, `${escape}?2026l`]

export function openScreen(io: Io): Screen {
  return io.interactive
    ? liveScreen(io)
    : { live: false, draw() {}, say: (...lines) => io.write(lines.map((line) => `${line}\n`).join('')) }
}

function liveScreen(io: Io): Screen {
  let picture: Picture = { body: [], foot: [] }
  let shown: readonly string[] = []

  /** Overwrites line by line, so that what stays the same never vanishes in between. */
  function render(above: readonly string[]): void {
    const lines = fitting(picture, io)
    if (above.length === 0 && lines.join('\n') === shown.join('\n')) return
    const text = [...above, ...lines].map((line) => `${line}${eraseLine}\n`).join('')
    io.write(`${begin}${up(rowsOf(shown, io.columns))}${text}${eraseBelow}${end}`)
    shown = lines
  }
  return {
    live: true,
    draw(next) {
      picture = next
      render([])
    },
    say: (...lines) => render(lines),
  }
}

/** What has left the screen cannot be redrawn, so a picture stays below one screen. */
function fitting({ body, foot }: Picture, { columns, rows }: Io): readonly string[] {
  let room = rows - 1 - rowsOf(foot, columns)
  if (rowsOf(body, columns) <= room) return [...body, ...foot]
  const kept: string[] = []
  for (const line of body) {
    room -= rowsOf([line], columns)
    if (room < 1) break
    kept.push(line)
  }
  return [...kept, `… ${body.length - kept.length} more lines; "fairlead tree" shows them all`, ...foot]
}

/** Rows that lines take, the long ones wrapped. */
function rowsOf(lines: readonly string[], columns: number): number {
  return lines.reduce((rows, line) => rows + Math.max(1, Math.ceil(stripVTControlCharacters(line).length / columns)), 0)
}
