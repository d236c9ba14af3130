import { Fault } from '#base/fault.ts'
import { equalJson, isObject } from '#base/json.ts'
import { memberOf } from './json-members.ts'

/** Finds values in one document; empty when nothing is there. */
export type JsonPath = (document: unknown) => unknown[]

type Step = (value: unknown) => unknown[]

/**
 * Compiles kubectl's simple JSONPath, as in printer columns and scale paths: `.spec.a`, `['x']`, `[0]`, `[-1]`,
 * `[1:3]`, `[*]`, `..name`, `[?(@.type=="Active")]`; with or without braces and the leading `$`.
 * @throws Fault `BadJsonPath`
 */
export function compileJsonPath(path: string): JsonPath {
  const known = compiled.get(path)
  if (known !== undefined) return known
  const steps = parseSteps(path)
  const find: JsonPath = (document) => steps.reduce<unknown[]>((values, step) => values.flatMap(step), [document])
  if (compiled.size >= maxCompiled) compiled.clear()
  compiled.set(path, find)
  return find
}

/** Paths come from the definitions of kinds: few, and used for every row. */
const compiled = new Map<string, JsonPath>()
const maxCompiled = 1_000

function parseSteps(path: string): Step[] {
  let rest = path.trim()
  if (rest.startsWith('{') && rest.endsWith('}')) rest = rest.slice(1, -1).trim()
  if (rest.startsWith('$') || rest.startsWith('@')) rest = rest.slice(1)
  if (rest !== '' && !/^[.[]/.test(rest)) rest = `.${rest}`
  const steps: Step[] = []
  while (rest !== '') {
    const bracket = rest.startsWith('[') ? closingBracket(rest, path) : undefined
    if (bracket !== undefined) {
      steps.push(bracketStep(rest.slice(1, bracket).trim(), path))
      rest = rest.slice(bracket + 1)
      continue
    }
    const field = /^(\.\.?)((?:\\.|[^.[\]\\])*)/.exec(rest)
    if (field === null || field[0] === '') throw bad(path, `unexpected ${JSON.stringify(rest)}`)
    const name = (field[2] ?? '').replaceAll(/\\(.)/g, '$1').trim()
    if (field[1] === '..') steps.push(descendants)
    if (name === '*') steps.push(everything)
    else if (name !== '') steps.push(fieldStep(name))
    else if (field[1] === '..' || (field[0] === rest && steps.length > 0)) throw bad(path, 'a field name is missing')
    rest = rest.slice(field[0].length)
  }
  return steps
}

/** The index of the bracket that closes the first one, past quotes and nested brackets. */
function closingBracket(text: string, path: string): number {
  let depth = 0
  let quote = ''
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string
    if (quote !== '') {
      if (character === '\\') i++
      else if (character === quote) quote = ''
    } else if (character === '"' || character === "'") quote = character
    else if (character === '[') depth++
    else if (character === ']' && --depth === 0) return i
  }
  throw bad(path, 'unterminated array')
}

function bracketStep(content: string, path: string): Step {
  if (content === '*') return everything
  const filter = /^\?\s*\((.*)\)$/s.exec(content)
  if (filter !== null) return filterStep(filter[1] ?? '', path)
  const quoted = splitOutsideQuotes(content)
  if (quoted.length > 1) {
    const steps = quoted.map((part) => bracketStep(part.trim(), path))
    return (value) => steps.flatMap((step) => step(value))
  }
  const literal = parseLiteral(content)
  if (typeof literal === 'string') return fieldStep(literal)
  const slice = /^(-?\d*)(?::(-?\d*)(?::(\d*))?)?$/.exec(content)
  if (slice === null || content === '') throw bad(path, `invalid array index ${content}`)
  if (slice[2] === undefined) {
    const index = Number(slice[1])
    return (value) => (isList(value) && value.at(index) !== undefined ? [value.at(index)] : [])
  }
  const [from, to, stride] = [slice[1], slice[2], slice[3]].map((text) => (text ? Number(text) : undefined))
  return (value) => (isList(value) ? value.slice(from, to).filter((_, i) => i % (stride || 1) === 0) : [])
}

function splitOutsideQuotes(content: string): string[] {
  return content.match(/(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^,])+/g) ?? [content]
}

function fieldStep(name: string): Step {
  return (value) => {
    const found = isObject(value) ? memberOf(value, name) : undefined
    return found === undefined ? [] : [found]
  }
}

const isList = (value: unknown): value is unknown[] => Array.isArray(value)

const everything: Step = (value) => (isList(value) ? value : isObject(value) ? Object.values(value) : [])

const descendants: Step = (value) => [value, ...everything(value).flatMap(descendants)]

const operators: Readonly<Record<string, (left: unknown, right: unknown) => boolean>> = {
  '==': equalJson,
  '!=': (left, right) => !equalJson(left, right),
  '<': (left, right) => order(left, right, (difference) => difference < 0),
  '>': (left, right) => order(left, right, (difference) => difference > 0),
  '<=': (left, right) => order(left, right, (difference) => difference <= 0),
  '>=': (left, right) => order(left, right, (difference) => difference >= 0),
}

function order(left: unknown, right: unknown, fits: (difference: number) => boolean): boolean {
  if (typeof left === 'number' && typeof right === 'number') return fits(left - right)
  if (typeof left !== 'string' || typeof right !== 'string') return false
  return fits(left < right ? -1 : left > right ? 1 : 0)
}

function filterStep(expression: string, path: string): Step {
  const parts = /^((?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^=!<>'"])+?)\s*(?:(==|!=|<=|>=|<|>)\s*(.+))?$/s.exec(
    expression.trim(),
  )
  if (parts === null) throw bad(path, `unrecognised filter ${expression}`)
  const left = operand(parts[1] ?? '', path)
  const compare = operators[parts[2] ?? '']
  if (compare === undefined) return (value) => everything(value).filter((item) => left(item) !== undefined)
  const right = operand(parts[3] ?? '', path)
  return (value) =>
    everything(value).filter((item) => {
      const found = left(item)
      return found !== undefined && compare(found, right(item))
    })
}

function operand(text: string, path: string): (item: unknown) => unknown {
  const trimmed = text.trim()
  if (trimmed.startsWith('@')) {
    const find = compileJsonPath(trimmed)
    return (item) => find(item)[0]
  }
  const literal = parseLiteral(trimmed)
  if (literal === undefined) throw bad(path, `unrecognised operand ${trimmed}`)
  return () => literal
}

function parseLiteral(text: string): unknown {
  const quoted = /^(['"])((?:\\.|(?!\1)[^\\])*)\1$/s.exec(text)
  if (quoted !== null) return (quoted[2] ?? '').replaceAll(/\\(.)/g, '$1')
  if (text === 'true' || text === 'false') return text === 'true'
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined
}

function bad(path: string, why: string): Fault {
  return new Fault('invalid', 'BadJsonPath', `JSONPath ${JSON.stringify(path)}: ${why}`)
}
