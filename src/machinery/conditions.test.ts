import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setCondition } from './conditions.ts'

const at = (second: number) => Date.UTC(2030, 0, 1, 0, 0, second)
const condition = { type: 'Ready', status: 'True', reason: 'Fine', message: 'it is' } as const

test('a condition keeps its time until its status flips', () => {
  const first = setCondition(undefined, condition, at(1))
  const same = setCondition(first, { ...condition, message: 'it still is' }, at(2))
  const flipped = setCondition(same, { ...condition, status: 'False' }, at(3))
  assert.deepEqual(
    [first, same, flipped].map(([told]) => told?.lastTransitionTime),
    ['2030-01-01T00:00:01Z', '2030-01-01T00:00:01Z', '2030-01-01T00:00:03Z'],
  )
})

test('a message is no longer than Kubernetes allows', () => {
  const [told] = setCondition(undefined, { ...condition, message: 'x'.repeat(40_000) }, at(1))
  assert.equal(told?.message.length, 32_768)
})
