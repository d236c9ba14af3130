import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isFault } from '#base/fault.ts'
import { silentLog } from '#base/log.ts'
import { startListeningCluster } from '#cli/listening-cluster.ts'
import { openStore } from '#embedded/store/store.ts'

test('a cluster that cannot write its kubeconfig says so, and leaves nothing running', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'fairlead-'))
  t.after(() => rm(dataDir, { recursive: true }))
  mkdirSync(join(dataDir, 'kubeconfig'))
  const options = { dataDir, apiPort: 0, durability: 'normal', controllers: [], log: silentLog } as const
  await assert.rejects(
    startListeningCluster(options),
    (error) => isFault(error, 'invalid') && /kubeconfig/.test(error.message),
  )
  await using store = openStore({ path: join(dataDir, 'fairlead.db') })
  assert.ok(store.revision > 1)
})
