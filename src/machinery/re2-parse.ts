/** Reads RE2's syntax: https://github.com/google/re2/wiki/Syntax. Groups capture nothing here. */
export type Re2Node =
  | { readonly is: 'take'; readonly takes: (codePoint: number) => boolean }
  | { readonly is: 'assert'; readonly holds: (points: readonly number[], at: number) => boolean }
  | { readonly is: 'sequence'; readonly parts: readonly Re2Node[] }
  | { readonly is: 'choice'; readonly parts: readonly Re2Node[] }
  | {
      readonly is: 'repeat'
      readonly part: Re2Node
      readonly min: number
      readonly max?: number
      readonly greedy: boolean
    }

type Takes = (codePoint: number) => boolean

/** `i`gnore case, `m`ultiple lines, dot takes newlines (`s`), `U`ngreedy. */
type Flags = Readonly<Record<'i' | 'm' | 's' | 'U', boolean>>

export class BadPattern extends Error {}

const maxDepth = 200

/** Throws BadPattern, for look-arounds and backreferences too, which RE2 does not have. */
export function parseRe2(pattern: string): Re2Node {
  return parse(pattern)
}

function parse(pattern: string): Re2Node {
  let at = 0
  const whole = choice({ i: false, m: false, s: false, U: false }, 0)
  if (at < pattern.length) throw new BadPattern('unexpected )')
  return whole

  function take(text: string): boolean {
    if (!pattern.startsWith(text, at)) return false
    at += text.length
    return true
  }

  function scan(shape: RegExp): RegExpExecArray | undefined {
    shape.lastIndex = at
    const match = shape.exec(pattern) ?? undefined
    if (match !== undefined) at = shape.lastIndex
    return match
  }

  function choice(given: Flags, depth: number): Re2Node {
    if (depth > maxDepth) throw new BadPattern('expression nests too deeply')
    let flags = given
    const parts: Re2Node[] = []
    let sequence: Re2Node[] = []
    while (at < pattern.length && pattern[at] !== ')') {
      if (take('|')) {
        parts.push({ is: 'sequence', parts: sequence })
        sequence = []
        continue
      }
      const switched = scan(/\(\?([imsU]*)(?:-([imsU]+))?\)/y)
      if (switched !== undefined) flags = withFlags(flags, switched)
      else sequence.push(repeated(atom(flags, depth), flags))
    }
    parts.push({ is: 'sequence', parts: sequence })
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : { is: 'choice', parts }
  }

  function repeated(part: Re2Node, flags: Flags): Re2Node {
    const match = scan(/([*+?]|\{(\d{1,4})(,?)(\d{0,4})\})(\??)/y)
    if (match === undefined) return part
    const [, mark, from, comma, to, lazy] = match
    if (scan(/[*+?]|\{\d{1,4},?\d{0,4}\}/y) !== undefined) throw new BadPattern('invalid nested repetition operator')
    const min = from === undefined ? (mark === '+' ? 1 : 0) : Number(from)
    const counted = to === '' ? (comma === '' ? min : undefined) : Number(to)
    const max = from === undefined ? (mark === '?' ? 1 : undefined) : counted
    if (min > 1000 || (max !== undefined && (max > 1000 || max < min))) throw new BadPattern('invalid repeat count')
    const greedy = (lazy === '') !== flags.U
    return { is: 'repeat', part, min, greedy, ...(max === undefined ? {} : { max }) }
  }

  function atom(flags: Flags, depth: number): Re2Node {
    if (pattern[at] === '(') return group(flags, depth)
    if (take('[')) return { is: 'take', takes: folded(characterClass(), flags) }
    if (take('.')) return { is: 'take', takes: flags.s ? () => true : (point) => point !== 10 }
    if (take('^')) return { is: 'assert', holds: flags.m ? lineStart : textStart }
    if (take('$')) return { is: 'assert', holds: flags.m ? lineEnd : textEnd }
    if (scan(/[*+?]/y) !== undefined) throw new BadPattern('missing argument to repetition operator')
    if (pattern[at] !== '\\') return { is: 'take', takes: folded(one(nextPoint()), flags) }
    const quoted = scan(/\\Q([\s\S]*?)(?:\\E|$)/y)
    if (quoted !== undefined) {
      const parts = Array.from(
        quoted[1] ?? '',
        (c): Re2Node => ({ is: 'take', takes: folded(one(c.codePointAt(0) ?? 0), flags) }),
      )
      return { is: 'sequence', parts }
    }
    const assertion = scan(/\\([AzbB])/y)?.[1]
    if (assertion !== undefined) return { is: 'assert', holds: assertions[assertion] ?? textStart }
    const named = escapedClass()
    return { is: 'take', takes: folded(named ?? one(escapedPoint()), flags) }
  }

  function group(flags: Flags, depth: number): Re2Node {
    const open = scan(/\((?:\?(?:P?<\w+>|([imsU]*)(?:-([imsU]+))?:)|(?!\?))/y)
    if (open === undefined) throw new BadPattern('invalid or unsupported Perl syntax')
    const inside = choice(withFlags(flags, open), depth + 1)
    if (!take(')')) throw new BadPattern('missing closing )')
    return inside
  }

  function characterClass(): Takes {
    const negated = take('^')
    const takes: Takes[] = []
    for (let first = true; first || pattern[at] !== ']'; first = false) {
      if (at >= pattern.length) throw new BadPattern('missing closing ]')
      const posix = scan(/\[:(\^?)(\w+):\]/y)
      const named = posix === undefined ? escapedClass() : posixClass(posix)
      if (named !== undefined) {
        takes.push(named)
        continue
      }
      const low = classPoint()
      const high = pattern[at] === '-' && pattern[at + 1] !== ']' && take('-') ? classPoint() : low
      if (high < low) throw new BadPattern('invalid character class range')
      takes.push((point) => point >= low && point <= high)
    }
    at++
    return (point) => takes.some((one) => one(point)) !== negated
  }

  function classPoint(): number {
    return pattern[at] === '\\' ? escapedPoint() : nextPoint()
  }

  function nextPoint(): number {
    const point = pattern.codePointAt(at)
    if (point === undefined) throw new BadPattern('trailing backslash at end of expression')
    at += point > 0xffff ? 2 : 1
    return point
  }

  function escapedClass(): Takes | undefined {
    const perl = scan(/\\([dDsSwW])/y)?.[1]
    if (perl !== undefined) {
      const takes = perlClasses[perl.toLowerCase()] ?? (() => false)
      return perl === perl.toLowerCase() ? takes : (point) => !takes(point)
    }
    const unicode = scan(/\\([pP])(?:\{(\^?)(\w+)\}|(\w))/y)
    if (unicode === undefined) return undefined
    const [, kind, caret, long, short] = unicode
    const takes = unicodeClass(long ?? short ?? '')
    return (kind === 'P') !== (caret === '^') ? (point) => !takes(point) : takes
  }

  function escapedPoint(): number {
    const hex = scan(/\\x(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/y)
    if (hex !== undefined) return Number.parseInt(hex[1] ?? hex[2] ?? '0', 16)
    const plain = scan(/\\([aftnrv]|0[0-7]{0,2}|[!-/:-@[-`{-~ ])/y)?.[1]
    if (plain === undefined) throw new BadPattern('bad escape')
    if (plain.startsWith('0')) return Number.parseInt(plain, 8)
    return controls[plain] ?? plain.codePointAt(0) ?? 0
  }
}

const controls: Readonly<Record<string, number>> = { a: 7, f: 12, t: 9, n: 10, r: 13, v: 11 }
const one =
  (wanted: number): Takes =>
  (point) =>
    point === wanted
const among =
  (...ranges: readonly string[]): Takes =>
  (point) =>
    point < 128 && ranges.some((range) => point >= range.charCodeAt(0) && point <= range.charCodeAt(range.length - 1))

const word = among('0-9', 'A-Z', 'a-z', '_')
const perlClasses: Readonly<Record<string, Takes>> = { d: among('0-9'), w: word, s: among('\t', '\n', '\f', '\r', ' ') }
const posixClasses: Readonly<Record<string, Takes>> = {
  alnum: among('0-9', 'A-Z', 'a-z'),
  alpha: among('A-Z', 'a-z'),
  ascii: (point) => point < 128,
  blank: among('\t', ' '),
  cntrl: (point) => point < 32 || point === 127,
  digit: among('0-9'),
  graph: among('!-~'),
  lower: among('a-z'),
  print: among(' -~'),
  punct: among('!-/', ':-@', '[-`', '{-~'),
  space: among('\t-\r', ' '),
  upper: among('A-Z'),
  word,
  xdigit: among('0-9', 'A-F', 'a-f'),
}

function posixClass([, caret, name = '']: RegExpExecArray): Takes {
  const takes = posixClasses[name]
  if (takes === undefined) throw new BadPattern('unknown class')
  return caret === '^' ? (point) => !takes(point) : takes
}

function unicodeClass(name: string): Takes {
  for (const property of [name, `Script=${name}`]) {
    try {
      const shape = new RegExp(`^\\p{${property}}$`, 'u')
      return (point) => shape.test(String.fromCodePoint(point))
    } catch {
      // Not a category: perhaps a script.
    }
  }
  throw new BadPattern('unknown class')
}

function folded(takes: Takes, { i }: Flags): Takes {
  if (!i) return takes
  return (point) => {
    const text = String.fromCodePoint(point)
    return [text, text.toLowerCase(), text.toUpperCase()].some((form) => takes(form.codePointAt(0) ?? 0))
  }
}

function withFlags(flags: Flags, [, on = '', off = '']: RegExpExecArray): Flags {
  const next = { ...flags }
  for (const flag of on) next[flag as keyof Flags] = true
  for (const flag of off) next[flag as keyof Flags] = false
  return next
}

type Holds = (points: readonly number[], at: number) => boolean

const textStart: Holds = (_, at) => at === 0
const textEnd: Holds = (points, at) => at === points.length
const lineStart: Holds = (points, at) => at === 0 || points[at - 1] === 10
const lineEnd: Holds = (points, at) => at === points.length || points[at] === 10
const wordEdge: Holds = (points, at) => word(points[at - 1] ?? -1) !== word(points[at] ?? -1)
const assertions: Readonly<Record<string, Holds>> = {
  A: textStart,
  z: textEnd,
  b: wordEdge,
  B: (points, at) => !wordEdge(points, at),
}
