import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteBudget } from './byte-budget.ts'

test('shares hold together no more than there is, and give all of it back, once', () => {
  const budget = new ByteBudget(10)
  const [one, other] = [budget.share(), budget.share()]
  assert.deepEqual([one.take(4), one.take(3), other.take(4), other.take(3)], [true, true, false, true])
  one.free()
  one.free()
  assert.equal(one.take(1), false, 'it is over')
  assert.deepEqual([other.take(8), other.take(7)], [false, true])
})
