import assert from 'node:assert/strict'
import { test } from 'node:test'
import { coreKinds } from '#api/core/kinds.ts'
import { type Clock, systemClock } from '#base/clock.ts'
import { createApiServer } from '#embedded/apiserver/server.ts'
import { openStore } from '#embedded/store/store.ts'
import { findControlPlane } from '../scripts/control-plane.ts'
import { clusterTarget } from './cluster/target.ts'
import { accepted } from './conformance/accepted.ts'
import { administrator, startBareApiServer } from './conformance/bare-server.ts'
import { subjects } from './conformance/calls.ts'
import { conformanceSuite } from './conformance/suite.ts'

/** Watches that end by themselves do so soon. */
const hurried: Clock = { now: systemClock.now, after: (delayMs, run) => systemClock.after(delayMs / 20, run) }

if (clusterTarget() === undefined) {
  conformanceSuite(
    'the embedded API server answers as was recorded of a real one',
    async () => {
      const store = openStore({ path: ':memory:' })
      const server = await createApiServer({
        store,
        kinds: coreKinds,
        clock: hurried,
        authenticate: () => administrator,
      })
      store.compact(store.revision)
      return { url: 'http://api', fetch: server.fetch }
    },
    { isEmbedded: true, concurrency: true },
  )
} else {
  const programs = findControlPlane(process.env)
  if ('missing' in programs) console.error(`the recording is not checked: ${programs.missing}`)
  else {
    let server: ReturnType<typeof startBareApiServer> | undefined
    const open = async () => (await (server ??= startBareApiServer(process.env))).target
    conformanceSuite('a real API server answers as was recorded', open, { isEmbedded: false, concurrency: false })
    test('the real API server ends', async () => (await server)?.[Symbol.asyncDispose]())
  }
}

test('the script is large, its sentences differ, and few differences are accepted', () => {
  const sentences = Object.values(subjects).flatMap((calls) => Object.keys(calls))
  assert.ok(sentences.length > 1000, String(sentences.length))
  assert.equal(new Set(sentences).size, sentences.length)
  assert.ok(accepted.length <= 15)
  assert.deepEqual(
    accepted.flatMap(({ calls }) => calls).filter((call) => !sentences.includes(call)),
    [],
  )
})
