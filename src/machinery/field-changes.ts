/**
 * What is different between two JSON values, leaf by leaf. Objects in a list are matched by their `name` where they have
 * one, so that one put in front does not change all behind it; other lists are aligned by their longest common run.
 */
import { equalJson, isObject } from '#base/json.ts'
import { formatPath, type PathSegment } from './field-path.ts'

/** A leaf that is there on one side only, or not the same on both. */
export interface FieldChange {
  /** As it stands in the later value; in the former where the later does not have it. */
  readonly field: string
  readonly before?: unknown
  readonly after?: unknown
}

/** `undefined` members count as absent. What is added or removed as a whole is told by its leaves. */
export function fieldChanges(before: unknown, after: unknown, at: readonly PathSegment[] = []): FieldChange[] {
  if (equalJson(before, after)) return []
  if (Array.isArray(before) && Array.isArray(after)) return listChanges(before, after, at)
  if (isObject(before) && isObject(after)) return memberChanges(before, after, at)
  return [...removed(before, at), ...added(after, at)].reduce(paired, [])
}

/** Every leaf with its path; an empty object or list is a leaf. */
export function leavesOf(value: unknown, at: readonly PathSegment[] = []): { path: PathSegment[]; value: unknown }[] {
  if (value === undefined) return []
  const members: [PathSegment, unknown][] = Array.isArray(value)
    ? [...value.entries()]
    : isObject(value)
      ? Object.entries(value)
      : []
  if (members.length === 0) return [{ path: [...at], value }]
  return members.flatMap(([segment, member]) => leavesOf(member, [...at, segment]))
}

function removed(value: unknown, at: readonly PathSegment[]): FieldChange[] {
  return leavesOf(value, at).map(({ path, value: before }) => ({ field: formatPath(path), before }))
}

function added(value: unknown, at: readonly PathSegment[]): FieldChange[] {
  return leavesOf(value, at).map(({ path, value: after }) => ({ field: formatPath(path), after }))
}

/** One leaf that went and one that came in its place are one change. */
function paired(changes: FieldChange[], change: FieldChange): FieldChange[] {
  const last = changes.at(-1)
  if (last?.field !== change.field || 'after' in last || 'before' in change) return [...changes, change]
  return [...changes.slice(0, -1), { ...last, ...change }]
}

type Members = Readonly<Record<string, unknown>>

function memberChanges(before: Members, after: Members, at: readonly PathSegment[]): FieldChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].flatMap((name) => fieldChanges(memberOf(before, name), memberOf(after, name), [...at, name]))
}

function memberOf(members: Members, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined
}

function listChanges(before: readonly unknown[], after: readonly unknown[], at: readonly PathSegment[]): FieldChange[] {
  const isNamed = namesAreUnique(before) && namesAreUnique(after)
  const pairs = isNamed ? pairedByName(before, after) : aligned(before, after)
  return pairs.flatMap(([i, j]) => {
    if (i === undefined) return j === undefined ? [] : added(after[j], [...at, j])
    return j === undefined ? removed(before[i], [...at, i]) : fieldChanges(before[i], after[j], [...at, j])
  })
}

/** Indices of what belongs together; one is missing where the other side has nothing like it. */
type Pair = readonly [number | undefined, number | undefined]

function namesAreUnique(items: readonly unknown[]): boolean {
  const names = items.map(nameOf)
  return !names.includes(undefined) && new Set(names).size === names.length
}

function nameOf(item: unknown): string | undefined {
  return isObject(item) && typeof item['name'] === 'string' ? item['name'] : undefined
}

/** What has no namesake on the other side is paired in order: it may only have another name. */
function pairedByName(before: readonly unknown[], after: readonly unknown[]): Pair[] {
  const formerAt = new Map(before.map((item, i) => [nameOf(item), i]))
  const kept = new Set(after.map(nameOf))
  const lost = [...before.keys()].filter((i) => !kept.has(nameOf(before[i])))
  const pairs = after.map((item, j): Pair => [formerAt.get(nameOf(item)) ?? lost.shift(), j])
  return [...lost.map((i): Pair => [i, undefined]), ...pairs]
}

/** By the longest common subsequence; between two common items, what went and what came are paired in their order. */
function aligned(before: readonly unknown[], after: readonly unknown[]): Pair[] {
  const common = commonLengths(before, after)
  const pairs: Pair[] = []
  let [i, j] = [0, 0]
  while (i < before.length || j < after.length) {
    const rest = lengthAt(common, i, j)
    if (i < before.length && j < after.length && equalJson(before[i], after[j])) pairs.push([i++, j++])
    else if (i < before.length && j < after.length && lengthAt(common, i + 1, j + 1) === rest) pairs.push([i++, j++])
    else if (j < after.length && lengthAt(common, i, j + 1) === rest) pairs.push([undefined, j++])
    else pairs.push([i++, undefined])
  }
  return pairs
}

/** `[i][j]`: the most items that `before` from `i` on and `after` from `j` on have in common, in order. */
function commonLengths(before: readonly unknown[], after: readonly unknown[]): number[][] {
  const lengths = before.map(() => after.map(() => 0))
  for (let i = before.length - 1; i >= 0; i--) {
    for (let j = after.length - 1; j >= 0; j--) {
      const row = lengths[i]
      if (row === undefined) continue
      row[j] = equalJson(before[i], after[j])
        ? 1 + lengthAt(lengths, i + 1, j + 1)
        : Math.max(lengthAt(lengths, i + 1, j), lengthAt(lengths, i, j + 1))
    }
  }
  return lengths
}

const lengthAt = (lengths: readonly (readonly number[])[], i: number, j: number): number => lengths[i]?.[j] ?? 0
