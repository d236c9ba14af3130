/**
 * Regular expressions in RE2's syntax, matched in time linear in the text, whatever the pattern: a route's author must
 * not be able to stop the router with `(a+)+$`, which JavaScript's own backtracking engine would let them do.
 *
 * The pattern becomes a small program (Thompson's construction); matching walks the text once and keeps the set of
 * places in the program where it could be. Only "does it match anywhere" is asked, so no captures are kept.
 *
 * Left out of https://github.com/google/re2/wiki/Syntax: `\C`, and the negated names of `[[:^alpha:]]`.
 */
export interface LinearRegex {
  /** Whether the pattern matches anywhere in `text` (unanchored). */
  test(text: string): boolean
}

export type CompiledRegex = { readonly regex: LinearRegex } | { readonly error: string }

const maxSourceLength = 1024
/** RE2's own bound for `{n,m}`. */
const maxRepeat = 1000
const maxInstructions = 2000

type CharTest = (code: number) => boolean
type Position = 'start' | 'end' | 'lineStart' | 'lineEnd' | 'wordEdge' | 'noWordEdge'

type Node =
  | { readonly is: 'char'; readonly test: CharTest }
  | { readonly is: 'assert'; readonly at: Position }
  | { readonly is: 'all'; readonly parts: readonly Node[] }
  | { readonly is: 'either'; readonly parts: readonly Node[] }
  | { readonly is: 'repeat'; readonly part: Node; readonly min: number; readonly max: number }

type Instruction =
  | { readonly do: 'char'; readonly test: CharTest }
  | { readonly do: 'assert'; readonly at: Position }
  | { readonly do: 'fork'; to: number[] }
  | { readonly do: 'accept' }

/** Compiles once; a pattern that cannot be compiled comes back with the reason, in words for its author. */
export function compileRegex(source: string): CompiledRegex {
  if (source.length > maxSourceLength) return { error: `longer than ${maxSourceLength} characters` }
  try {
    const program = assemble(new Parser(source).parse())
    return { regex: { test: (text) => run(program, text) } }
  } catch (error) {
    if (error instanceof SyntaxError) return { error: error.message }
    throw error
  }
}

interface Flags {
  ignoreCase: boolean
  multiLine: boolean
  dotAll: boolean
  ungreedy: boolean
}

class Parser {
  readonly #chars: readonly string[]
  #at = 0
  #flags: Flags = { ignoreCase: false, multiLine: false, dotAll: false, ungreedy: false }

  constructor(source: string) {
    this.#chars = Array.from(source)
  }

  parse(): Node {
    const node = this.#either()
    if (this.#at < this.#chars.length) throw new SyntaxError('unexpected )')
    return node
  }

  #either(): Node {
    const parts = [this.#sequence()]
    while (this.#take('|')) parts.push(this.#sequence())
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { is: 'either', parts }
  }

  #sequence(): Node {
    const parts: Node[] = []
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek()) {
      parts.push(this.#repeated(this.#atom()))
    }
    return { is: 'all', parts }
  }

  #repeated(part: Node): Node {
    const bounds = this.#bounds()
    if (bounds === undefined) return part
    this.#take('?') // lazy: the same language
    if (this.#peek() === '*' || this.#peek() === '+' || this.#peek() === '?') {
      throw new SyntaxError('invalid nested repetition operator')
    }
    return this.#repeated({ is: 'repeat', part, ...bounds })
  }

