import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endpointsOf, mayBeAsked } from './endpoints.ts'
import { parseReference } from './reference.ts'
import type { RegistryRule } from './settings.ts'

const rules: readonly RegistryRule[] = [
  { prefix: 'docker.io', mirrors: ['mirror.internal/hub'] },
  { prefix: 'docker.io/amd', mirrors: ['http://10.0.0.5:5000', 'https://127.0.0.1:5001/a/b'] },
  { prefix: 'registry.internal:5000', location: 'http://registry.internal:5000' },
  { prefix: 'ghcr.io/amd/x', location: '127.0.0.1:5000/y' },
  { prefix: 'plain.internal', location: 'http://plain.internal:80' },
]

const rows: Record<string, string[]> = {
  'quay.io/a/b': ['https://quay.io a/b'],
  ubuntu: ['https://mirror.internal hub/library/ubuntu', 'https://registry-1.docker.io library/ubuntu'],
  'amd/x': ['http://10.0.0.5:5000 x', 'https://127.0.0.1:5001 a/b/x', 'https://registry-1.docker.io amd/x'],
  'amdx/x': ['https://mirror.internal hub/amdx/x', 'https://registry-1.docker.io amdx/x'],
  'registry.internal:5000/a': ['http://registry.internal:5000 a'],
  'registry.internal/a': ['https://registry.internal a'],
  'ghcr.io/amd/x': ['http://127.0.0.1:5000 y'],
  'ghcr.io/amd/xy': ['https://ghcr.io amd/xy'],
  'localhost/a': ['http://localhost a'],
  '127.1.2.3:5000/a': ['http://127.1.2.3:5000 a'],
  '127.evil.example/a': ['https://127.evil.example a'],
  '[::1]:5000/a': ['http://[::1]:5000 a'],
  'harbor.example.com:443/a': ['https://harbor.example.com a'],
  'plain.internal/a': ['http://plain.internal a'],
}
for (const [image, want] of Object.entries(rows)) {
  test(`where ${image} is asked for`, () => {
    const endpoints = endpointsOf(parseReference(image), rules)
    assert.deepEqual(
      endpoints.map(({ origin, repository }) => `${origin} ${repository}`),
      want,
    )
  })
}

for (const host of ['localhost:99999', '1.2.3.4.5', 'registry.0x', '[:::]:5000']) {
  test(`no address has the host ${host}`, () => {
    const message = `"${host}" is no host that can be asked`
    assert.throws(() => endpointsOf(parseReference(`${host}/a`), rules), { kind: 'invalid', message })
  })
}

const addresses: Record<string, { from?: string; want: boolean }> = {
  'https://anywhere.example': { want: true },
  'http://anywhere.example': { want: false },
  'http://registry.internal:5000': { want: true },
  'http://registry.internal': { want: false },
  'http://10.0.0.5:5000': { want: true },
  'http://10.0.0.6:5000': { want: false },
  'http://plain.internal': { want: true },
  'http://127.0.0.1:8081': { want: false },
  'http://localhost:5001': { from: 'http://127.0.0.1:5000', want: true },
  'http://[::1]:5001': { from: 'http://localhost:5000', want: true },
  'http://127.0.0.1:1': { from: 'https://localhost', want: false },
  'http://localhost.example': { from: 'http://localhost', want: false },
  'ftp://registry.internal:5000': { want: false },
}
for (const [address, { from = 'https://ghcr.io', want }] of Object.entries(addresses)) {
  test(`whether ${from} may have us ask ${address}`, () => {
    assert.equal(mayBeAsked(new URL(address), from, rules), want)
  })
}
