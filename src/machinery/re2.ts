import { type Instruction, search } from './re2-machine.ts'
import { BadPattern, parseRe2, type Re2Node } from './re2-parse.ts'

/** A regular expression as Go's `regexp` means it; needs linear time, whatever the pattern and the text. */
export interface Re2 {
  /** Whether the pattern occurs anywhere in the text. */
  test(text: string): boolean
  /** The first `limit` occurrences that do not overlap. */
  findAll(text: string, limit: number): string[]
}

/** As in RE2, a pattern may not grow beyond this when its counts are written out. */
const maxInstructions = 20_000

const compiled = new Map<string, Re2 | undefined>()

/** `undefined` when the pattern is not valid. */
export function compileRe2(pattern: string): Re2 | undefined {
  if (!compiled.has(pattern)) {
    if (compiled.size > 2000) compiled.clear() // patterns from rules may come from data
    compiled.set(pattern, compile(pattern))
  }
  return compiled.get(pattern)
}

/** What is wrong with a pattern, as Go begins to say it; `undefined` when nothing is. */
export function re2Error(pattern: string): string | undefined {
  const read = readPattern(pattern)
  return 'error' in read ? `error parsing regexp: ${read.error}: \`${pattern}\`` : undefined
}

function readPattern(pattern: string): { readonly node: Re2Node } | { readonly error: string } {
  try {
    const node = parseRe2(pattern)
    return sizeOf(node) <= maxInstructions ? { node } : { error: 'expression too large' }
  } catch (error) {
    if (error instanceof BadPattern) return { error: error.message }
    throw error
  }
}

function compile(pattern: string): Re2 | undefined {
  const read = readPattern(pattern)
  if ('error' in read) return undefined
  const { node } = read
  const program: Instruction[] = []
  emit(node, program)
  program.push({ op: 'match' })
  return {
    test: (text) => search(program, pointsOf(text), 0, true) !== undefined,
    findAll(text, limit) {
      const points = pointsOf(text)
      const texts: string[] = []
      for (let from = 0; texts.length < limit && from <= points.length; ) {
        const match = search(program, points, from, false)
        if (match === undefined) break
        const [start, end] = match
        texts.push(
          points
            .slice(start, end)
            .map((point) => String.fromCodePoint(point))
            .join(''),
        )
        from = end > start ? end : end + 1
      }
      return texts
    },
  }
}

function pointsOf(text: string): number[] {
  return Array.from(text, (character) => character.codePointAt(0) ?? 0)
}

function sizeOf(node: Re2Node): number {
  switch (node.is) {
    case 'take':
    case 'assert':
      return 1
    case 'sequence':
      return node.parts.reduce((sum, part) => sum + sizeOf(part), 0)
    case 'choice':
      return node.parts.reduce((sum, part) => sum + sizeOf(part) + 2, 0)
    case 'repeat':
      return (sizeOf(node.part) + 2) * Math.max(node.max ?? node.min + 1, 1)
  }
}

function emit(node: Re2Node, program: Instruction[]): void {
  switch (node.is) {
    case 'take':
      program.push({ op: 'take', takes: node.takes })
      return
    case 'assert':
      program.push({ op: 'assert', holds: node.holds })
      return
    case 'sequence':
      for (const part of node.parts) emit(part, program)
      return
    case 'choice':
      emitChoice(node.parts, program)
      return
    case 'repeat':
      emitRepeat(node, program)
  }
}

function emitChoice(parts: readonly Re2Node[], program: Instruction[]): void {
  const exits: { first: number; second: number }[] = []
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1
    const fork = { op: 'split' as const, first: program.length + 1, second: 0 }
    if (!last) program.push(fork)
    emit(part, program)
    if (last) break
    const exit = { op: 'split' as const, first: 0, second: 0 }
    program.push(exit)
    exits.push(exit)
    fork.second = program.length
  }
  for (const exit of exits) exit.first = exit.second = program.length
}

function emitRepeat({ part, min, max, greedy }: Extract<Re2Node, { is: 'repeat' }>, program: Instruction[]): void {
  const fork = () => {
    const split = { op: 'split' as const, first: 0, second: 0 }
    program.push(split)
    return (inside: number, after: number) =>
      Object.assign(split, greedy ? { first: inside, second: after } : { first: after, second: inside })
  }
  for (let i = 0; i < min; i++) emit(part, program)
  if (max === undefined) {
    const start = program.length
    const aim = fork()
    emit(part, program)
    program.push({ op: 'split', first: start, second: start })
    aim(start + 1, program.length)
    return
  }
  const aims: ((after: number) => void)[] = []
  for (let i = min; i < max; i++) {
    const aim = fork()
    const inside = program.length
    aims.push((after) => aim(inside, after))
    emit(part, program)
  }
  for (const aim of aims) aim(program.length)
}
