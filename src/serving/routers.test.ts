import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test, type TestContext } from 'node:test'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { askRouters } from './routers.ts'

async function listening(t: TestContext, handle: RequestListener): Promise<number> {
  const server = createServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

const endpoints = JSON.stringify({
  servers: [{ server: 'ns/a', endpoints: [{ uid: 'p', inFlight: 2 }] }],
  leaving: [{ uid: 'q', inFlight: 1 }],
})

const here = [{ address: '127.0.0.1', family: 4 }]
const failing = (code: string) => Promise.reject(Object.assign(new Error(code), { code }))

/** Asks once more, late enough to be heard. */
function asking(port: number, resolve?: () => Promise<typeof here>) {
  const clock = manualClock()
  const routers = askRouters(() => [`http://routers:${port}`], clock, resolve ?? (() => Promise.resolve(here)))
  return (afterMs: number) => {
    clock.advance(afterMs)
    return routers.read(AbortSignal.timeout(5_000))
  }
}

test('a router tells where it sends requests and how many are under way, also where it sends no more', async (t) => {
  const read = asking(await listening(t, (_, response) => response.end(endpoints)))
  const [answer] = await read(0)
  assert.deepEqual([...(answer?.routable ?? [])], ['p'])
  assert.deepEqual(Object.fromEntries(answer?.inFlight ?? []), { p: 2, q: 1 })
})

test('a router that was never heard is waited for as long as one that falls silent', async (t) => {
  const read = asking(await listening(t, ({ socket }) => socket.destroy()))
  assert.deepEqual(
    (await read(0)).map(({ silent }) => silent),
    [true],
  )
  assert.equal((await read(10_000)).length, 1)
  assert.equal((await read(1)).length, 1, 'shared with who asked just now')
  assert.equal((await read(100)).length, 0)
})

test('a name that cannot be looked up stands for the addresses that it had; one that is gone for none', async (t) => {
  const port = await listening(t, (_, response) => response.end(endpoints))
  const lookups = [() => Promise.resolve(here), () => failing('EAI_AGAIN'), () => failing('ENOTFOUND')]
  const read = asking(port, () => lookups.shift()?.() ?? failing('ENOTFOUND'))
  assert.equal((await read(0)).length, 1)
  assert.equal((await read(100)).length, 1)
  assert.equal((await read(100)).length, 0)
})
