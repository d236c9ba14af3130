/**
 * Which members of a pool come first. Each member's room above its minimum is cut into blocks that grow by the expansion
 * rate (1, 2, 4, … at 200 %); all blocks, sorted by what they cost, are filled in that order. So cheap members come first,
 * and the dearer ones are mixed in before the cheap ones are full. What a total leads to depends on the total alone, and no
 * member shrinks while it grows: scaling down takes back what was added last.
 *
 * The rate 100 makes one block of a member's whole room, sorted by the cost of one instance: plainly the cheapest first.
 */
import type { Bounds } from './scaling-target.ts'

export interface Costed extends Bounds {
  /** Of one instance. */
  readonly cost: number
  /** Of one instance, in instances of the weakest member; 1 or more. */
  readonly capacity: number
}

export interface Block {
  /** Which member, by its place in the list. */
  readonly member: number
  /** Instances. */
  readonly size: number
  /** What decides the order. */
  readonly sortCost: number
}

export function blocksOf(members: readonly Costed[], costExpansionRatePercent: number): readonly Block[] {
  return members
    .flatMap((each, member) =>
      sizesOf(each, costExpansionRatePercent).map(({ size, factor }) => ({
        member,
        size,
        sortCost: (each.cost / each.capacity) * factor,
      })),
    )
    .toSorted((a, b) => a.sortCost - b.sortCost || a.member - b.member)
}

function sizesOf({ min, max }: Bounds, ratePercent: number): { size: number; factor: number }[] {
  const room = max - min
  if (room <= 0) return []
  // A lower rate would cut blocks of one instance each, all at the same cost.
  if (ratePercent <= 100) return [{ size: room, factor: 1 }]
  const sizes: { size: number; factor: number }[] = []
  for (let left = room, running = 1; left > 0; running *= ratePercent / 100) {
    const size = Math.min(Math.trunc(running), left)
    sizes.push({ size, factor: size })
    left -= size
  }
  return sizes
}

/** Instances of each member whose capacities add up to `total`, or to the first amount above it that is possible. */
export function distribute(members: readonly Costed[], blocks: readonly Block[], total: number): readonly number[] {
  const counts = members.map(({ min }) => min)
  let left = total - members.reduce((sum, { min, capacity }) => sum + min * capacity, 0)
  for (const { member, size } of blocks) {
    if (left <= 0) break
    const capacity = members[member]?.capacity ?? 1
    const taken = Math.min(size, Math.ceil(left / capacity))
    counts[member] = (counts[member] ?? 0) + taken
    left -= taken * capacity
  }
  return counts
}
