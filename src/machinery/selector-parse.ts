import { messageOf } from '#base/fault.ts'
import { checked, type Requirement } from './selector.ts'
import { badRequest } from './status.ts'

/**
 * Reads the string form of a label selector: `a=b,c in (x,y),!d,e notin (z),f`. Faults: 400 in Kubernetes' words.
 * Source: apimachinery, `pkg/labels/selector.go`.
 */
export function parseLabelSelector(text: string): Requirement[] {
  return new Parser(text).requirements()
}

type Operator = Requirement['operator']

/** How operators are written. */
const operators: Readonly<Record<string, Operator>> = {
  in: 'In',
  notin: 'NotIn',
  '=': 'In',
  '==': 'In',
  '!=': 'NotIn',
  '>': 'Gt',
  '<': 'Lt',
}
const operatorNames = 'in, notin, =, ==, !=, gt, lt'

class Parser {
  readonly #tokens: readonly string[]
  #at = 0

  constructor(text: string) {
    // Symbols as long as they can be; words are all else but white space.
    this.#tokens = text.match(/==|!=|[=,()<>!]|[^\s=,()<>!]+/g) ?? []
  }

  requirements(): Requirement[] {
    const all: Requirement[] = []
    while (this.#next() !== '') {
      if (!isWord(this.#next()) && this.#next() !== '!') {
        throw badRequest(`found '${this.#next()}', expected: !, identifier, or 'end of string'`)
      }
      all.push(this.#wrapped())
      const separator = this.#take()
      if (separator === '') break
      if (separator !== ',') throw badRequest(`found '${separator}', expected: ',' or 'end of string'`)
      if (!isWord(this.#next()) && this.#next() !== '!') {
        throw badRequest(`found '${this.#next()}', expected: identifier after ','`)
      }
    }
    return all
  }

  #wrapped(): Requirement {
    try {
      return this.#requirement()
    } catch (error) {
      throw badRequest(`unable to parse requirement: ${messageOf(error)}`)
    }
  }

  #requirement(): Requirement {
    const negated = this.#next() === '!'
    if (negated) this.#at++
    const key = this.#take()
    if (!isWord(key)) throw badRequest(`found '${key}', expected: identifier`)
    const bare = checked({ key, operator: negated ? 'DoesNotExist' : 'Exists', values: [] })
    if (negated || this.#next() === '' || this.#next() === ',') return bare
    const word = this.#take()
    const operator = Object.hasOwn(operators, word) ? operators[word] : undefined
    if (operator === undefined) throw badRequest(`found '${word}', expected: ${operatorNames}`)
    const values = word === 'in' || word === 'notin' ? this.#set() : [this.#exact()]
    return checked({ key, operator, values })
  }

  #exact(): string {
    if (this.#next() === '' || this.#next() === ',') return ''
    const value = this.#take()
    if (!isWord(value)) throw badRequest(`found '${value}', expected: identifier`)
    return value
  }

  #set(): string[] {
    const open = this.#take()
    if (open !== '(') throw badRequest(`found '${open}' expected: '('`)
    const first = this.#next()
    if (!isWord(first) && first !== ',' && first !== ')') {
      throw badRequest(`found '${first}', expected: ',', ')' or identifier`)
    }
    const values = new Set<string>()
    for (;;) {
      const value = this.#next()
      if (isWord(value)) this.#at++
      values.add(isWord(value) ? value : '')
      const end = this.#take()
      if (end === ')') return [...values].sort()
      if (end === ',') continue
      throw badRequest(`found '${end}', expected: ${isWord(value) ? "',' or ')'" : "',', or identifier"}`)
    }
  }

  /** Empty at the end. */
  #next(): string {
    return this.#tokens[this.#at] ?? ''
  }

  #take(): string {
    return this.#tokens[this.#at++] ?? ''
  }
}

function isWord(token: string): boolean {
  return token !== '' && !/^[=,()<>!]/.test(token)
}
