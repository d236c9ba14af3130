import { isObject } from '#base/json.ts'
import type { Recorded } from './replay.ts'

/** One value that is not the same: `body.reason: "Conflict" here, "Invalid" there`. */
export interface Difference {
  /** Such as `body.details.causes.0.message`. */
  readonly path: string
  /** JSON; undefined where there is none. */
  readonly wanted: string | undefined
  readonly got: string | undefined
}

export function differences(wanted: Recorded | undefined, got: Recorded | undefined): Difference[] {
  const [left, right] = [leaves(wanted), leaves(got)]
  const paths = new Set([...left.keys(), ...right.keys()])
  return [...paths]
    .filter((path) => left.get(path) !== right.get(path))
    .map((path) => ({ path, wanted: left.get(path), got: right.get(path) }))
}

export function printDifference({ path, wanted, got }: Difference): string {
  return `${path}: ${wanted ?? 'nothing'} is recorded, ${got ?? 'nothing'} is answered`
}

/** Values without parts, by their paths. */
function leaves(value: unknown, path = '', found = new Map<string, string>()): Map<string, string> {
  const isNested = (isObject(value) || Array.isArray(value)) && Object.keys(value).length > 0
  if (!isNested) {
    if (value !== undefined) found.set(path, JSON.stringify(value))
    return found
  }
  for (const [name, member] of Object.entries(value)) leaves(member, path === '' ? name : `${path}.${name}`, found)
  return found
}
