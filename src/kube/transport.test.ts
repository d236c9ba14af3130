import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { isFault } from '#base/fault.ts'
import { type CredentialSource, fixedCredentials } from './credentials.ts'
import { connect, type ConnectOptions } from './transport.ts'

async function serve(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  t.after(() => server.closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function open(
  t: TestContext,
  server: string,
  credentials: CredentialSource = fixedCredentials({}),
  options: ConnectOptions = {},
) {
  const connection = connect({ server, namespace: 'default', contextName: 'test', credentials }, options)
  t.after(() => connection[Symbol.asyncDispose]())
  return connection
}

test('sends method, body and credentials, and gives back status, headers and body', async (t) => {
  const server = await serve(t, (request, response) => {
    request.on('data', (chunk) => response.write(`${request.method} ${request.headers.authorization} ${chunk}`))
    request.on('end', () => response.end())
    response.writeHead(201, { 'x-a': ['1', '2'] })
  })
  const { fetch } = open(t, server, fixedCredentials({ authorization: 'Bearer t' }))
  const response = await fetch(new Request(`${server}/x`, { method: 'POST', body: 'hello' }))
  assert.equal(response.status, 201)
  assert.equal(response.headers.get('x-a'), '1, 2')
  assert.equal(await response.text(), 'POST Bearer t hello')
})

test('a body comes as it is sent, and the server learns when the reader leaves', async (t) => {
  const left = Promise.withResolvers<void>()
  const server = await serve(t, (_request, response) => {
    response.write('first')
    response.on('close', () => left.resolve())
  })
  const stop = new AbortController()
  const response = await open(t, server).fetch(new Request(`${server}/x?watch=true`, { signal: stop.signal }))
  const reader = response.body?.getReader()
  const { value } = (await reader?.read()) ?? {}
  assert.equal(Buffer.from(value ?? []).toString(), 'first')
  const rest = reader?.read()
  stop.abort(new Error('enough'))
  await assert.rejects(async () => rest)
  await left.promise
})

test('a 401 to credentials that can be renewed is tried once more, body and all', async (t) => {
  const bodies: string[] = []
  const server = await serve(t, (request, response) => {
    request.on('data', (chunk) => bodies.push(`${request.headers.authorization} ${chunk}`))
    request.on('end', () => response.writeHead(request.headers.authorization === 'new' ? 200 : 401).end())
  })
  let authorization = 'old'
  const credentials = {
    get: async () => ({ authorization }),
    refused() {
      authorization = 'new'
      return true
    },
  }
  const response = await open(t, server, credentials).fetch(new Request(server, { method: 'PUT', body: 'b' }))
  assert.equal(response.status, 200)
  assert.deepEqual(bodies, ['old b', 'new b'])
})

test('no answer is a fault that names the server and why', async (t) => {
  const server = await serve(t, (request) => request.socket.destroy())
  const { fetch } = open(t, server)
  await assert.rejects(
    fetch(new Request(server)),
    (error) => isFault(error, 'unavailable') && error.message.includes(server),
  )
  const nobody = 'http://127.0.0.1:1'
  await assert.rejects(
    fetch(new Request(nobody)),
    (error) => isFault(error, 'unavailable') && error.code === 'ConnectionRefused',
  )
})

test('an answer that breaks off is a fault too, of whoever reads it', async (t) => {
  const server = await serve(t, (_request, response) => {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('begun', () => response.destroy())
  })
  const response = await open(t, server).fetch(new Request(server))
  await assert.rejects(response.arrayBuffer(), (error) => isFault(error, 'unavailable'))
})

test('an aborted request rejects with the reason of its signal', async (t) => {
  const server = await serve(t, () => {})
  const stop = new AbortController()
  const call = open(t, server).fetch(new Request(server, { signal: stop.signal }))
  stop.abort(new Error('enough'))
  await assert.rejects(call, /enough/)
})

test('who may refuse a request is asked last, when credentials that took their time are there', async (t) => {
  let asked = 0
  const server = await serve(t, (_request, response) => {
    asked++
    response.end()
  })
  let isOpen = true
  const credentials = {
    async get() {
      await turn()
      isOpen = false
      return {}
    },
    refused: () => false,
  }
  const admit = (): void => {
    if (!isOpen) throw new Error('closed')
  }
  await assert.rejects(open(t, server, credentials, { admit }).fetch(new Request(server)), /closed/)
  assert.equal(asked, 0)
})
