/**
 * An engine that costs next to nothing, in a process of its own: a bare `node:http` server with canned answers. A
 * request for a stream gets `TOKENS` events, one every `GAP_MS` milliseconds. Tells its port on standard output.
 *
 * `node bench/echo-engine.ts TOKENS GAP_MS`
 */
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

const [tokens = 10, gapMs = 100] = process.argv.slice(2).map(Number)
const usage = { prompt_tokens: 200, completion_tokens: tokens, total_tokens: 200 + tokens }
const whole = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 0,
  model: 'bench',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
  usage,
})
const piece = `data: ${JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion.chunk',
  created: 0,
  model: 'bench',
  choices: [{ index: 0, delta: { content: ' word' }, finish_reason: null }],
})}\n\n`
const end = 'data: [DONE]\n\n'

const server = createServer((request, response) => {
  let isStream = false
  request.on('data', (chunk: Buffer) => (isStream ||= chunk.includes('"stream":true')))
  request.on('end', () => {
    if (isStream) return stream(response)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(whole) })
    response.end(whole)
  })
})

function stream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(piece)
  let sent = 1
  const timer = setInterval(() => {
    sent++
    response.write(piece)
    if (sent < tokens) return
    clearInterval(timer)
    response.end(end)
  }, gapMs)
  response.on('close', () => clearInterval(timer))
}

server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', 4_096, () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`))
process.stdin.resume().once('end', () => process.exit())
