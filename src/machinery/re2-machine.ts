/**
 * Regular expressions without backtracking: all ways through the pattern advance together over the text, so the time
 * is at most the length of the text times the size of the program. Source: https://swtch.com/~rsc/regexp/regexp2.html
 */
export type Instruction =
  | { readonly op: 'take'; readonly takes: (codePoint: number) => boolean }
  /** Goes both ways; the first is preferred. */
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'assert'; readonly holds: (points: readonly number[], at: number) => boolean }
  | { readonly op: 'match' }

/** Ways in order of preference: where in the program each stands, and where in the text it began. */
interface Ways {
  readonly at: number[]
  readonly began: number[]
}

/**
 * The leftmost match from `from` on, and of those that begin there the preferred one, as offsets in code points; with
 * `any`, the first that is found, whose end means nothing.
 */
export function search(
  program: readonly Instruction[],
  points: readonly number[],
  from: number,
  any: boolean,
): readonly [start: number, end: number] | undefined {
  const seen = new Int32Array(program.length).fill(-1)
  let found: readonly [number, number] | undefined
  let ways: Ways = { at: [], began: [] }
  for (let position = from; position <= points.length; position++) {
    if (found !== undefined && ways.at.length === 0) break
    if (found === undefined) follow({ program, points, position, seen }, ways, 0, position)
    const next: Ways = { at: [], began: [] }
    for (const [i, at] of ways.at.entries()) {
      const began = ways.began[i] ?? 0
      const instruction = program[at]
      if (instruction?.op === 'match') {
        found = [began, position]
        if (any) return found
        break // what is left is less preferred
      }
      const point = points[position]
      if (instruction?.op === 'take' && point !== undefined && instruction.takes(point)) {
        follow({ program, points, position: position + 1, seen }, next, at + 1, began)
      }
    }
    ways = next
  }
  return found
}

interface Moment {
  readonly program: readonly Instruction[]
  readonly points: readonly number[]
  readonly position: number
  /** The position at which an instruction was last reached: a second way to it adds nothing. */
  readonly seen: Int32Array
}

/** Adds the ways that lead on from `start` without taking anything. */
function follow({ program, points, position, seen }: Moment, ways: Ways, start: number, began: number): void {
  const pending = [start]
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (seen[at] === position) continue
    seen[at] = position
    const instruction = program[at]
    if (instruction?.op === 'split') pending.push(instruction.second, instruction.first)
    else if (instruction?.op === 'assert') {
      if (instruction.holds(points, position)) pending.push(at + 1)
    } else {
      ways.at.push(at)
      ways.began.push(began)
    }
  }
}
