import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from '#base/log.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import type { Informer, InformerHandler, Informers } from '#kube/informer.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { defaultConfig } from './config.ts'
import { ask, completion, engine, errorCode, json, prompt } from './router.testkit.ts'
import { followSnapshots } from './snapshot-source.ts'
import { startRouter } from './start-router.ts'

/** Caches that the test fills by hand. */
function world() {
  const objects = new Map<string, Resource[]>()
  const handlers = new Map<string, Set<InformerHandler<Resource>>>()
  const filled = Promise.withResolvers<void>()
  const of = (kind: string) => objects.get(kind) ?? []
  const informers = {
    of: (kind: Kind) =>
      ({
        synced: () => filled.promise,
        list: () => of(kind.kind),
        subscribe(handler: InformerHandler<Resource>) {
          const set = handlers.get(kind.kind) ?? new Set()
          handlers.set(kind.kind, set.add(handler))
          return () => set.delete(handler)
        },
      }) as unknown as Informer<Resource>, // the members that a router uses
  } as unknown as Informers
  return {
    informers,
    filled: () => filled.resolve(),
    subscribers: () => [...handlers.values()].reduce((sum, set) => sum + set.size, 0),
    put(object: Resource) {
      objects.set(object.kind, [
        ...of(object.kind).filter(({ metadata }) => metadata.name !== object.metadata.name),
        object,
      ])
      for (const handler of handlers.get(object.kind) ?? []) handler.upsert(object, undefined)
    },
    drop(object: Resource) {
      objects.set(
        object.kind,
        of(object.kind).filter(({ metadata }) => metadata.name !== object.metadata.name),
      )
      for (const handler of handlers.get(object.kind) ?? []) handler.remove(object)
    },
  }
}

const named = (kind: string, rest: object): Resource => ({
  apiVersion: 'x/v1',
  kind,
  metadata: { name: 'a', namespace: 'ns', uid: 'u', labels: { app: 'a' } },
  ...rest,
})
const route = named('ModelRoute', {
  spec: { modelName: 'chat', rules: [{ targetModels: [{ modelServerName: 'a', weight: 100 }] }] },
})
const server = (port: number) =>
  named('ModelServer', {
    spec: {
      inferenceEngine: 'vLLM',
      workloadSelector: { matchLabels: { app: 'a' } },
      workloadPort: { port, protocol: 'http' },
    },
  })
const pod = named('Pod', {
  status: { phase: 'Running', podIP: '127.0.0.1', conditions: [{ type: 'Ready', status: 'True' }] },
})

test('a router is not ready before its caches are filled, and serves what is in them after', async (t) => {
  const pods = await engine(t, 'a', json(200, completion))
  const cluster = world()
  const config = { ...defaultConfig, port: 0, metricsPort: 0, processMetrics: false, drainMs: 0 }
  const router = await startRouter({ config, informers: cluster.informers, log: silentLog, write: () => {} })
  t.after(() => router.close())
  const url = `http://127.0.0.1:${router.port}`
  const ready = async () => (await ask(url, { path: '/readyz', method: 'GET' }).answer).status
  assert.equal(router.ready(), false)
  assert.equal(await ready(), 503)
  assert.equal(errorCode((await ask(url).answer).text), 'not_ready')
  for (const object of [route, server(Number(new URL(pods.origin).port)), pod]) cluster.put(object)
  cluster.filled()
  await Promise.resolve() // the promise that all caches are filled
  while (!router.ready()) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(await ready(), 200)
  assert.equal((await ask(url, { body: prompt }).answer).status, 200)
  await router.close()
  assert.equal(router.ready(), false)
  assert.equal(cluster.subscribers(), 0)
})

test('a burst of changes builds the index once, and what left is gone from it', async () => {
  const cluster = world()
  const clock = manualClock()
  const source = followSnapshots(cluster.informers, clock, silentLog)
  for (const object of [route, server(1), pod]) cluster.put(object)
  assert.equal(clock.pending, 0) // nothing to build before all is listed
  cluster.filled()
  await source.whenSynced()
  const first = source.current()
  assert.equal(first.servers.get('ns/a')?.backend.kind, 'plain')
  cluster.drop(pod)
  cluster.drop(route)
  assert.equal(clock.pending, 1)
  assert.equal(source.current(), first) // requests meanwhile go by the last one
  clock.advance(60_000)
  assert.deepEqual(source.current().servers.get('ns/a')?.backend, { kind: 'plain', endpoints: [] })
  assert.equal(source.current().byModel.size, 0)
  source.stop()
  cluster.put(pod)
  assert.equal(clock.pending, 0)
})

test('an object that has not the shape of its kind is told once, and again when it has changed', async () => {
  const cluster = world()
  const clock = manualClock()
  const told: unknown[] = []
  const log = { ...silentLog, warn: (_: string, fields?: object) => void told.push(fields) }
  const source = followSnapshots(cluster.informers, clock, log)
  const bad = { ...route, spec: {} }
  cluster.put(bad)
  cluster.filled()
  await source.whenSynced()
  cluster.put(pod)
  clock.advance(60_000)
  assert.equal(told.length, 1)
  assert.partialDeepStrictEqual(told, [{ kind: 'ModelRoute', key: 'ns/a' }])
  cluster.put({ ...bad })
  clock.advance(60_000)
  assert.equal(told.length, 2)
  source.stop()
})
