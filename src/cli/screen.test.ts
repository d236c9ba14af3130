import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordingIo } from './io.testkit.ts'
import { openScreen } from './screen.ts'

const escape = '\u001B'
const tokens = new RegExp(`${escape}\\[[?\\d]*[A-Za-z]|[^]`, 'gu')

/** What a terminal shows after `text`: as much of one as a screen needs. */
function shownBy(text: string, columns: number): string[] {
  const rows = ['']
  let [row, column] = [0, 0]
  for (const [token] of text.matchAll(tokens)) {
    const line = rows[row] ?? ''
    const command = token.length > 1 ? token.at(-1) : undefined
    if (command === 'F') [row, column] = [row - Number(token.slice(2, -1)), 0]
    else if (command === 'K') rows[row] = line.slice(0, column)
    else if (command === 'J') rows.splice(row, rows.length, line.slice(0, column))
    else if (token === '\n') [row, column] = [row + 1, 0]
    else if (command === undefined) {
      if (column === columns) [row, column] = [row + 1, 0]
      rows[row] = (rows[row] ?? '').slice(0, column) + token + (rows[row] ?? '').slice(column + 1)
      column++
    }
    rows[row] ??= ''
  }
  assert.ok(row >= 0)
  return rows.slice(0, -1)
}

test('a picture takes the place of the one before, and what is said stays above it', () => {
  const io = recordingIo({ interactive: true, columns: 20, rows: 12 })
  const screen = openScreen(io)
  screen.draw({ body: ['one', 'two', 'three'], foot: ['foot'] })
  screen.say('said')
  // One line wraps: the next picture must begin where this one did.
  screen.draw({ body: ['x'.repeat(45), 'two'], foot: ['foot'] })
  assert.deepEqual(shownBy(io.out(), 20), ['said', 'x'.repeat(20), 'x'.repeat(20), 'xxxxx', 'two', 'foot'])
  screen.say('more')
  screen.draw({ body: ['1'], foot: ['foot'] })
  assert.deepEqual(shownBy(io.out(), 20), ['said', 'more', '1', 'foot'])
})

test('what is the same is not written again', () => {
  const io = recordingIo({ interactive: true })
  const screen = openScreen(io)
  screen.draw({ body: ['one'], foot: [] })
  const before = io.out()
  screen.draw({ body: ['one'], foot: [] })
  assert.equal(io.out(), before)
})

test('a picture never outgrows the terminal: the body is cut, the foot stays', () => {
  const io = recordingIo({ interactive: true, columns: 60, rows: 8 })
  const body = Array.from({ length: 20 }, (_, at) => `line ${at}`)
  openScreen(io).draw({ body, foot: ['', 'foot'] })
  const shown = shownBy(io.out(), 60)
  assert.ok(shown.length < 8)
  assert.deepEqual(shown.slice(0, 2), ['line 0', 'line 1'])
  assert.deepEqual(shown.slice(-3), ['… 16 more lines; "fairlead tree" shows them all', '', 'foot'])
})

test('where nothing can be redrawn only what is said is written', () => {
  const io = recordingIo()
  const screen = openScreen(io)
  screen.draw({ body: ['one'], foot: [] })
  screen.say('a', 'b')
  assert.equal(screen.live, false)
  assert.equal(io.out(), 'a\nb\n')
})
