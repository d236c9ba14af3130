import { equalJson } from '#base/json.ts'

/** One thing wrong with one field, in the terms of Kubernetes' own field errors. */
export interface FieldError {
  /** Path such as `spec.backends[0].workers[1].type`. */
  readonly field: string
  readonly type: FieldErrorType
  /** The offending value; left out for `Required` and wherever it could be a secret. */
  readonly value?: unknown
  /** What is wrong and what to write instead. */
  readonly detail: string
}

/** The `reason` of the matching cause in a `Status`, and the words Kubernetes prints for it. */
export const fieldErrorWords = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueNotFound: 'Not found',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTypeInvalid: 'Invalid value',
} as const
export type FieldErrorType = keyof typeof fieldErrorWords

/** `spec.x: Invalid value: 3: must be …`, one line, as an API server words it. */
export function formatFieldError(error: FieldError): string {
  return `${error.field}: ${formatFieldBody(error)}`
}

/** The same without the path, as in the causes of a Status. */
export function formatFieldBody(error: FieldError): string {
  const value =
    error.value === undefined || error.type === 'FieldValueRequired' || error.type === 'FieldValueForbidden'
      ? ''
      : `: ${printValue(error.value)}`
  const detail = error.detail === '' ? '' : `: ${error.detail}`
  return `${fieldErrorWords[error.type]}${value}${detail}`
}

/** As Go prints it: a text in its own quotes, anything else as the JSON that its library writes. */
function printValue(value: unknown): string {
  const json = JSON.stringify(value)
  if (typeof value !== 'string') return json.replaceAll(/[<>&]/g, (char) => `\\u00${char.charCodeAt(0).toString(16)}`)
  return json.replaceAll(/\\u00([01][0-9a-f])/g, (_, hex: string) => ({ '07': '\\a', '0b': '\\v' })[hex] ?? `\\x${hex}`)
}

export function invalidValue(field: string, value: unknown, detail: string): FieldError {
  return { field, type: 'FieldValueInvalid', value, detail }
}

/** Errors of one field, one for each of `details`. */
export function invalidField(field: string, value: unknown, ...details: readonly string[]): FieldError[] {
  return details.map((detail) => invalidValue(field, value, detail))
}

export function requiredField(field: string, detail = ''): FieldError {
  return { field, type: 'FieldValueRequired', detail }
}

export function forbiddenField(field: string, detail: string): FieldError {
  return { field, type: 'FieldValueForbidden', detail }
}

export function duplicateField(field: string, value: unknown): FieldError {
  return { field, type: 'FieldValueDuplicate', value, detail: '' }
}

export function tooLongField(field: string, maxBytes: number): FieldError {
  return {
    field,
    type: 'FieldValueTooLong',
    detail: `may not be more than ${maxBytes} ${maxBytes === 1 ? 'byte' : 'bytes'}`,
  }
}

/** A value that is none of those that there are. */
export function unsupportedField(field: string, value: unknown, supported: readonly string[]): FieldError {
  const detail = `supported values: ${supported.map((one) => JSON.stringify(one)).join(', ')}`
  return { field, type: 'FieldValueNotSupported', value, detail }
}

/** What is left out is not judged. */
export function unlessOneOf(field: string, value: string | undefined, supported: readonly string[]): FieldError[] {
  return value === undefined || supported.includes(value) ? [] : [unsupportedField(field, value, supported)]
}

export const immutable = 'field is immutable'

export function unlessKept(field: string, value: unknown, old: unknown): FieldError[] {
  return equalJson(value, old) ? [] : invalidField(field, value ?? null, immutable)
}

export function unlessNonNegative(field: string, value: number | undefined): FieldError[] {
  return value === undefined || value >= 0 ? [] : invalidField(field, value, 'must be greater than or equal to 0')
}
