import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClusterIps } from './cluster-ips.ts'

test('every address is given once, and none is the network or its broadcast', () => {
  const addresses = createClusterIps()
  const given = new Set<string>()
  for (let address = addresses.take(); address !== undefined; address = addresses.take()) given.add(address)
  assert.equal(given.size, 256 * 256 - 2)
  assert.ok(given.has('127.96.0.1') && given.has('127.96.255.254'))
  assert.ok(!given.has('127.96.0.0') && !given.has('127.96.255.255'))
})

test('an address can be had by name unless it is taken, and again once it is given back', () => {
  const addresses = createClusterIps()
  assert.equal(addresses.reserve('127.96.0.2'), true)
  assert.equal(addresses.reserve('127.96.0.2'), false)
  assert.deepEqual([addresses.take(), addresses.take()], ['127.96.0.1', '127.96.0.3'])
  addresses.release('127.96.0.2')
  assert.equal(addresses.reserve('127.96.0.2'), true)
})
