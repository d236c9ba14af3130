import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { loopbackAddresses } from './addresses.ts'

test('no two pods share an address, whatever comes and goes', () => {
  const step = fc.record({ uid: fc.integer({ min: 0, max: 40 }).map(String), take: fc.boolean() })
  const preferred = fc.constantFrom(undefined, '127.20.1.1', '127.20.1.2', '10.0.0.1')
  fc.assert(
    fc.property(fc.array(fc.tuple(step, preferred)), (steps) => {
      const addresses = loopbackAddresses()
      const held = new Map<string, string>()
      for (const [{ uid, take }, wish] of steps) {
        if (!take) {
          addresses.release(uid)
          held.delete(uid)
          continue
        }
        const address = addresses.take(uid, wish)
        assert.match(address, /^127\.\d+\.\d+\.\d+$/)
        assert.equal(held.get(uid) ?? address, address, 'the same at every call')
        held.set(uid, address)
        assert.equal(new Set(held.values()).size, held.size)
      }
    }),
  )
})

test('an address follows from the uid, and what a pod had before it keeps', () => {
  assert.equal(loopbackAddresses().take('u'), loopbackAddresses().take('u'))
  assert.equal(loopbackAddresses().take('u', '127.99.1.2'), '127.99.1.2')
})
