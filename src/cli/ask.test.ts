import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '#base/fault.ts'
import { ask } from './ask.ts'
import { serveFetch } from './serve.ts'

const event = (content: string): string => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`

type Stream = ReadableStreamDefaultController<Uint8Array>

/** The pieces of an answer of which `end` writes what follows the first, and how it ended. */
async function answered(end: (stream: Stream) => void): Promise<{ pieces: string[]; code: string }> {
  const body = new ReadableStream<Uint8Array>({
    start: (stream) => stream.enqueue(Buffer.from(event('Hel'))),
    pull: end,
  })
  const listener = await serveFetch({ fetch: async () => new Response(body), host: '127.0.0.1', port: 0 })
  const pieces: string[] = []
  try {
    const url = `http://127.0.0.1:${listener.port}`
    for await (const piece of ask({ url, model: 'm', headers: {} }, AbortSignal.timeout(30_000))) pieces.push(piece)
    return { pieces, code: '' }
  } catch (error) {
    assert.ok(isFault(error, 'unavailable'), String(error))
    return { pieces, code: error.code }
  } finally {
    await listener.close()
  }
}

const say = (text: string) => (stream: Stream) => {
  stream.enqueue(Buffer.from(text))
  stream.close()
}

const rows: Record<string, { end: (stream: Stream) => void; pieces?: string[]; code: string }> = {
  'a whole answer comes in pieces': { end: say(`${event('lo')}data: [DONE]\n\n`), pieces: ['Hel', 'lo'], code: '' },
  'an answer without its end is cut off': { end: say(event('lo')), pieces: ['Hel', 'lo'], code: 'CutOff' },
  // What was under way when it breaks may be lost.
  'so is one whose connection breaks': { end: (stream) => stream.error(new Error()), code: 'CutOff' },
  'and one with a line that is no event': { end: say('data: {"a\n'), pieces: ['Hel'], code: 'CutOff' },
}
for (const [name, { end, ...want }] of Object.entries(rows)) {
  test(name, async () => {
    const { pieces, code } = await answered(end)
    assert.equal(code, want.code)
    if (want.pieces !== undefined) assert.deepEqual(pieces, want.pieces)
  })
}
