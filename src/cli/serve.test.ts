import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { Fetch } from '#machinery/http.ts'
import { serveFetch } from './serve.ts'

async function serving(fetch: Fetch) {
  const listener = await serveFetch({ fetch, host: '127.0.0.1', port: 0 })
  return {
    url: `http://127.0.0.1:${listener.port}`,
    port: listener.port,
    [Symbol.asyncDispose]: () => listener.close(),
  }
}

test('method, path, headers and body arrive, and the answer goes back', async () => {
  await using server = await serving(async (request) => {
    const { pathname, search } = new URL(request.url)
    const seen = [request.method, pathname, search, request.headers.get('x-a'), await request.text()]
    return Response.json(seen, { status: 201, headers: { 'x-b': 'c' } })
  })
  const response = await fetch(`${server.url}/p/q?r=s`, { method: 'PATCH', headers: { 'x-a': 'b' }, body: 'text' })
  assert.deepEqual([response.status, response.headers.get('x-b')], [201, 'c'])
  assert.deepEqual(await response.json(), ['PATCH', '/p/q', '?r=s', 'b', 'text'])
})

test('a request that is answered before its body was read holds up none after it', async (t) => {
  await using server = await serving(async () => new Response('no', { status: 401 }))
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.after(() => agent.destroy())
  const ask = async (sizeBytes: number) => {
    const sent = request({ port: server.port, host: '127.0.0.1', method: 'POST', agent }).end(Buffer.alloc(sizeBytes))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    const { localPort } = response.socket
    await once(response.resume(), 'end')
    return [response.statusCode, localPort]
  }
  const first = await ask(1_000_000)
  assert.deepEqual(await ask(10), first, 'not on the same connection')
})

test('headers leave before there is a body, and each piece as it comes', async () => {
  let source: ReadableStreamDefaultController<Uint8Array> | undefined
  await using server = await serving(async () => {
    return new Response(new ReadableStream<Uint8Array>({ start: (controller) => void (source = controller) }))
  })
  const response = await fetch(server.url)
  assert.equal(response.status, 200)
  const reader = response.body?.getReader()
  for (const piece of ['one', 'two']) {
    source?.enqueue(Buffer.from(piece))
    assert.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), piece)
  }
  source?.close()
  assert.equal((await reader?.read())?.done, true)
})

test('a client that leaves ends its stream and aborts its request', async () => {
  let cancelled = false
  let signal: AbortSignal | undefined
  await using server = await serving(async (request) => {
    signal = request.signal
    return new Response(new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) }))
  })
  const leave = new AbortController()
  await fetch(server.url, { signal: leave.signal })
  leave.abort()
  while (!cancelled || signal?.aborted !== true) await turn()
})

test('a client that reads slowly is not read ahead of', async () => {
  let produced = 0
  await using server = await serving(async () => {
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        produced++
        controller.enqueue(new Uint8Array(1024 * 1024))
      },
    })
    return new Response(body)
  })
  const socket = connect(server.port, '127.0.0.1')
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(socket, 'connect')
  for (let before = -1; before !== produced; ) {
    before = produced
    for (let i = 0; i < 200; i++) await turn()
  }
  assert.ok(produced < 64, `${produced} MB were made for nobody`)
  socket.destroy()
})

test('a request that cannot be one is refused', async () => {
  await using server = await serving(async () => new Response())
  const socket = connect(server.port, '127.0.0.1')
  socket.write('TRACE / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  let text = ''
  for await (const chunk of socket) text += String(chunk)
  assert.match(text, /^HTTP\/1\.1 400/)
})

test('a server that cannot answer closes the connection', async () => {
  await using server = await serving(() => Promise.reject(new Error('no answer')))
  await assert.rejects(fetch(server.url))
})

test('closing ends what still streams', async () => {
  const listener = await serveFetch({
    fetch: async () => new Response(new ReadableStream<Uint8Array>({ start: (c) => c.enqueue(Buffer.from('a')) })),
    host: '127.0.0.1',
    port: 0,
  })
  const response = await fetch(`http://127.0.0.1:${listener.port}`)
  await listener.close()
  await assert.rejects(response.text())
})

test('a port that is taken is an error', async () => {
  await using server = await serving(async () => new Response())
  await assert.rejects(
    serveFetch({ fetch: async () => new Response(), host: '127.0.0.1', port: server.port }),
    (error: NodeJS.ErrnoException) => error.code === 'EADDRINUSE',
  )
})
