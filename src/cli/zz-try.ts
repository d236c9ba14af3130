import { coreKinds } from '#api/core/kinds.ts'
import { createApiServer } from '#embedded/apiserver/server.ts'
import { openStore } from '#embedded/store/store.ts'
import { serveFetch } from './serve.ts'
const log = { debug() {}, info() {}, warn: console.error, error: console.error, with: () => log } as never
let customKinds: unknown[] = []
try {
  const { crdOf } = await import('#api/crd.ts')
  const { ownKinds } = await import('#api/kinds.ts')
  customKinds = ownKinds.map(crdOf as never)
} catch (e) {
  console.error('no crds', (e as Error).message)
}
const t = performance.now()
const server = await createApiServer({
  store: openStore({ path: process.env['DB'] ?? ':memory:' }),
  kinds: coreKinds,
  customKinds,
  log,
  authenticate: () => ({ username: 'admin', groups: ['system:masters'] }),
  onRequest: (r) => console.log(r.verb, r.resource, r.subresource, r.name, r.status),
})
const l = await serveFetch({ fetch: server.fetch, host: '127.0.0.1', port: 18001 })
console.log('up', l.port, performance.now() - t)
