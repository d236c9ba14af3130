/**
 * Why a text is no JSON, in the words of Go's decoder, which users of clusters know. Pure.
 * Source: sigs.k8s.io/json, `internal/golang/encoding/json/scanner.go`.
 */
export function jsonError(text: string): string {
  const scanner = new Scanner(text)
  try {
    scanner.document()
  } catch (error) {
    if (error instanceof JsonError) return error.message
    throw error
  }
  return 'invalid JSON'
}

/** As Go's decoder limits them. */
const maxDepth = 10_000

class JsonError extends Error {}

class Scanner {
  at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  fail(where: string): never {
    const char = this.#text[this.at]
    if (char === undefined) throw new JsonError('unexpected end of JSON input')
    throw new JsonError(`invalid character ${quoted(char)} ${where}`)
  }

  space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.at] ?? '')) this.at++
  }

  /** Without recursion: what nests too deep must not end in a stack that is too small. */
  document(): void {
    const open: string[] = []
    do {
      this.space()
      const char = this.#text[this.at] ?? ''
      if (char === '{' || char === '[') {
        if (open.length === maxDepth) this.fail('exceeded max depth')
        this.at++
        open.push(char)
        this.space()
        if (!this.#take(closing(char))) {
          if (char === '{') this.#key()
          continue
        }
        open.pop()
      } else this.#scalar()
      this.#close(open)
    } while (open.length > 0)
    this.space()
    if (this.at < this.#text.length) this.fail('after top-level value')
  }

  /** After a value: to the beginning of the next. */
  #close(open: string[]): void {
    for (let inside = open.at(-1); inside !== undefined; inside = open.at(-1)) {
      this.space()
      if (this.#take(',')) {
        if (inside === '{') this.#key()
        return
      }
      if (!this.#take(closing(inside)))
        this.fail(inside === '{' ? 'after object key:value pair' : 'after array element')
      open.pop()
    }
  }

  #key(): void {
    this.space()
    if (this.#text[this.at] !== '"') this.fail('looking for beginning of object key string')
    this.#string()
    this.space()
    if (!this.#take(':')) this.fail('after object key')
  }

  #scalar(): void {
    const char = this.#text[this.at] ?? ''
    if (char === '"') return this.#string()
    if (char === '-' || /\d/.test(char)) return this.#number()
    const word = ['true', 'false', 'null'].find((one) => one.startsWith(char) && char !== '')
    if (word === undefined) this.fail('looking for beginning of value')
    this.#word(word)
  }

  #string(): void {
    this.at++
    for (;;) {
      const char = this.#text[this.at]
      if (char === undefined || char < ' ') this.fail('in string literal')
      this.at++
      if (char === '"') return
      if (char !== '\\') continue
      const escape = this.#text[this.at] ?? ''
      if (escape === 'u') {
        this.at++
        for (let i = 0; i < 4; i++, this.at++)
          if (!/[0-9a-fA-F]/.test(this.#text[this.at] ?? '')) this.fail('in \\u hexadecimal character escape')
      } else if (/["\\/bfnrt]/.test(escape)) this.at++
      else this.fail('in string escape code')
    }
  }

  #number(): void {
    if (this.#take('-') && !/\d/.test(this.#text[this.at] ?? '')) this.fail('in numeric literal')
    if (!this.#take('0')) this.#digits()
    if (this.#take('.')) {
      if (!/\d/.test(this.#text[this.at] ?? '')) this.fail('after decimal point in numeric literal')
      this.#digits()
    }
    if (!this.#take('e') && !this.#take('E')) return
    if (!this.#take('+')) this.#take('-')
    if (!/\d/.test(this.#text[this.at] ?? '')) this.fail('in exponent of numeric literal')
    this.#digits()
  }

  #digits(): void {
    while (/\d/.test(this.#text[this.at] ?? '')) this.at++
  }

  #word(word: string): void {
    for (const [i, char] of word.split('').entries()) {
      if (!this.#take(char))
        this.fail(i === 0 ? 'looking for beginning of value' : `in literal ${word} (expecting '${char}')`)
    }
  }

  #take(char: string): boolean {
    if (this.#text[this.at] !== char) return false
    this.at++
    return true
  }
}

function closing(open: string): string {
  return open === '{' ? '}' : ']'
}

/** As Go quotes it. */
function quoted(char: string): string {
  if (char === "'") return `'\\''`
  if (char === '"') return `'"'`
  const code = char.charCodeAt(0)
  const isShown = (code >= 0x20 && code < 0x7f) || (code > 0xa0 && code !== 0xad)
  if (isShown) return `'${char === '\\' ? '\\\\' : char}'`
  const named = { 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r' }[code]
  if (named !== undefined) return `'\\${named}'`
  return code < 0x80 ? `'\\x${hex(code, 2)}'` : `'\\u${hex(code, 4)}'`
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0')
}