  #bounds(): { min: number; max: number } | undefined {
    if (this.#take('*')) return { min: 0, max: Infinity }
    if (this.#take('+')) return { min: 1, max: Infinity }
    if (this.#take('?')) return { min: 0, max: 1 }
    const counts = /^\{(\d{1,5})(,?)(\d{0,5})\}/.exec(this.#chars.slice(this.#at, this.#at + 14).join(''))
    if (counts === null || (counts[2] === '' && counts[3] !== '')) return undefined // a literal brace, as in RE2
    this.#at += counts[0].length
    const min = Number(counts[1])
    const max = counts[2] === '' ? min : counts[3] === '' ? Infinity : Number(counts[3])
    if (min > maxRepeat || (max !== Infinity && max > maxRepeat) || max < min) {
      throw new SyntaxError(`invalid repeat count ${counts[0]}: at most ${maxRepeat}, the lower bound first`)
    }
    return { min, max }
  }

  #atom(): Node {
    const char = this.#next()
    switch (char) {
      case '(':
        return this.#group()
      case '[':
        return this.#char(this.#set())
      case '.':
        return this.#char(this.#flags.dotAll ? () => true : (code) => code !== 10)
      case '^':
        return { is: 'assert', at: this.#flags.multiLine ? 'lineStart' : 'start' }
      case '$':
        return { is: 'assert', at: this.#flags.multiLine ? 'lineEnd' : 'end' }
      case '*':
      case '+':
      case '?':
        throw new SyntaxError(`missing argument to repetition operator ${char}`)
      case '\\':
        return this.#escape()
      default:
        return this.#literal(codeOf(char))
    }
  }

  #group(): Node {
    const outer = { ...this.#flags }
    if (this.#take('?')) {
      if (this.#take('P') || this.#peek() === '<') {
        if (!/^<\w+>/.test(this.#rest())) throw new SyntaxError('invalid named group')
        while (this.#next() !== '>');
      } else if (this.#setFlags() === ')') {
        return { is: 'all', parts: [] } // `(?i)`: flags for the rest of the enclosing group
      }
    }
    const node = this.#either()
    if (!this.#take(')')) throw new SyntaxError('missing )')
    this.#flags = outer
    return node
  }

  /** Reads `imsU-:` up to and with the closing `:` or `)`, which it returns. */
  #setFlags(): string {
    const names: Record<string, keyof Flags> = { i: 'ignoreCase', m: 'multiLine', s: 'dotAll', U: 'ungreedy' }
    for (let on = true; ; ) {
      const char = this.#next()
      const flag = Object.hasOwn(names, char) ? names[char] : undefined
      if (flag !== undefined) this.#flags = { ...this.#flags, [flag]: on }
      else if (char === '-' && on) on = false
      else if (char === ':' || char === ')') return char
      else throw new SyntaxError('invalid group syntax: neither lookaround nor backreferences exist in RE2')
    }
  }

  #escape(): Node {
    const char = this.#next()
    if (char === 'A') return { is: 'assert', at: 'start' }
    if (char === 'z') return { is: 'assert', at: 'end' }
    if (char === 'b') return { is: 'assert', at: 'wordEdge' }
    if (char === 'B') return { is: 'assert', at: 'noWordEdge' }
    if (char === 'Q') return this.#quoted()
    const set = this.#namedSet(char)
    return set === undefined ? this.#literal(this.#escapedCode(char)) : this.#char(set)
  }

  #quoted(): Node {
    const parts: Node[] = []
    while (this.#peek() !== undefined && !this.#rest().startsWith('\\E'))
      parts.push(this.#literal(codeOf(this.#next())))
    if (this.#peek() !== undefined) this.#at += 2
    return { is: 'all', parts }
  }

  #namedSet(char: string): CharTest | undefined {
    const lower = char.toLowerCase()
    const negated = lower !== char
    if (lower === 'p') return this.#unicodeSet(negated)
    const test = lower === 'd' ? isDigit : lower === 'w' ? isWord : lower === 's' ? isSpace : undefined
    return test !== undefined && negated ? not(test) : test
  }

  /** `\pN`, `\p{Lu}`, `\p{Greek}`, `\p{^Greek}`. */
  #unicodeSet(negated: boolean): CharTest {
    let name = this.#next()
    if (name === '{') {
      name = ''
      for (let char = this.#next(); char !== '}'; char = this.#next()) name += char
    }
    const flipped = name.startsWith('^')
    if (flipped) name = name.slice(1)
    for (const property of [name, `Script=${name}`]) {
      try {
        const set = new RegExp(`^\\p{${property}}$`, 'u')
        const test: CharTest = (code) => set.test(String.fromCodePoint(code))
        return negated === flipped ? test : not(test)
      } catch {
        // Not a general category; perhaps a script.
      }
    }
    throw new SyntaxError(`invalid character class \\p{${name}}`)
  }

  #escapedCode(char: string): number {
    const simple = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }[char]
    if (simple !== undefined) return simple
    if (char === 'x') {
      const hex = /^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/.exec(this.#rest())
      const code = Number.parseInt(hex?.[1] ?? hex?.[2] ?? '', 16)
      if (hex === null || code > 0x10ffff) throw new SyntaxError('invalid escape sequence \\x')
      this.#at += hex[0].length
      return code
    }
    const octal = char === '0' ? /^[0-7]{0,2}/.exec(this.#rest())?.[0] : undefined
    if (octal !== undefined) {
      this.#at += octal.length
      return Number.parseInt(`0${octal}`, 8)
    }
    if (/[a-zA-Z0-9]/.test(char)) throw new SyntaxError(`invalid escape sequence \\${char}`)
    return codeOf(char)
  }

  /** The inside of `[…]`. */
  #set(): CharTest {
    const negated = this.#take('^')
    const tests: CharTest[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      const named = /^\[:(\w+):\]/.exec(this.#rest())
      const set = named?.[1] === undefined ? undefined : posixSets[named[1]]
      if (named !== null) {
        if (set === undefined) throw new SyntaxError(`invalid character class ${named[0]}`)
        this.#at += named[0].length
        tests.push(set)
      } else {
        tests.push(this.#setItem())
      }
    }
    this.#at++
    const any: CharTest = (code) => tests.some((test) => test(code))
    const folded = this.#flags.ignoreCase ? caseless(any) : any
    return negated ? not(folded) : folded
  }

  #setItem(): CharTest {
    const char = this.#next()
    const escaped = char === '\\' ? this.#next() : undefined
    const set = escaped === undefined ? undefined : this.#namedSet(escaped)
    if (set !== undefined) return set
    const low = escaped === undefined ? codeOf(char) : this.#escapedCode(escaped)
    if (this.#peek() !== '-' || this.#chars[this.#at + 1] === ']') return (code) => code === low
    this.#at++
    const end = this.#next()
    const high = end === '\\' ? this.#escapedCode(this.#next()) : codeOf(end)
    if (high < low) throw new SyntaxError(`invalid character range ${char}-${end}`)
    return (code) => code >= low && code <= high
  }

  #literal(code: number): Node {
    const same: CharTest = (other) => other === code
    return this.#char(this.#flags.ignoreCase ? caseless(same) : same)
  }

  #char(test: CharTest): Node {
    return { is: 'char', test }
  }

  #peek(): string | undefined {
    return this.#chars[this.#at]
  }

  #rest(): string {
    return this.#chars.slice(this.#at, this.#at + 64).join('')
  }

  #next(): string {
    const char = this.#chars[this.#at++]
    if (char === undefined) throw new SyntaxError('unexpected end of pattern')
    return char
  }

  #take(char: string): boolean {
    if (this.#chars[this.#at] !== char) return false
    this.#at++
    return true
  }
}

const isDigit: CharTest = (code) => code >= 48 && code <= 57
const isUpper: CharTest = (code) => code >= 65 && code <= 90
const isLower: CharTest = (code) => code >= 97 && code <= 122
const isAlpha: CharTest = (code) => isUpper(code) || isLower(code)
const isWord: CharTest = (code) => isAlpha(code) || isDigit(code) || code === 95
const isSpace: CharTest = (code) => code === 32 || code === 9 || code === 10 || code === 12 || code === 13

const posixSets: Readonly<Record<string, CharTest>> = {
  alnum: (code) => isAlpha(code) || isDigit(code),
  alpha: isAlpha,
  ascii: (code) => code < 128,
  blank: (code) => code === 9 || code === 32,
  cntrl: (code) => code < 32 || code === 127,
  digit: isDigit,
  graph: (code) => code > 32 && code < 127,
  lower: isLower,
  print: (code) => code >= 32 && code < 127,
  punct: (code) => code > 32 && code < 127 && !isAlpha(code) && !isDigit(code),
  space: (code) => isSpace(code) || code === 11,
  upper: isUpper,
  word: isWord,
  xdigit: (code) => isDigit(code) || (code >= 65 && code <= 70) || (code >= 97 && code <= 102),
}

function not(test: CharTest): CharTest {
  return (code) => !test(code)
}

function caseless(test: CharTest): CharTest {
  return (code) => {
    const char = String.fromCodePoint(code)
    return test(code) || test(codeOf(char.toLowerCase())) || test(codeOf(char.toUpperCase()))
  }
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0
}

function assemble(root: Node): readonly Instruction[] {
  const program: Instruction[] = []
  const emit = <T extends Instruction>(instruction: T): T => {
    if (program.push(instruction) > maxInstructions) throw new SyntaxError('pattern too large')
    return instruction
  }
  const fork = () => emit({ do: 'fork', to: [] as number[] })
  const add = (node: Node): void => {
    switch (node.is) {
      case 'char':
        emit({ do: 'char', test: node.test })
        return
      case 'assert':
        emit({ do: 'assert', at: node.at })
        return
      case 'all':
        node.parts.forEach(add)
        return
      case 'either': {
        const start = fork()
        const ends = node.parts.map((part) => {
          start.to.push(program.length)
          add(part)
          return fork()
        })
        for (const end of ends) end.to = [program.length]
        return
      }
      case 'repeat': {
        for (let i = 0; i < node.min; i++) add(node.part)
        if (node.max === Infinity) {
          const loop = program.length
          const start = fork()
          start.to.push(program.length)
          add(node.part)
          fork().to = [loop]
          start.to.push(program.length)
          return
        }
        const exits = Array.from({ length: node.max - node.min }, () => {
          const exit = fork()
          exit.to.push(program.length)
          add(node.part)
          return exit
        })
        for (const exit of exits) exit.to.push(program.length)
      }
    }
  }
  add(root)
  emit({ do: 'accept' })
  return program
}

function run(program: readonly Instruction[], text: string): boolean {
  // `seen[place] === step` says that the place was entered at this position already.
  const seen = new Uint32Array(program.length)
  let current: number[] = []
  let next: number[] = []
  const stack: number[] = []
  let step = 0
  /** Follows forks and assertions from `place`; collects where a character is awaited; true once accepted. */
  const enter = (place: number, index: number, into: number[]): boolean => {
    stack.length = 0
    stack.push(place)
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      if (seen[at] === step) continue
      seen[at] = step
      const instruction = program[at] as Instruction // `at` is always inside the program
      if (instruction.do === 'accept') return true
      if (instruction.do === 'char') into.push(at)
      else if (instruction.do === 'fork') stack.push(...instruction.to)
      else if (holds(instruction.at, text, index)) stack.push(at + 1)
    }
    return false
  }
  step++
  if (enter(0, 0, current)) return true
  for (let index = 0; ; ) {
    const code = text.codePointAt(index)
    if (code === undefined) return false
    index += code > 0xffff ? 2 : 1
    step++
    for (const place of current) {
      const instruction = program[place]
      if (instruction?.do === 'char' && instruction.test(code) && enter(place + 1, index, next)) return true
    }
    if (enter(0, index, next)) return true // unanchored: a match may begin anywhere
    const done = current
    current = next
    next = done
    next.length = 0
  }
}

function holds(position: Position, text: string, index: number): boolean {
  switch (position) {
    case 'start':
      return index === 0
    case 'end':
      return index === text.length
    case 'lineStart':
      return index === 0 || text.charCodeAt(index - 1) === 10
    case 'lineEnd':
      return index === text.length || text.charCodeAt(index) === 10
    case 'wordEdge':
    case 'noWordEdge': {
      const edge =
        (index > 0 && isWord(text.charCodeAt(index - 1))) !== (index < text.length && isWord(text.charCodeAt(index)))
      return edge === (position === 'wordEdge')
    }
  }
}
