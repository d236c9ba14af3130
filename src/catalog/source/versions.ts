/** Versions in tags, and constraints on them. Pure. */
import semver from 'semver'
import { Fault } from '#base/fault.ts'

export type AcceptsTag = (tag: string) => boolean

/** Lets `0.8.1-rc1` be what it is, a version after 0.8.0. */
const options = { includePrerelease: true }

/**
 * Which tags meet all constraints; without any, all do. A tag that is no version meets none. Throws `invalid` for what is
 * no constraint.
 */
export function acceptedTags(constraints: readonly string[]): AcceptsTag {
  const ranges = constraints.map(rangeOf)
  return (tag) => {
    if (ranges.length === 0) return true
    const version = semver.parse(tag)
    return version !== null && ranges.every((range) => range.test(version))
  }
}

/** The newest first, then what is no version, by its letters. */
export function compareTags(a: string, b: string): number {
  const [left, right] = [semver.parse(a), semver.parse(b)]
  if (left !== null && right !== null) return semver.rcompare(left, right)
  if (left === null && right === null) return a < b ? -1 : a > b ? 1 : 0
  return left === null ? 1 : -1
}

function rangeOf(constraint: string): semver.Range {
  try {
    // Other operators' users write commas between what must all hold.
    return new semver.Range(constraint.replaceAll(',', ' '), options)
  } catch {
    const message = `"${constraint}" is no version constraint; write such as ">=0.8.0", "~1.2", "^1.0.0 || 2.x"`
    throw new Fault('invalid', 'InvalidSpec', message)
  }
}
