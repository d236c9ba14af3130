import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { TokenBucket } from './token-bucket.ts'

const minuteMs = 60_000

test('a bucket of 10 a minute lets prompts of 5 through at 0, 1 and 30 s, and not at 2 and 31 s', () => {
  const bucket = new TokenBucket({ capacity: 10, fillMs: minuteMs }, 0)
  const passed = [0, 1, 2, 30, 31].map((second) => {
    if (bucket.waitMs(5, second * 1000) > 0) return false
    bucket.take(5, second * 1000)
    return true
  })
  assert.deepEqual(passed, [true, true, false, true, false])
})

test('a debt is paid at the pace of the bucket', () => {
  const bucket = new TokenBucket({ capacity: 100, fillMs: minuteMs }, 0)
  bucket.take(150, 0)
  assert.equal(bucket.waitMs(1, 0), 30_600)
  assert.equal(bucket.waitMs(1, 30_600), 0)
})

test('what is larger than the bucket never passes', () => {
  assert.equal(new TokenBucket({ capacity: 10, fillMs: minuteMs }, 0).waitMs(11, 0), Infinity)
})

test('a limit that is raised does not fill the bucket, and one that is lowered cuts it', () => {
  const bucket = new TokenBucket({ capacity: 10, fillMs: minuteMs }, 0)
  bucket.take(8, 0)
  bucket.resize({ capacity: 1000, fillMs: minuteMs }, 0)
  assert.equal(bucket.level(0), 2)
  bucket.resize({ capacity: 1, fillMs: minuteMs }, 0)
  assert.equal(bucket.level(0), 1)
})

test('a clock that is set back gives and takes nothing', () => {
  const bucket = new TokenBucket({ capacity: 10, fillMs: minuteMs }, minuteMs)
  bucket.take(5, minuteMs)
  assert.equal(bucket.level(0), 5)
})

test('over any time, no more passes than the bucket held and what came back', () => {
  const asks = fc.array(fc.record({ afterMs: fc.nat(20_000), tokens: fc.integer({ min: 1, max: 20 }) }))
  fc.assert(
    fc.property(asks, fc.integer({ min: 1, max: 20 }), (list, capacity) => {
      const bucket = new TokenBucket({ capacity, fillMs: minuteMs }, 0)
      let nowMs = 0
      let passed = 0
      for (const { afterMs, tokens } of list) {
        nowMs += afterMs
        if (bucket.waitMs(tokens, nowMs) > 0) continue
        bucket.take(tokens, nowMs)
        passed += tokens
      }
      assert.ok(passed <= capacity + (nowMs * capacity) / minuteMs + 1e-6)
    }),
  )
})
