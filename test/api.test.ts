import { after } from 'node:test'
import { coreKinds } from '#api/core/kinds.ts'
import { createApiServer } from '#embedded/apiserver/server.ts'
import { openStore } from '#embedded/store/store.ts'
import { openLines } from './cluster/lines.ts'
import { clusterTarget } from './cluster/target.ts'
import { apiSuite } from './suites/api-suite.ts'
import { gizmoDefinition } from './suites/api-target.ts'

const target = clusterTarget()
if (target !== undefined) {
  let opened: ReturnType<typeof openLines> | undefined
  after(async () => (await opened)?.[Symbol.asyncDispose]())
  apiSuite('a real API server', async () => {
    const { url, lineOf } = await (opened = openLines(target, { tell() {}, clears: true }))
    return { url, fetch: lineOf('user') }
  })
} else {
  apiSuite('embedded', async () => {
    const server = await createApiServer({
      store: openStore({ path: ':memory:' }),
      kinds: coreKinds,
      customKinds: [gizmoDefinition],
      authenticate: () => ({ username: 'suite', groups: ['system:authenticated'] }),
    })
    return { url: 'http://api', fetch: server.fetch }
  })
}
