/**
 * Why a text is no JSON, in the words of Go's decoder, which users of clusters know. Pure.
 * Source: sigs.k8s.io/json, `internal/golang/encoding/json/scanner.go`.
 */
export function jsonError(text: string): string {
  const scanner = new Scanner(text)
  try {
    scanner.value('looking for beginning of value')
    scanner.space()
    if (scanner.at < text.length) scanner.fail('after top-level value')
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
  #depth = 0
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

  value(where: string): void {
    this.space()
    const char = this.#text[this.at] ?? ''
    if (char === '{') return this.#nested(() => this.#object())
    if (char === '[') return this.#nested(() => this.#array())
    if (char === '"') return this.#string()
    if (char === '-' || /\d/.test(char)) return this.#number()
    const word = ['true', 'false', 'null'].find((one) => one.startsWith(char) && char !== '')
    if (word === undefined) this.fail(where)
    this.#word(word)
  }

  #nested(read: () => void): void {
    if (++this.#depth > maxDepth) this.fail('exceeded max depth')
    this.at++
    read()
    this.#depth--
  }

  #object(): void {
    this.space()
    if (this.#take('}')) return
    for (;;) {
      this.space()
      if (this.#text[this.at] !== '"') this.fail('looking for beginning of object key string')
      this.#string()
      this.space()
      if (!this.#take(':')) this.fail('after object key')
      this.value('looking for beginning of value')
      this.space()
      if (this.#take('}')) return
      if (!this.#take(',')) this.fail('after object key:value pair')
    }
  }

  #array(): void {
    this.space()
    if (this.#take(']')) return
    for (;;) {
      this.value('looking for beginning of value')
      this.space()
      if (this.#take(']')) return
      if (!this.#take(',')) this.fail('after array element')
    }
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
        for (let i = 0; i < 4; i++, this.at++) if (!/[0-9a-fA-F]/.test(this.#text[this.at] ?? '')) this.fail('in \\u hexadecimal character escape')
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
    for (const [i, char] of [...word].entries()) {
      if (!this.#take(char)) this.fail(i === 0 ? 'looking for beginning of value' : `in literal ${word} (expecting '${char}')`)
    }
  }

  #take(char: string): boolean {
    if (this.#text[this.at] !== char) return false
    this.at++
    return true
  }
}

function quoted(char: string): string {
  if (char === "'") return `'\\''`
  if (char === '"') return `'"'`
  return `'${JSON.stringify(char).slice(1, -1)}'`
}
