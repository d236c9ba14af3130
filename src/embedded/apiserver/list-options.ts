import { type FieldError, forbiddenField, unsupportedField } from '#machinery/field-error.ts'
import { badRequest, invalid } from '#machinery/status.ts'
import type { ServedKind } from './served-kind.ts'
import { type Selection, selection } from './select.ts'

/** `metav1.ListOptions`, checked; of lists, watches and deletions of collections. */
export interface ListOptions {
  /** `undefined` chooses everything. */
  readonly wants: Selection | undefined
  /** 0: no limit. */
  readonly limit: number
  /** 0: as long as the server likes. */
  readonly timeoutSeconds: number
  readonly continueToken: string
  readonly resourceVersion: string
  readonly match: '' | 'Exact' | 'NotOlderThan'
  readonly sendInitialEvents: boolean | undefined
  readonly bookmarks: boolean
}

/**
 * `name`: of the one object that is watched on the older path. Faults: 400 for what cannot be read, 422 for what does not
 * go together. Source: apimachinery, `pkg/apis/meta/internalversion/validation`.
 */
export function listOptions(query: URLSearchParams, served: ServedKind, isWatch: boolean, name = ''): ListOptions {
  const wants = selection(query, served, name)
  const timeoutSeconds = integer(query.get('timeoutSeconds'))
  const limit = integer(query.get('limit'))
  const options = {
    continueToken: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    match: query.get('resourceVersionMatch') ?? '',
    sendInitialEvents: flag(query, 'sendInitialEvents'),
  }
  const errors = isWatch ? watchErrors(options) : listErrors(options)
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', errors)
  return {
    ...options,
    match: options.match as ListOptions['match'], // as just checked
    wants,
    limit,
    timeoutSeconds,
    bookmarks: flag(query, 'allowWatchBookmarks') ?? false,
  }
}

/** As Go's server reads a flag: set by any word but two. */
export function flag(query: URLSearchParams, name: string): boolean | undefined {
  const text = query.get(name)
  return text === null ? undefined : !['0', 'false'].includes(text.toLowerCase())
}

function integer(text: string | null): number {
  if (text === null) return 0
  if (!/^[+-]?\d{1,15}$/.test(text))
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Math.max(0, Number(text))
}

interface Checked {
  readonly continueToken: string
  readonly resourceVersion: string
  readonly match: string
  readonly sendInitialEvents: boolean | undefined
}

const field = 'resourceVersionMatch'
const withoutToken = 'resourceVersionMatch is forbidden when continue is provided'

function listErrors({ match, resourceVersion, continueToken, sendInitialEvents }: Checked): FieldError[] {
  const errors: FieldError[] = []
  if (match !== '') {
    const refuse = (detail: string): unknown => errors.push(forbiddenField(field, detail))
    if (resourceVersion === '') refuse('resourceVersionMatch is forbidden unless resourceVersion is provided')
    if (continueToken !== '') refuse(withoutToken)
    if (match !== 'Exact' && match !== 'NotOlderThan') {
      errors.push(unsupportedField(field, match, ['Exact', 'NotOlderThan', '']))
    }
    if (match === 'Exact' && resourceVersion === '0') {
      refuse('resourceVersionMatch "exact" is forbidden for resourceVersion "0"')
    }
  }
  if (sendInitialEvents !== undefined) {
    errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  }
  return errors
}

function watchErrors({ match, continueToken, sendInitialEvents }: Checked): FieldError[] {
  const errors: FieldError[] = []
  const refuse = (detail: string): unknown => errors.push(forbiddenField(field, detail))
  if (sendInitialEvents !== undefined && match !== 'NotOlderThan') {
    refuse('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  }
  if (match === '') return errors
  if (sendInitialEvents === undefined) {
    refuse('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  }
  if (match !== 'NotOlderThan') errors.push(unsupportedField(field, match, ['NotOlderThan']))
  if (continueToken !== '') refuse(withoutToken)
  return errors
}
