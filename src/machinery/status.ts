import { Fault, type FaultKind, type FaultOptions } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import { type FieldError, formatFieldBody, formatFieldError } from './field-error.ts'
import { type Kind, resourceName } from './kind.ts'

/** What an API server answers when it has no object to answer with: `metav1.Status`. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Record<string, unknown>
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  /** Machine-readable word such as `NotFound`. */
  readonly reason?: string
  readonly details?: StatusDetails
  /** The HTTP status code. */
  readonly code?: number
}

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  /** In faults about a resource this is its plural. */
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

export interface StatusCause {
  readonly reason?: string
  readonly message?: string
  readonly field?: string
}

type GroupResource = Pick<Kind, 'group' | 'plural'>

/*
 * The faults that a server throws. Their `details` are the whole Status in the wording of apimachinery,
 * `pkg/api/errors`; foreign clients match on it.
 */

export function notFound(resource: GroupResource, name: string): Fault {
  return failure(404, 'NotFound', `${resourceName(resource)} ${quote(name)} not found`, detailsOf(resource, name))
}

export function alreadyExists(resource: GroupResource, name: string): Fault {
  const message = `${resourceName(resource)} ${quote(name)} already exists`
  return failure(409, 'AlreadyExists', message, detailsOf(resource, name))
}

/** Somebody else wrote first, unless `why` says otherwise. */
export function conflict(
  resource: GroupResource,
  name: string,
  why = 'the object has been modified; please apply your changes to the latest version and try again',
): Fault {
  const message = `Operation cannot be fulfilled on ${resourceName(resource)} ${quote(name)}: ${why}`
  return failure(409, 'Conflict', message, detailsOf(resource, name))
}

/** 422 with one cause for each field error. */
export function invalid(kind: Pick<Kind, 'group' | 'kind'>, name: string, errors: readonly FieldError[]): Fault {
  const causes = errors.map((error) => ({
    reason: error.type,
    message: formatFieldBody(error),
    field: error.field,
  }))
  const texts = [...new Set(errors.map(formatFieldError))]
  const all = texts.length > 1 ? `: [${texts.join(', ')}]` : texts.map((text) => `: ${text}`).join('')
  const qualifiedKind = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`
  const details = {
    ...(name === '' ? {} : { name }),
    ...group(kind.group),
    ...(kind.kind === '' ? {} : { kind: kind.kind }),
    causes,
  }
  return failure(422, 'Invalid', `${qualifiedKind} ${quote(name)} is invalid${all}`, details)
}

export function badRequest(message: string): Fault {
  return failure(400, 'BadRequest', message)
}

/** A mistake of the client that Kubernetes takes for one of its own, and answers with 500 and no reason. */
export function unreasoned(message: string): Fault {
  return failure(500, '', message)
}

/** 410: a resourceVersion or continue token that is too old; list again. */
export function expired(message: string): Fault {
  return failure(410, 'Expired', message)
}

export function forbidden(resource: GroupResource, name: string, why: string): Fault {
  const what = name === '' ? resourceName(resource) : `${resourceName(resource)} ${quote(name)}`
  return failure(403, 'Forbidden', `${what} is forbidden: ${why}`, detailsOf(resource, name))
}

export function unauthorized(message = 'Unauthorized'): Fault {
  return failure(401, 'Unauthorized', message)
}

export function unsupportedMediaType(message: string): Fault {
  return failure(415, 'UnsupportedMediaType', message)
}

/** The fault that a failure means to whoever asked. The Status stays whole in `details`. */
export function faultOfStatus(status: Status): Fault {
  const code = status.code ?? 500
  const reason = status.reason === undefined || status.reason === '' ? `Http${code}` : status.reason
  const seconds = status.details?.retryAfterSeconds
  const options: FaultOptions = {
    details: status,
    ...(seconds === undefined || seconds <= 0 ? {} : { retryAfterMs: seconds * 1000 }),
  }
  return new Fault(kindOfCode(code), reason, status.message ?? `the server answered with status code ${code}`, options)
}

/** The Status for anything thrown. Of what is no Fault nothing is shown: it may hold secrets. */
export function statusOf(error: unknown): Status {
  if (!(error instanceof Fault))
    return failureStatus(500, 'InternalError', 'Internal error occurred: see the server log')
  if (isStatus(error.details)) return error.details
  const [code, reason] = error.code === 'Unauthorized' ? [401, 'Unauthorized'] : answers[error.kind]
  const { retryAfterMs } = error
  const details: StatusDetails = {
    ...(error.kind === 'invalid' ? { causes: [{ reason: error.code, message: error.message }] } : {}),
    ...(retryAfterMs === undefined ? {} : { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) }),
  }
  return failureStatus(code, reason, error.message, Object.keys(details).length === 0 ? undefined : details)
}

const answers: Readonly<Record<FaultKind, readonly [code: number, reason: string]>> = {
  invalid: [422, 'Invalid'],
  missing: [404, 'NotFound'],
  denied: [403, 'Forbidden'],
  conflict: [409, 'Conflict'],
  exhausted: [429, 'TooManyRequests'],
  unavailable: [503, 'ServiceUnavailable'],
}

function kindOfCode(code: number): FaultKind {
  if (code >= 500) return 'unavailable'
  if (code === 429) return 'exhausted'
  if (code === 409) return 'conflict'
  if (code === 404 || code === 410) return 'missing'
  return code === 401 || code === 403 ? 'denied' : 'invalid'
}

function failure(code: number, reason: string, message: string, details?: StatusDetails): Fault {
  return faultOfStatus(failureStatus(code, reason, message, details))
}

/** A failure as it is answered; of these `statusOf` gives the whole back when they are a fault's `details`. */
export function failureStatus(code: number, reason: string, message: string, details?: StatusDetails): Status {
  const told = reason === '' ? {} : { reason }
  const head = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, ...told } as const
  return details === undefined ? { ...head, code } : { ...head, details, code }
}

function isStatus(value: unknown): value is Status {
  return isObject(value) && value['kind'] === 'Status' && typeof value['code'] === 'number'
}

/** What a Status says it is about. */
export function detailsOf(resource: GroupResource, name: string): StatusDetails {
  return { ...(name === '' ? {} : { name }), ...group(resource.group), kind: resource.plural }
}

function group(name: string): { group?: string } {
  return name === '' ? {} : { group: name }
}

const quote = (text: string): string => JSON.stringify(text)
