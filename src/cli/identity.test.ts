import assert from 'node:assert/strict'
import { mkdtempSync, statSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { createServer, get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { isFault } from '#base/fault.ts'
import { tokenAuthenticator, loadIdentity, writeKubeconfig } from './identity.ts'

const nowMs = Date.now()

test('the certificate is one that a TLS client trusts by the authority beside it', async (t) => {
  const { identity } = await fresh(t)
  const server = createServer({ cert: identity.cert, key: identity.key }, (_, response) => response.end('ok'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const status = await new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, ca: identity.ca, agent: false }, (response) =>
      resolve(response.resume().statusCode),
    ).on('error', reject)
  })
  assert.equal(status, 200)
})

test('a second start finds the same identity, one near its end makes a new certificate and keeps the token', async (t) => {
  const { dir, identity } = await fresh(t)
  assert.deepEqual(await loadIdentity(dir, nowMs), identity)
  const renewed = await loadIdentity(dir, nowMs + 350 * 24 * 60 * 60 * 1000)
  assert.notEqual(renewed.cert, identity.cert)
  assert.equal(renewed.token, identity.token)
})

test('an identity that was damaged is told, without what is in it', async (t) => {
  const { dir, identity } = await fresh(t)
  const file = join(dir, 'identity.json')
  for (const text of [JSON.stringify(identity.token).slice(0, -1), JSON.stringify({ ...identity, cert: 'none' })]) {
    writeFileSync(file, text)
    await assert.rejects(loadIdentity(dir, nowMs), (error) => {
      assert.ok(isFault(error, 'invalid'), String(error))
      assert.match(error.message, /identity\.json cannot be read.*delete it/)
      assert.doesNotMatch(inspect(error), new RegExp(identity.token.slice(0, 6)))
      return true
    })
  }
})

test('only the owner can read the kubeconfig and what is beside it', async (t) => {
  const { dir, identity } = await fresh(t)
  const file = writeKubeconfig(dir, identity, 'https://127.0.0.1:7443')
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(join(dir, 'identity.json')).mode & 0o777, 0o600)
})

const tokens: Record<string, { header: string | undefined; want: boolean }> = {
  'the token lets in': { header: 'Bearer secret', want: true },
  'no header does not': { header: undefined, want: false },
  'a longer token does not': { header: 'Bearer secrets', want: false },
  'another scheme does not': { header: 'Basic secret', want: false },
}
for (const [name, { header, want }] of Object.entries(tokens)) {
  test(name, () => {
    const request = new Request(
      'http://api.invalid/',
      header === undefined ? {} : { headers: { authorization: header } },
    )
    assert.equal(tokenAuthenticator('secret')(request) !== undefined, want)
  })
}

async function fresh(t: { after(run: () => Promise<void>): void }) {
  const dir = mkdtempSync(join(tmpdir(), 'fairlead-'))
  t.after(() => rm(dir, { recursive: true, force: true }))
  return { dir, identity: await loadIdentity(dir, nowMs) }
}
