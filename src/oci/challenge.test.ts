import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Challenge, parseChallenge } from './challenge.ts'

const bearer = { scheme: 'bearer', realm: 'https://auth/token', service: 'registry', scope: 'repository:a/b:pull' }

const rows: Record<string, { header: string | string[] | undefined; want: Challenge | undefined | object }> = {
  'a token service': {
    header: 'Bearer realm="https://auth/token",service="registry",scope="repository:a/b:pull"',
    want: bearer,
  },
  'in other letters, with blanks, without quotes': {
    header: 'BEARER  Realm = "https://auth/token" , service=registry, SCOPE="repository:a/b:pull"',
    want: bearer,
  },
  'a scope with a comma': {
    header: 'Bearer realm="r",scope="repository:a:pull,push"',
    want: { scheme: 'bearer', realm: 'r', service: undefined, scope: 'repository:a:pull,push' },
  },
  'a password': { header: 'Basic realm="x"', want: { scheme: 'basic' } },
  'both in one header': {
    header: 'Basic realm="x", Bearer realm="https://auth/token",service="registry",scope="repository:a/b:pull"',
    want: bearer,
  },
  'both in two headers': {
    header: ['Basic realm="Bearer realm=no"', 'Bearer realm="r"'],
    want: { ...bearer, realm: 'r', service: undefined, scope: undefined },
  },
  'a quoted quote': {
    header: String.raw`Bearer realm="a\"b"`,
    want: { ...bearer, realm: 'a"b', service: undefined, scope: undefined },
  },
  'a token service without a place': { header: 'Bearer service="x"', want: undefined },
  'something else': { header: 'Negotiate', want: undefined },
  nothing: { header: undefined, want: undefined },
}
for (const [name, { header, want }] of Object.entries(rows)) {
  test(`what a registry wants to see: ${name}`, () => assert.deepEqual(parseChallenge(header), want))
}
