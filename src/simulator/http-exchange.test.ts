import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Agent, request, type ServerResponse } from 'node:http'
import { test } from 'node:test'
import { listen } from './http-exchange.ts'

test('a server that is told to close ends with its last answer, though the client keeps the connection', async (t) => {
  const come = Promise.withResolvers<ServerResponse>()
  const server = await listen('127.0.0.1', 0, (_, response) => come.resolve(response))
  const agent = new Agent({ keepAlive: true })
  t.after(() => {
    agent.destroy()
    server.kill()
  })
  const asked = request({ host: '127.0.0.1', port: server.port, agent }, (response) => response.resume()).end()
  const response = await come.promise
  const closed = server.close().then(() => 'closed')
  response.end('done')
  await once(asked, 'close')
  const late = once(AbortSignal.timeout(3_000), 'abort').then(() => 'late')
  assert.equal(await Promise.race([closed, late]), 'closed')
})
