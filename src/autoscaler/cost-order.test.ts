import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { blocksOf, type Costed, distribute } from './cost-order.ts'

const h100: Costed = { cost: 100, capacity: 1, min: 0, max: 4 }
const a100: Costed = { cost: 60, capacity: 1, min: 1, max: 8 }
const gpu: Costed = { cost: 100, capacity: 1, min: 1, max: 5 }
const cpu: Costed = { cost: 30, capacity: 1, min: 2, max: 8 }

/** The members' shares for totals from `from` on. */
const rows: Record<string, { members: readonly Costed[]; rate: number; from: number; want: string }> = {
  '42 at 200 % blocks double': {
    members: [a100, h100],
    rate: 200,
    from: 1,
    want: '1/0 2/0 2/1 2/2 3/2 4/2 4/3 4/4 5/4 6/4 7/4 8/4',
  },
  '43 at 100 % the cheapest first': {
    members: [a100, h100],
    rate: 100,
    from: 1,
    want: '1/0 2/0 3/0 4/0 5/0 6/0 7/0 8/0 8/1 8/2 8/3 8/4',
  },
  '43 at 50 % too': {
    members: [a100, h100],
    rate: 50,
    from: 1,
    want: '1/0 2/0 3/0 4/0 5/0 6/0 7/0 8/0 8/1 8/2 8/3 8/4',
  },
  '43 at 0 % too': {
    members: [a100, h100],
    rate: 0,
    from: 1,
    want: '1/0 2/0 3/0 4/0 5/0 6/0 7/0 8/0 8/1 8/2 8/3 8/4',
  },
  '44 at 300 %': {
    members: [a100, h100],
    rate: 300,
    from: 1,
    want: '1/0 2/0 2/1 3/1 4/1 5/1 6/1 7/1 8/1 8/2 8/3 8/4',
  },
  '45 at 150 %': {
    members: [a100, h100],
    rate: 150,
    from: 1,
    want: '1/0 2/0 3/0 3/1 3/2 4/2 5/2 6/2 7/2 8/2 8/3 8/4',
  },
  '46 a cheap member is full before a dear one grows': {
    members: [gpu, cpu],
    rate: 200,
    from: 3,
    want: '1/2 1/3 1/4 1/5 1/6 1/7 1/8 2/8 3/8 4/8 5/8',
  },
  '47 minimums are kept': {
    members: [
      { cost: 10, capacity: 1, min: 1, max: 4 },
      { cost: 5, capacity: 1, min: 1, max: 3 },
    ],
    rate: 100,
    from: 5,
    want: '2/3',
  },
}
for (const [name, { members, rate, from, want }] of Object.entries(rows)) {
  test(name, () => {
    const blocks = blocksOf(members, rate)
    const shares = want.split(' ').map((_, i) => distribute(members, blocks, from + i).join('/'))
    assert.deepEqual(shares.join(' '), want)
  })
}

test('47 no total leads beyond the bounds', () => {
  const members = [h100, a100]
  assert.deepEqual(distribute(members, blocksOf(members, 100), 0), [0, 1])
  assert.deepEqual(distribute(members, blocksOf(members, 100), 999), [4, 8])
})

test('blocks have the sizes and costs of the worked examples', () => {
  const shown = blocksOf([a100, h100], 200).map(({ member, size, sortCost }) => `${member}×${size}@${sortCost}`)
  assert.equal(shown.join(' '), '0×1@60 1×1@100 1×1@100 0×2@120 1×2@200 0×4@240')
})

const costed = fc
  .record({ cost: fc.nat(100), capacity: fc.constantFrom(1, 1, 1, 2, 3), min: fc.nat(4), room: fc.nat(12) })
  .map(({ room, ...each }): Costed => ({ ...each, max: each.min + room }))
const pools = fc.array(costed, { minLength: 1, maxLength: 4 })

test('shares stay within bounds, hold the total, and no member shrinks while it grows', () => {
  fc.assert(
    fc.property(pools, fc.constantFrom(0, 100, 130, 200, 300), (members, rate) => {
      const blocks = blocksOf(members, rate)
      const capacityOf = (counts: readonly number[]) =>
        counts.reduce((sum, count, i) => sum + count * (members[i]?.capacity ?? 1), 0)
      const least = capacityOf(members.map(({ min }) => min))
      const most = capacityOf(members.map(({ max }) => max))
      let former = members.map(({ min }) => min)
      for (let total = least; total <= most; total++) {
        const counts = distribute(members, blocks, total)
        counts.forEach((count, i) => {
          const { min, max } = members[i] as Costed
          assert.ok(count >= min && count <= max && count >= (former[i] ?? 0))
        })
        const above = capacityOf(counts) - total
        assert.ok(above >= 0 && above < Math.max(...members.map(({ capacity }) => capacity)))
        former = [...counts]
      }
    }),
  )
})
