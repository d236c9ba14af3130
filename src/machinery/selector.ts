import { labelValueErrors, qualifiedNameErrors } from './names.ts'
import { badRequest } from './status.ts'

/**
 * Label and field selectors. Parsing happens once, matching often: a parsed selector is a list of requirements that
 * must all hold. Source: apimachinery, `pkg/labels/selector.go` and `pkg/fields`.
 */
export interface Requirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt'
  readonly values: readonly string[]
}

/** `metav1.LabelSelector`, as in the spec of a Deployment. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

export type Labels = Readonly<Record<string, string>>

/** Whether all requirements hold. An empty list matches everything; an absent label satisfies `NotIn`. */
export function matchesLabels(requirements: readonly Requirement[], labels: Labels | undefined): boolean {
  return requirements.every((requirement) => holds(requirement, labels ?? {}))
}

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
      return value !== undefined && /^-?\d+$/.test(value) && BigInt(value) > BigInt(values[0] ?? 0)
    case 'Lt':
      return value !== undefined && /^-?\d+$/.test(value) && BigInt(value) < BigInt(values[0] ?? 0)
  }
}

/** Reads the object form. An empty selector matches everything; callers for whom it means nothing check for that. */
export function labelRequirements(selector: LabelSelector): Requirement[] {
  const equal = Object.entries(selector.matchLabels ?? {}).map(
    ([key, value]): Requirement => ({ key, operator: 'In', values: [value] }),
  )
  const others = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => {
    if (operator !== 'In' && operator !== 'NotIn' && operator !== 'Exists' && operator !== 'DoesNotExist') {
      throw badRequest(`${JSON.stringify(operator)} is not a valid label selector operator`)
    }
    return { key, operator, values } satisfies Requirement
  })
  return [...equal, ...others].map(checked)
}

const token = /\s*(?:(==|!=|[=,()<>!])|([^\s=,()<>!]+))/y

/** Reads the string form: `a=b,c in (x,y),!d,e notin (z),f`. Throws `invalid`. */
export function parseLabelSelector(text: string): Requirement[] {
  const tokens: string[] = []
  const source = text.trimEnd()
  token.lastIndex = 0
  while (token.lastIndex < source.length) {
    const match = token.exec(source)
    if (match === null) throw badRequest(`unable to parse requirement: ${JSON.stringify(text)}`)
    tokens.push(match[1] ?? match[2] ?? '')
  }
  const requirements: Requirement[] = []
  let at = 0
  const isWord = (word: string | undefined): word is string => word !== undefined && !/^[=,()<>!]/.test(word)
  while (at < tokens.length) {
    const negated = tokens[at] === '!'
    if (negated) at++
    const key = tokens[at++]
    if (!isWord(key)) throw badRequest(`found '${key ?? ''}', expected: !, identifier, or 'end of string'`)
    requirements.push(checked(negated ? { key, operator: 'DoesNotExist', values: [] } : restOf(key)))
    const separator = tokens[at++]
    if (separator === undefined) break
    if (separator !== ',') throw badRequest(`found '${separator}', expected: ',' or 'end of string'`)
    if (at === tokens.length) throw badRequest("found '', expected: identifier after ','")
  }
  return requirements

  function restOf(key: string): Requirement {
    const operator = tokens[at]
    if (operator === undefined || operator === ',') return { key, operator: 'Exists', values: [] }
    at++
    switch (operator) {
      case '=':
      case '==':
        return { key, operator: 'In', values: [exactValue()] }
      case '!=':
        return { key, operator: 'NotIn', values: [exactValue()] }
      case '>':
        return { key, operator: 'Gt', values: [exactValue()] }
      case '<':
        return { key, operator: 'Lt', values: [exactValue()] }
      case 'in':
        return { key, operator: 'In', values: setValues() }
      case 'notin':
        return { key, operator: 'NotIn', values: setValues() }
      default:
        throw badRequest(`found '${operator}', expected: in, notin, =, ==, !=, <, >`)
    }
  }

  function exactValue(): string {
    const next = tokens[at]
    if (next === undefined || next === ',') return ''
    if (!isWord(next)) throw badRequest(`found '${next}', expected: identifier`)
    at++
    return next
  }

  function setValues(): string[] {
    if (tokens[at++] !== '(') throw badRequest(`found '${tokens[at - 1] ?? ''}', expected: '('`)
    const values: string[] = []
    for (;;) {
      const next = tokens[at]
      values.push(isWord(next) ? next : '')
      if (isWord(next)) at++
      const end = tokens[at++]
      if (end === ')') return [...new Set(values)]
      if (end !== ',') throw badRequest(`found '${end ?? ''}', expected: ',' or ')'`)
    }
  }
}

/** The string form of requirements; reads back the same. */
export function formatLabelSelector(requirements: readonly Requirement[]): string {
  return requirements
    .map(({ key, operator, values }) => {
      switch (operator) {
        case 'In':
          return values.length === 1 ? `${key}=${values[0]}` : `${key} in (${values.toSorted().join(',')})`
        case 'NotIn':
          return values.length === 1 ? `${key}!=${values[0]}` : `${key} notin (${values.toSorted().join(',')})`
        case 'Exists':
          return key
        case 'DoesNotExist':
          return `!${key}`
        case 'Gt':
          return `${key}>${values[0]}`
        case 'Lt':
          return `${key}<${values[0]}`
      }
    })
    .join(',')
}

function checked(requirement: Requirement): Requirement {
  const { key, operator, values } = requirement
  const [keyError] = qualifiedNameErrors(key)
  if (keyError !== undefined) throw badRequest(`key: Invalid value: ${JSON.stringify(key)}: ${keyError}`)
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0) {
    throw badRequest("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")
  }
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0) {
    throw badRequest('values: Invalid value: values set must be empty for exists and does not exist')
  }
  if ((operator === 'Gt' || operator === 'Lt') && !/^-?\d{1,18}$/.test(values[0] ?? '')) {
    throw badRequest("values[0]: Invalid value: for 'Gt', 'Lt' operators, the value must be an integer")
  }
  for (const value of values) {
    const [valueError] = labelValueErrors(value)
    if (valueError !== undefined) throw badRequest(`values: Invalid value: ${JSON.stringify(value)}: ${valueError}`)
  }
  return requirement
}

/** One term of a field selector such as `metadata.name=x` or `status.phase!=Running`. */
export interface FieldRequirement {
  readonly path: string
  readonly equal: boolean
  readonly value: string
}

/** Reads a field selector; `\,`, `\=` and `\\` stand for themselves. Throws `invalid`. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return splitUnescaped(text)
    .filter((term) => term !== '')
    .map((term) => {
      const match = /^((?:\\.|[^\\=!])*)(==|!=|=)((?:\\.|[^\\=])*)$/s.exec(term)
      const [, path, operator, value] = match ?? []
      if (path === undefined || path === '' || value === undefined) {
        throw badRequest(`invalid selector: ${JSON.stringify(text)}; can't understand ${JSON.stringify(term)}`)
      }
      return { path, equal: operator !== '!=', value: value.replace(/\\(.)/gs, '$1') }
    })
}

/** Whether all terms hold; `valueAt` gives the text of a field, empty where it is absent. */
export function matchesFields(requirements: readonly FieldRequirement[], valueAt: (path: string) => string): boolean {
  return requirements.every(({ path, equal, value }) => (valueAt(path) === value) === equal)
}

function splitUnescaped(text: string): string[] {
  return (text.match(/(?:\\.|[^,\\])+/gs) ?? []).map((term) => term.trim())
}
