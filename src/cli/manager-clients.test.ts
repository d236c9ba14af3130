import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { ConfigMap } from '#api/core/kinds.ts'
import { Fault, isFault } from '#base/fault.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { Fence } from '#controller/fence.ts'
import type { AnsweredCall } from '#controller/metrics.ts'
import { fixedCredentials } from '#kube/credentials.ts'
import { managerClients } from './manager-clients.ts'

const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: 'ns', name: 'a' } }

/** Clients of a server that answers everything with the same object, but for what it leaves without an answer. */
async function setup(t: TestContext) {
  const asked: string[] = []
  const silent = new Set<string>()
  const server = createServer((request, response) => {
    const what = `${request.method} ${request.headers['user-agent']}`
    asked.push(what)
    server.emit('asked')
    if (!silent.has(request.method ?? ''))
      response.setHeader('content-type', 'application/json').end(JSON.stringify(object))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const clock = manualClock()
  const fence = new Fence(clock)
  const calls: AnsweredCall[] = []
  const clients = managerClients({
    access: {
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      namespace: 'ns',
      contextName: 'test',
      credentials: fixedCredentials({}),
    },
    identity: 'host_uuid',
    fence,
    qps: 0,
    burst: 0,
    metrics: { called: (call) => calls.push(call), paced() {} },
  })
  t.after(async () => {
    await clients[Symbol.asyncDispose]()
    server.close()
    server.closeAllConnections()
  })
  return { asked, silent, server, clock, fence, clients, calls }
}

const refusal = (error: unknown): boolean => isFault(error) && error.code === 'NotLeading'

test('a controller writes while the fence is open; caches read and the election writes whatever it is', async (t) => {
  const { asked, clock, fence, clients, calls } = await setup(t)
  const controller = clients.controller('fairlead-serving')
  await assert.rejects(controller.create(ConfigMap, object), refusal)
  await clients.caches.get(ConfigMap, object.metadata)
  await clients.election.update(ConfigMap, object)
  fence.extend(clock.now() + 1_000)
  await controller.create(ConfigMap, object)
  assert.deepEqual(
    asked.map((what) => what.replace(/\/\S+/, '')),
    ['GET fairlead-manager (host_uuid)', 'PUT fairlead-election (host_uuid)', 'POST fairlead-serving (host_uuid)'],
  )
  assert.deepEqual(
    calls.map(({ method, status }) => `${method} ${status}`),
    ['GET 200', 'PUT 200', 'POST 200'],
  )
})

test('a write under way ends when the fence closes, and no other goes out', async (t) => {
  const { asked, silent, server, clock, fence, clients } = await setup(t)
  silent.add('POST')
  fence.extend(clock.now() + 1_000)
  const controller = clients.controller('fairlead-serving')
  const write = controller.create(ConfigMap, object)
  await once(server, 'asked')
  clock.advance(1_000)
  await assert.rejects(write, (error) => error instanceof Fault && error.code === 'LeaseLost')
  await assert.rejects(controller.update(ConfigMap, object))
  await clients.caches.get(ConfigMap, object.metadata)
  assert.deepEqual(
    asked.map((what) => what.split(' ')[0]),
    ['POST', 'GET'],
  )
})

test('a process that slept over the deadline is refused before any timer could tell it', async (t) => {
  const { asked, clock, fence, clients } = await setup(t)
  let sleptMs = 0
  const now = clock.now.bind(clock)
  clock.now = () => now() + sleptMs
  fence.extend(clock.now() + 1_000)
  sleptMs = 60_000
  await assert.rejects(clients.controller('fairlead-serving').create(ConfigMap, object))
  assert.deepEqual(asked, [])
})
