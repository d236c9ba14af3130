import assert from 'node:assert/strict'
import { test } from 'node:test'
import { guardedLookup, refuseForbidden } from './forbidden-address.ts'

for (const host of [
  '169.254.169.254',
  '[fe80::1]',
  '[fd00:ec2::254]',
  '[fd20:ce::254]',
  '[::ffff:169.254.169.254]',
  '[64:ff9b::a9fe:a9fe]',
  '100.100.100.200',
]) {
  test(`${host} is never asked`, () => {
    const message = `${host.replaceAll(/[[\]]/g, '')} is never asked: it is no address of a registry`
    assert.throws(() => refuseForbidden(host), { kind: 'invalid', code: 'RegistryForbidden', message })
  })
}

test('others may be', () => {
  for (const host of ['127.0.0.1', '10.0.0.5', '[::1]', 'ghcr.io', '169.253.0.1']) refuseForbidden(host)
})

test('nor is a name that leads there', async () => {
  const look = (hostname: string) =>
    new Promise((resolve) => {
      guardedLookup(hostname, { all: true }, (error, addresses) => resolve(error ?? addresses))
    })
  // An address is looked up without asking anybody.
  assert.match(String(await look('169.254.169.254')), /169\.254\.169\.254 is never asked/)
  assert.deepEqual(await look('127.0.0.1'), [{ address: '127.0.0.1', family: 4 }])
})
