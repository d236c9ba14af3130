import assert from 'node:assert/strict'
import { test } from 'node:test'
import { credentialsFor, type PullSecret, readPullSecrets } from './credentials.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

function secret(auths: unknown, name = 's'): PullSecret {
  const data = { '.dockerconfigjson': base64(JSON.stringify({ auths })) }
  return { name, namespace: 'ns', type: 'kubernetes.io/dockerconfigjson', data }
}

const login = (username: string, password: string) => ({ by: 'password', username, password })

const entries: Record<string, { entry: object; want: unknown }> = {
  'user and password': { entry: { username: 'u', password: 'p' }, want: login('u', 'p') },
  'both as one': { entry: { auth: base64('u:p:q') }, want: login('u', 'p:q') },
  'both as one, without padding': { entry: { auth: base64('us:p').replace(/=+$/, '') }, want: login('us', 'p') },
  'as one counts more': { entry: { auth: base64('u:p'), username: 'x', password: 'y' }, want: login('u', 'p') },
  'a token that buys tokens': {
    entry: { identitytoken: 'id', auth: base64('<token>:') },
    want: { by: 'identity-token', token: 'id' },
  },
  'a token': { entry: { registrytoken: 'tok' }, want: { by: 'registry-token', token: 'tok' } },
  'what a helper program knows': { entry: {}, want: undefined },
}
for (const [name, { entry, want }] of Object.entries(entries)) {
  test(`an entry of a pull secret: ${name}`, () => {
    const { credentials } = readPullSecrets([secret({ 'ghcr.io': entry })])
    assert.deepEqual(
      credentials,
      want === undefined ? [] : [{ host: 'ghcr.io', path: '', login: want, secret: 'ns/s' }],
    )
  })
}

test('the older type of secret has its entries at the top', () => {
  const data = { '.dockercfg': base64(JSON.stringify({ 'ghcr.io': { username: 'u', password: 'p' } })) }
  const { credentials } = readPullSecrets([{ name: 's', namespace: 'ns', type: 'kubernetes.io/dockercfg', data }])
  assert.deepEqual(credentials[0]?.login, login('u', 'p'))
})

test('#65 secrets of other types hold no credentials, whatever their keys', () => {
  const opaque = { ...secret({ 'ghcr.io': { auth: base64('u:p') } }, 'b'), type: 'Opaque' }
  const { credentials, unsupported } = readPullSecrets([secret({ 'ghcr.io': { auth: base64('a:p') } }, 'a'), opaque])
  assert.deepEqual(
    credentials.map((each) => each.secret),
    ['ns/a'],
  )
  assert.deepEqual(unsupported, ['ns/b'])
})

const json = 'kubernetes.io/dockerconfigjson'
const malformed: Record<string, { data: Record<string, string>; want: RegExp }> = {
  'without its key': { data: {}, want: /^pull secret ns\/s: it has no key \.dockerconfigjson$/ },
  'that is no JSON': {
    data: { '.dockerconfigjson': base64('{hunter2') },
    want: /ns\/s: \.dockerconfigjson is not JSON$/,
  },
  'that is a list': { data: { '.dockerconfigjson': base64('[]') }, want: /is not a JSON object$/ },
  'without "auths"': { data: { '.dockerconfigjson': base64('{}') }, want: /has no "auths" object$/ },
  'with an entry that is a text': {
    data: { '.dockerconfigjson': base64('{"auths":{"ghcr.io":"hunter2"}}') },
    want: /the entry for "ghcr.io" is not an object$/,
  },
  'with an "auth" of something else': {
    data: { '.dockerconfigjson': base64(JSON.stringify({ auths: { 'ghcr.io': { auth: base64('hunter2') } } })) },
    want: /"auth" of "ghcr.io" is not the base64 form of "user:password"$/,
  },
}
for (const [name, { data, want }] of Object.entries(malformed)) {
  test(`a pull secret ${name} is named, and nothing of it`, () => {
    const read = (): unknown => readPullSecrets([{ name: 's', namespace: 'ns', type: json, data }])
    assert.throws(read, { kind: 'invalid', code: 'SecretMalformed', message: want })
    assert.throws(read, (error: Error) => !error.message.includes('hunter2') && error.cause === undefined)
  })
}

const matches: Record<string, { keys: string[]; registry?: string; repository?: string; want: string[] }> = {
  'its host': { keys: ['ghcr.io', 'quay.io'], want: ['ghcr.io'] },
  'its host as an address of either protocol': {
    keys: ['https://ghcr.io/v1/', 'http://ghcr.io/v2', 'GHCR.io/'],
    want: ['https://ghcr.io/v1/', 'http://ghcr.io/v2', 'GHCR.io/'],
  },
  '#67 Docker Hub under all its names': {
    keys: ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io', 'hub.docker.com'],
    registry: 'docker.io',
    want: ['https://index.docker.io/v1/', 'index.docker.io', 'docker.io', 'registry-1.docker.io'],
  },
  'a port must be the same': {
    keys: ['r.io', 'r.io:5000', 'r.io:5001', '*.io', '*.io:5000'],
    registry: 'r.io:5000',
    want: ['r.io:5000', '*.io:5000'],
  },
  'a star stands for one part of the name, or some of it': {
    keys: ['*.r.io', '*.io', 'a*.r.io', 'b*.r.io', '*', 'a.*.io'],
    registry: 'ab.r.io',
    want: ['a*.r.io', '*.r.io'],
  },
  'stars do not overlap what they stand between': { keys: ['ab*ba.io'], registry: 'aba.io', want: [] },
  'the longest first, then in order': {
    keys: ['ghcr.io', 'ghcr.io/amd', 'ghcr.io/amd/x', 'https://ghcr.io'],
    repository: 'amd/x',
    want: ['ghcr.io/amd/x', 'ghcr.io/amd', 'ghcr.io', 'https://ghcr.io'],
  },
  'a path ends where a name ends': { keys: ['ghcr.io/amd', 'ghcr.io/amd/'], repository: 'amd-labs/x', want: [] },
}
for (const [name, { keys, registry = 'ghcr.io', repository = 'amd/x', want }] of Object.entries(matches)) {
  test(`credentials for a repository: ${name}`, () => {
    const auths = Object.fromEntries(keys.map((key) => [key, { username: key, password: 'p' }]))
    const { credentials } = readPullSecrets([secret(auths)])
    const found = credentialsFor(credentials, registry, repository)
    assert.deepEqual(
      found.map((each) => each.login.by === 'password' && each.login.username),
      want,
    )
  })
}
