import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { answerUsage, eventUsage, type UsageReader } from './usage.ts'

const data = (value: unknown, end = '\n\n') =>
  `data: ${typeof value === 'string' ? value : JSON.stringify(value)}${end}`
const usage = { prompt_tokens: 3, completion_tokens: 2 }
const content = data({ choices: [{ delta: { content: 'é' } }] })
const final = data({ choices: [], usage })
const done = data('[DONE]')

function passed(reader: UsageReader, pieces: readonly Buffer[]): string {
  return Buffer.concat([...pieces.map((piece) => reader.push(piece)), reader.end()]).toString()
}

const cases: Record<string, { text: string; withhold: boolean; want: string; tokens: number | undefined }> = {
  'a usage event that we asked for is taken out': {
    text: content + final + done,
    withhold: true,
    want: content + done,
    tokens: 2,
  },
  'one that the client asked for stays': {
    text: content + final + done,
    withhold: false,
    want: content + final + done,
    tokens: 2,
  },
  'content with usage stays': {
    text: data({ choices: [{}], usage }),
    withhold: true,
    want: data({ choices: [{}], usage }),
    tokens: 2,
  },
  'an event without choices stays': { text: data({ usage }), withhold: true, want: data({ usage }), tokens: 2 },
  'usage of null is none': {
    text: data({ choices: [], usage: null }),
    withhold: true,
    want: data({ choices: [], usage: null }),
    tokens: undefined,
  },
  'the last of running counts is the count': {
    text: data({ choices: [{}], usage: { ...usage, completion_tokens: 1 } }) + data({ choices: [{}], usage }),
    withhold: false,
    want: data({ choices: [{}], usage: { ...usage, completion_tokens: 1 } }) + data({ choices: [{}], usage }),
    tokens: 2,
  },
  'lines may end with CRLF': {
    text: data({ choices: [], usage }, '\r\n\r\n') + done,
    withhold: true,
    want: done,
    tokens: 2,
  },
  'the Responses API counts inside its response': {
    text: data({ type: 'response.completed', response: { usage: { input_tokens: 3, output_tokens: 2 } } }),
    withhold: false,
    want: data({ type: 'response.completed', response: { usage: { input_tokens: 3, output_tokens: 2 } } }),
    tokens: 2,
  },
  'an end without a blank line passes': {
    text: `${content}data: [DONE]`,
    withhold: true,
    want: `${content}data: [DONE]`,
    tokens: undefined,
  },
}
for (const [name, { text, withhold, want, tokens }] of Object.entries(cases)) {
  test(name, () => {
    const reader = eventUsage(withhold)
    assert.equal(passed(reader, [Buffer.from(text)]), want)
    assert.equal(reader.usage()?.outputTokens, tokens)
  })
}

/** Cuts a text anywhere, inside characters too. */
const cut = (text: string) =>
  fc.array(fc.nat(Buffer.byteLength(text)), { maxLength: 6 }).map((at) => {
    const marks = [0, ...at.sort((x, y) => x - y), Buffer.byteLength(text)]
    return marks.slice(1).map((end, i) => Buffer.from(text).subarray(marks[i], end))
  })

test('however a stream is cut into pieces, the same passes', () => {
  for (const { text, withhold, want, tokens } of Object.values(cases)) {
    fc.assert(
      fc.property(cut(text), (pieces) => {
        const reader = eventUsage(withhold)
        assert.equal(passed(reader, pieces), want)
        assert.equal(reader.usage()?.outputTokens, tokens)
      }),
    )
  }
})

test('an event without end passes unread rather than growing for ever', () => {
  const reader = eventUsage(true)
  let passedBytes = 0
  for (let i = 0; i < 10; i++) passedBytes += reader.push(Buffer.alloc(1 << 20, 'x')).length
  assert.ok(passedBytes >= 9 << 20)
})

test('usage of an answer is found near its end, in any spacing, and not in a text about it', () => {
  const tokens = (...pieces: string[]) => {
    const reader = answerUsage()
    for (const piece of pieces) reader.push(Buffer.from(piece))
    return reader.usage()?.outputTokens
  }
  assert.equal(tokens(JSON.stringify({ usage, kv_transfer_params: null })), 2)
  assert.equal(tokens('{ "us', 'age" : { "prompt_tokens": 3, "completion_tokens": 2 } }'), 2)
  assert.equal(tokens(JSON.stringify({ usage, choices: [{ text: 'the "usage": {"prompt_tokens":9}' }] })), 2)
  assert.equal(tokens(JSON.stringify({ data: 'x'.repeat(1 << 20), usage })), 2)
  assert.equal(tokens('{}'), undefined)
  assert.equal(tokens('{"usage":'), undefined)
})
