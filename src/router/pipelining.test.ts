import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { completion, engine, event, json, plain, prompt, routed } from './router.testkit.ts'

const body = JSON.stringify(prompt)
const pipelined = `POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`

test('two requests written at once are answered in their order', async (t) => {
  let calls = 0
  const pod = await engine(t, 'a', (response, received, request) => {
    const answer = json(200, { ...completion, id: `call-${++calls}` })
    if (calls === 1) setImmediate(() => setImmediate(() => answer(response, received, request)))
    else answer(response, received, request)
  })
  const { router } = await routed(t, plain([pod]))
  const socket = connect(router.port, '127.0.0.1')
  let text = ''
  socket.on('data', (chunk: Buffer) => (text += chunk.toString()))
  socket.write(pipelined + pipelined)
  while (!/call-1.*call-2/s.test(text)) await once(socket, 'data')
  socket.destroy()
})

test('a client that leaves ends the requests behind the first one too', async (t) => {
  let waiting = 0
  const { promise: both, resolve } = Promise.withResolvers<void>()
  const { promise: left, resolve: onLeft } = Promise.withResolvers<void>()
  let abandoned = 0
  const pod = await engine(t, 'a', (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event('first'))
    response.on('close', () => {
      if (++abandoned === 2) onLeft()
    })
    if (++waiting === 2) resolve()
  })
  const { router, lines } = await routed(t, plain([pod]), { drainMs: 60_000 })
  const socket = connect(router.port, '127.0.0.1')
  socket.write(pipelined + pipelined)
  await both
  socket.destroy()
  await left
  await router.close()
  assert.equal(lines.length, 2)
})
