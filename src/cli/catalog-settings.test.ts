import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { catalogSettings } from './catalog-settings.ts'

const folder = mkdtempSync(join(tmpdir(), 'fairlead-test-'))
after(() => rmSync(folder, { recursive: true }))
const pem = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n'
writeFileSync(join(folder, 'ca.pem'), pem)
writeFileSync(join(folder, 'no-ca.pem'), 'hello')

async function read(text: string, env: Record<string, string> = {}) {
  const file = join(folder, 'registries.yaml')
  writeFileSync(file, text)
  return (await catalogSettings({ registries: file }, { env })).registries
}

const noProxy = { http: undefined, https: undefined, no: undefined }

test('rules, in canonical form, and certificates from beside the file', async () => {
  const text = `
registries:
  - prefix: index.docker.io
    mirrors: [mirror.internal/hub, 'https://127.0.0.1:5001']
  - prefix: registry.internal:5000/models
    location: http://registry.internal:5000/models
certificateAuthorities: ca.pem
`
  assert.deepEqual(await read(text), {
    rules: [
      { prefix: 'docker.io', mirrors: ['mirror.internal/hub', 'https://127.0.0.1:5001'] },
      { prefix: 'registry.internal:5000/models', location: 'http://registry.internal:5000/models' },
    ],
    certificateAuthorities: pem,
    proxy: noProxy,
  })
})

test('without a file the environment alone counts', async () => {
  const env = { https_proxy: 'http://small:1', HTTPS_PROXY: 'http://large:1', NO_PROXY: '.internal' }
  const proxy = { http: undefined, https: 'http://small:1', no: '.internal' }
  assert.deepEqual(await catalogSettings({}, { env }), { registries: { proxy } })
})

const wrong: Record<string, { text: string; want: RegExp }> = {
  'a prefix with a scheme': {
    text: 'registries: [{prefix: "https://docker.io"}]',
    want: /registries\.yaml: registries\.0\.prefix: write the beginning of images, such as docker\.io or ghcr\.io\/amd/,
  },
  'a prefix with a tag': { text: 'registries: [{prefix: "docker.io/a:1"}]', want: /registries\.0\.prefix/ },
  'a location that is none': {
    text: 'registries: [{prefix: a.io, location: "ftp://b.io"}]',
    want: /registries\.0\.location: write a registry with or without path/,
  },
  'a key that there is not': { text: 'registries: [{prefix: a.io, mirror: b.io}]', want: /mirror/ },
  'no certificates': { text: 'certificateAuthorities: no-ca.pem', want: /no-ca\.pem holds no certificate in PEM/ },
  'certificates that are not there': { text: 'certificateAuthorities: x.pem', want: /certificateAuthorities: ENOENT/ },
}
for (const [name, { text, want }] of Object.entries(wrong)) {
  test(`a file about registries with ${name}`, async () => {
    await assert.rejects(read(text), { kind: 'invalid', message: want })
  })
}
