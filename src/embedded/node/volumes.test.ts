import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { ConfigMap, Secret, Volume } from '#api/core/types.generated.ts'
import { prepareVolumes } from './volumes.ts'

const bytes = Buffer.from([0, 0xff, 0xfe, 0x80, 0x0a])
const base64 = bytes.toString('base64')
const metadata = { name: 's' }
const secret: Secret = { apiVersion: 'v1', kind: 'Secret', metadata, data: { key: base64 } }
const configMap: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata,
  data: { text: 'ä' },
  binaryData: { key: base64 },
}

/** The files of the one volume, by name. */
async function filesOf(t: TestContext, volume: Omit<Volume, 'name'>): Promise<Record<string, Buffer>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'fairlead-volumes-'))
  t.after(() => rm(dataDir, { recursive: true }))
  const pod = {
    metadata: { name: 'p', namespace: 'n', uid: 'u' },
    spec: { containers: [], volumes: [{ name: 'v', ...volume }] },
  }
  const sources = { dataDir, secret: () => secret, configMap: () => configMap, overrides: {} }
  const container = { name: 'c', volumeMounts: [{ name: 'v', mountPath: '/v' }] }
  const mounts = await prepareVolumes({ apiVersion: 'v1', kind: 'Pod', ...pod }, container, sources)
  const directory = mounts.get('/v') ?? ''
  const files: Record<string, Buffer> = {}
  for (const name of await readdir(directory)) files[name] = await readFile(join(directory, name))
  return files
}

test('what a Secret holds comes byte by byte', async (t) => {
  assert.deepEqual(await filesOf(t, { secret: { secretName: 's' } }), { key: bytes })
})

test('a ConfigMap gives its texts and its bytes', async (t) => {
  assert.deepEqual(await filesOf(t, { configMap: { name: 's' } }), { key: bytes, text: Buffer.from('ä') })
})

test('items choose keys and name files; one that is not there is told, unless it may be missing', async (t) => {
  const items = [
    { key: 'key', path: 'file' },
    { key: 'other', path: 'x' },
  ]
  await assert.rejects(filesOf(t, { secret: { secretName: 's', items } }), /secret "s" has no key "other"/)
  const found = await filesOf(t, { secret: { secretName: 's', items, optional: true } })
  assert.deepEqual(found, { file: bytes })
})
