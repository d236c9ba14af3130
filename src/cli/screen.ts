/** What `up` shows: a picture that is redrawn in place on a terminal, and lines where there is none. */
import type { Io } from './io.ts'

export interface Screen {
  /** Replaces the picture. */
  draw(lines: readonly string[]): void
  /** Adds a line above the picture that stays. */
  say(line: string): void
  /** Leaves the last picture where it is. */
  end(): void
}

const eraseBelow = '\u001B[0J'
const up = (lines: number): string => (lines === 0 ? '' : `\u001B[${lines}F`)

export function openScreen(io: Io): Screen {
  return io.interactive ? liveScreen(io) : lineScreen(io)
}

function liveScreen(io: Io): Screen {
  let shown: readonly string[] = []
  const render = (above: string, lines: readonly string[]): void => {
    // What has left the screen cannot be redrawn, so the picture stays below one screen.
    const fitting = lines.length < io.rows ? lines : [...lines.slice(0, Math.max(0, io.rows - 2)), '…']
    io.write(`${up(shown.length)}${eraseBelow}${above}${fitting.map((line) => `${line}\n`).join('')}`)
    shown = fitting
  }
  return {
    draw: (lines) => {
      if (lines.join('\n') !== shown.join('\n')) render('', lines)
    },
    say: (line) => render(`${line}\n`, shown),
    end: () => {
      shown = []
    },
  }
}

/** The last picture only; what changes on the way is said line by line. */
function lineScreen(io: Io): Screen {
  let last: readonly string[] = []
  return {
    draw: (lines) => {
      last = lines
    },
    say: (line) => io.write(`${line}\n`),
    end: () => {
      for (const line of last) io.write(`${line}\n`)
      last = []
    },
  }
}
