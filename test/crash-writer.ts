/**
 * An API server under load, for crash.test.ts to kill: `node crash-writer.ts STORE`. Eight writers count up in a
 * ConfigMap each, from what they find; each line of output, `WRITER COUNT`, is a write that was acknowledged.
 */
import { writeSync } from 'node:fs'
import { ConfigMap, Namespace } from '#api/core/kinds.ts'
import { createApiServer } from '#embedded/apiserver/server.ts'
import { openStore } from '#embedded/store/store.ts'

const store = openStore({ path: process.argv[2] ?? '' })
const server = await createApiServer({
  store,
  kinds: [Namespace, ConfigMap],
  authenticate: () => ({ username: 'writer', groups: [] }),
})
const collection = 'http://api/api/v1/namespaces/default/configmaps'

async function ask(method: string, url: string, body?: unknown): Promise<{ status: number; object: ConfigMap }> {
  const headers = { 'content-type': 'application/json' }
  const response = await server.fetch(
    new Request(url, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) }),
  )
  return { status: response.status, object: (await response.json()) as ConfigMap }
}

async function countUp(writer: string): Promise<void> {
  const url = `${collection}/${writer}`
  const found = await ask('GET', url)
  let count = found.status === 404 ? 0 : Number(found.object.data?.['count'])
  if (found.status === 404) await ask('POST', collection, { metadata: { name: writer }, data: { count: '0' } })
  for (;;) {
    const { status } = await ask('PUT', url, { metadata: { name: writer }, data: { count: String(++count) } })
    if (status !== 200) throw new Error(`the write was answered with ${status}`)
    writeSync(1, `${writer} ${count}\n`)
  }
}

await Promise.all(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map(countUp))
