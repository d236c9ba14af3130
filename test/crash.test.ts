import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import type { ConfigMap } from '#api/core/kinds.ts'
import { thorough } from '#base/thorough.testkit.ts'
import { openStore } from '#embedded/store/store.ts'

const lives = thorough ? 50 : 12

test(`an API server killed ${lives} times under load loses no acknowledged write`, { timeout: 300_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'crash-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'store.db')
  const acknowledged = new Map<string, number>()
  for (let life = 0; life < lives; life++) {
    await liveAndDie(folder, path, 20 + ((life * 37) % 200), acknowledged)
    await using store = openStore({ path })
    for (const [name, count] of acknowledged) {
      const entry = store.get({ resource: 'configmaps', namespace: 'default', name })
      const stored = Number((JSON.parse(entry?.text ?? '{}') as Partial<ConfigMap>).data?.['count'])
      assert.ok(stored >= count, `life ${life}: ${name} was acknowledged at ${count} and is at ${stored}`)
    }
  }
  assert.equal(acknowledged.size, 8)
  assert.ok([...acknowledged.values()].every((count) => count > lives))
})

/** Runs a writer until it has acknowledged so many writes, then kills it in the middle of the next. */
async function liveAndDie(
  folder: string,
  path: string,
  writes: number,
  acknowledged: Map<string, number>,
): Promise<void> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'crash-writer.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_COMPILE_CACHE: join(folder, 'cache') },
  })
  const exit = once(child, 'exit')
  let seen = 0
  for await (const line of createInterface({ input: child.stdout })) {
    const [writer = '', count] = line.split(' ')
    acknowledged.set(writer, Number(count))
    if (++seen === writes) child.kill('SIGKILL')
  }
  const [code, signal] = (await exit) as [number | null, string | null]
  assert.equal(signal, 'SIGKILL', `the writer ended by itself with ${code}`)
}
