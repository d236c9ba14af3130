import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeToken, encodeToken } from './continue-token.ts'

test('a token says where a list goes on', () => {
  const at = { revision: 7, after: 'default/a' }
  assert.deepEqual(decodeToken(encodeToken(at)), at)
})

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const rows: Record<string, { token: string; want: RegExp }> = {
  'no base64': { token: 'a=b', want: /continue key is not valid: illegal base64 data at input byte 1$/ },
  'no JSON': { token: 'nothing', want: /invalid character '\\u009e' looking for beginning of value$/ },
  'another version': {
    token: encoded({ v: 'v2', rv: 1, start: 'a' }),
    want: /does not recognize this encoded version v2$/,
  },
  'no version of the store': {
    token: encoded({ v: 'meta.k8s.io/v1', rv: 0, start: 'a' }),
    want: /incorrect encoded start resourceVersion/,
  },
  'no place': { token: encoded({ v: 'meta.k8s.io/v1', rv: 1, start: '' }), want: /encoded start key empty/ },
}
for (const [name, { token, want }] of Object.entries(rows)) {
  test(`a token that holds ${name} is refused`, () => assert.throws(() => decodeToken(token), want))
}
