import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { test } from 'node:test'
import { AIMModel } from '#api/aim-model.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import { findRegistry } from '../scripts/debian-registry.ts'
import { aimModel, becomes } from './aim.ts'
import { startDebianRegistry } from './debian-registry.ts'
import { startRegistry } from './registry.ts'
import { aimRegistrySuite } from './suites/aim-registry-suite.ts'
import { startWorld } from './world.ts'

// The real one where it is there: both let the client do the same (`registry.test.ts`).
const found = await findRegistry(process.env)
if ('path' in found) aimRegistrySuite('docker-registry', (options) => startDebianRegistry(found.path, options))
else aimRegistrySuite('a registry in this process', startRegistry)

const transient = {
  status: 'Progressing',
  reason: 'InfrastructureError',
  conditions: {
    MetadataExtracted: 'False/MetadataExtractionFailed',
    DependenciesReachable: 'False/InfrastructureError',
  },
}

/** What no well-behaved registry can be made to do. */
const faults: Record<
  string,
  { deal: (response: ServerResponse) => void; want: Parameters<typeof becomes>[3]; says: RegExp }
> = {
  'takes too long': { deal: () => {}, want: transient, says: /took more than 60 s/ },
  'breaks off': { deal: (response) => response.destroy(), want: transient, says: /the connection was broken off/ },
  'asks for patience': {
    deal: (response) => void response.writeHead(429, { 'retry-after': '90' }).end(),
    want: { status: 'Progressing', conditions: { MetadataExtracted: 'False/RegistryRateLimited' } },
    says: /answered 429: asked too often, to be asked again in 90 s/,
  },
  'sends us to where clouds keep their secrets': {
    deal: (response) => void response.writeHead(307, { location: 'http://169.254.169.254/latest' }).end(),
    want: { status: 'Failed', conditions: { MetadataExtracted: 'False/RegistryForbidden' } },
    says: /169\.254\.169\.254/,
  },
}
for (const [name, { deal, want, says }] of Object.entries(faults)) {
  test(`a model of an image in a registry that ${name}`, async (t) => {
    const asked = Promise.withResolvers<void>()
    await using registry = await startRegistry({
      instead(_: IncomingMessage, response) {
        deal(response)
        asked.resolve()
        return true
      },
    })
    const clock = manualClock(Date.now())
    const world = await startWorld(t, { catalog: { clock } })
    await world.apply(aimModel('m', { image: `${registry.host}/amd/x:1` }))
    await asked.promise
    await world.settled()
    clock.advance(60_000)
    const told = await becomes(world, AIMModel, { name: 'm' }, want)
    assert.match(told.message('MetadataExtracted'), says)
  })
}

test('a model of an image whose registry sends us to another host for it', async (t) => {
  await using store = await startRegistry()
  await using registry = await startRegistry({
    auth: 'none',
    instead({ url = '' }, response) {
      const isBlob = url.includes('/blobs/')
      if (isBlob) response.writeHead(307, { location: `http://${store.host}${url}` }).end()
      return isBlob
    },
  })
  for (const each of [store, registry]) await each.push('amd/x:1', {})
  const world = await startWorld(t)
  await world.apply(aimModel('m', { image: `${registry.host}/amd/x:1` }))
  await becomes(world, AIMModel, { name: 'm' }, { status: 'Ready' })
})
