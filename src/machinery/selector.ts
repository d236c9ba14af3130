import { type FieldError, formatFieldError, invalidField } from './field-error.ts'
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
  readonly matchLabels?: Readonly<Record<string, string>> | undefined
  readonly matchExpressions?:
    | readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }[]
    | undefined
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

/** The requirement, if it is one. Faults: 400. */
export function checked(requirement: Requirement): Requirement {
  const errors = requirementErrors(requirement).map(formatFieldError)
  if (errors.length === 0) return requirement
  throw badRequest(errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`)
}

function requirementErrors({ key, operator, values }: Requirement): FieldError[] {
  const keyErrors = qualifiedNameErrors(key)
  const wrongKey = keyErrors.length === 0 ? [] : invalidField('<nil>', key, keyErrors.join('; '))
  const wrongValues = values.flatMap((value, i) => {
    const wrong = labelValueErrors(value)
    return wrong.length === 0 ? [] : invalidField(`values[${i}][${key}]`, value, wrong.join('; '))
  })
  return [...wrongKey, ...countErrors(operator, values), ...wrongValues]
}

function countErrors(operator: Requirement['operator'], values: readonly string[]): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0
        ? []
        : invalidField('values', [], "for 'in', 'notin' operators, values set can't be empty")
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
        ? []
        : invalidField('values', values, 'values set must be empty for exists and does not exist')
    case 'Gt':
    case 'Lt':
      return values.flatMap((value, i) =>
        /^[-+]?\d{1,18}$/.test(value)
          ? []
          : invalidField(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer"),
      )
  }
}

/** One term of a field selector such as `metadata.name=x` or `status.phase!=Running`. */
export interface FieldRequirement {
  readonly path: string
  readonly equal: boolean
  readonly value: string
}

/** Reads a field selector; in values `\,`, `\=` and `\\` stand for themselves. Faults: 400. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return splitUnescaped(text)
    .sort()
    .map((term) => {
      const [, path, operator, value = ''] = /^(.*?)(!=|==|=)(.*)$/s.exec(term) ?? []
      if (path === undefined) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`)
      return { path, equal: operator !== '!=', value: unescaped(value) }
    })
}

function unescaped(value: string): string {
  return value.replace(/\\.?|[,=]/gs, (piece) => {
    if (!piece.startsWith('\\')) {
      throw badRequest(`invalid field selector: unescaped character in value: ${piece.charCodeAt(0)}`)
    }
    if (!/^\\[\\,=]$/.test(piece)) throw badRequest(`invalid field selector: invalid escape sequence: ${piece}`)
    return piece.slice(1)
  })
}

/** Whether all terms hold; `valueAt` gives the text of a field, empty where it is absent. */
export function matchesFields(requirements: readonly FieldRequirement[], valueAt: (path: string) => string): boolean {
  return requirements.every(({ path, equal, value }) => (valueAt(path) === value) === equal)
}

function splitUnescaped(text: string): string[] {
  return text.match(/(?:\\.|[^,\\])+/gs) ?? []
}
