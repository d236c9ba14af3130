import assert from 'node:assert/strict'
import { test } from 'node:test'
import { promptTokens } from './prompt-tokens.ts'

const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))

const cases: Record<string, { body: Record<string, unknown>; want: number }> = {
  'a text, at four characters a token': { body: { prompt: 'San Francisco is a' }, want: 5 },
  'an empty text': { body: { prompt: '' }, want: 0 },
  'several texts': { body: { prompt: ['abcd', 'abcde'] }, want: 3 },
  'token ids': { body: { prompt: [1, 2, 3] }, want: 3 },
  'lists of token ids': {
    body: {
      prompt: [
        [1, 2],
        [3, 4],
      ],
    },
    want: 4,
  },
  'a message in ChatML': { body: { messages: [{ role: 'user', content: 'hello' }] }, want: 9 },
  'a message in parts, of which images count for nothing': {
    body: {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'hello' },
            { type: 'image_url', image_url: {} },
          ],
        },
      ],
    },
    want: 9,
  },
  'a system prompt beside the messages': {
    body: { system: 'be kind', messages: [{ role: 'user', content: 'hello' }] },
    want: 18,
  },
  'an input that is text, with instructions': { body: { input: 'abcd', instructions: 'be kind' }, want: 11 },
  'an input of messages': { body: { input: [{ role: 'user', content: 'hello' }] }, want: 9 },
  'an input of texts': { body: { input: ['abcd', 'abcd'] }, want: 2 },
  'lists within lists without end': { body: { prompt: nested(100_000) }, want: 0 },
  'a message of such': { body: { messages: [{ content: [{ text: nested(100_000) }] }] }, want: 6 },
  nothing: { body: {}, want: 0 },
}
for (const [name, { body, want }] of Object.entries(cases)) test(name, () => assert.equal(promptTokens(body), want))
