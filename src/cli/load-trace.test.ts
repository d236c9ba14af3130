import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generateLoad, loadShapes, parseLoadTrace } from './load-trace.ts'

const rows: Record<string, { text: string; want: [number, Record<string, number>][] }> = {
  'a column for each metric': {
    text: 'seconds,a,b\n0,1,2\n15,3,4.5\n',
    want: [
      [0, { a: 1, b: 2 }],
      [15_000, { a: 3, b: 4.5 }],
    ],
  },
  'one column for all': {
    text: '# recorded on Monday\r\ntime, load\r\n0, 1\r\n\r\n7.5, 3\r\n',
    want: [
      [0, { a: 1, b: 1 }],
      [7500, { a: 3, b: 3 }],
    ],
  },
}
for (const [name, { text, want }] of Object.entries(rows)) {
  test(`reads ${name}`, () => {
    const points = parseLoadTrace(text, 'x.csv', ['a', 'b']).map(({ atMs, totals }) => [atMs, totals])
    assert.deepEqual(points, want)
  })
}

const wrong: Record<string, { text: string; says: RegExp }> = {
  'no time': {
    text: 'a,b\n1,2\n',
    says: /^x\.csv:1: the first line must name the columns seconds,a,b; load stands for any metric$/,
  },
  'a metric without a column': { text: 'seconds,a\n0,1\n', says: /x\.csv:1: .*seconds,a,b/ },
  'a word for a number': { text: 'seconds,load\n0,1\n15,much\n', says: /^x\.csv:3: "much" is no number from 0 up$/ },
  'a missing cell': { text: 'seconds,load\n0\n', says: /x\.csv:2: "" is no number/ },
  'time that goes back': { text: 'seconds,load\n0,1\n30,1\n15,1\n', says: /^x\.csv:4: time must rise/ },
  'one moment alone': { text: 'seconds,load\n0,1\n', says: /at least two moments/ },
  nothing: { text: '', says: /first line must name/ },
}
for (const [name, { text, says }] of Object.entries(wrong)) {
  test(`refuses ${name}`, () => assert.throws(() => parseLoadTrace(text, 'x.csv', ['a', 'b']), { message: says }))
}

for (const shape of loadShapes) {
  test(`a ${shape} comes up to its peak and never above`, () => {
    const points = generateLoad(['a'], { shape, peak: 80, durationMs: 3_600_000, stepMs: 15_000 })
    assert.equal(points.length, 241)
    assert.equal(Math.max(...points.map(({ totals }) => totals['a'] ?? 0)), 80)
    assert.ok(points.every(({ totals }) => (totals['a'] ?? -1) >= 0))
  })
}
