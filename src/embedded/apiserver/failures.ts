import type { Fault } from '#base/fault.ts'
import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import type { ServedKind } from './served-kind.ts'
import { detailsOf, faultOfStatus, type Status, type StatusCause } from '#machinery/status.ts'

/** Failures that only a server has; the common ones are in machinery/status.ts. */
export function failure(code: number, reason: string, message: string, details?: Status['details']): Fault {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
  return faultOfStatus(details === undefined ? status : { ...status, details })
}

export function requestEntityTooLarge(limitBytes: number): Fault {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`)
}

/** Said by the router of a cluster, which does not know what the request is about. */
export function methodNotAllowed(): Fault {
  return failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
}

export function methodNotSupported({ group, plural }: Kind, verb: string): Fault {
  const message = `${verb} is not supported on resources of kind "${plural}.${group}"`
  return failure(405, 'MethodNotAllowed', message, { group, kind: plural })
}

/** What a cluster can write; protobuf is refused only because we do not write it. */
const written = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']

/** Said by the router of a cluster, before the API is asked for a form of its own. `more` are those of a watch. */
export function notAcceptable(more: readonly string[] = []): Fault {
  const message = `406: Not Acceptable\n\nAvailable representations: ${[...written, ...more].join(', ')}`
  return failure(406, 'NotAcceptable', message, {})
}

/** A media type that can be written, in a form that cannot. */
export function noSuchForm(): Fault {
  return failure(406, 'NotAcceptable', `only the following media types are accepted: ${written.join(', ')}`)
}

/** One object was wanted, and there may be many. */
export function isAList(kind: Kind): Fault {
  const message = `you requested PartialObjectMetadata, but the requested object is a list (*${goName(kind, 'List')})`
  return failure(406, 'NotAcceptable', message)
}

export function notAList(kind: Kind): Fault {
  const message = `you requested PartialObjectMetadataList, but the requested object is not a list (*${goName(kind, '')})`
  return failure(406, 'NotAcceptable', message)
}

/** The type that Kubernetes has for a kind inside. */
function goName({ builtin, group, kind }: Kind, suffix: string): string {
  if (!builtin) return `unstructured.Unstructured${suffix}`
  const name = group === '' || group === 'events.k8s.io' ? 'core' : group.split('.', 1)[0]
  return `${name}.${kind}${suffix}`
}

export function unsupportedBody(supported: readonly string[]): Fault {
  const message = `the body of the request was in an unknown format - accepted media types include: ${supported.join(', ')}`
  return failure(415, 'UnsupportedMediaType', message)
}

/** Said by the router of a cluster of a patch of no known type. */
export function unsupportedPatch(): Fault {
  return failure(415, 'UnsupportedMediaType', '415: Unsupported Media Type', {})
}

/** The path names nothing in a group that is served. */
export function noSuchResource(): Fault {
  return failure(404, 'NotFound', 'the server could not find the requested resource', {})
}

/** The path leads nowhere at all: a cluster answers so before any API has a say. */
export function noSuchPath(): Response {
  return new Response('404 page not found\n', {
    status: 404,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-cache, private' },
  })
}

/** A resourceVersion from the future: of another cluster, or of this one before its data was lost. */
export function tooLargeResourceVersion(asked: number, current: number): Fault {
  return failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
}

/** A replacement of an object that has gone since and come again. */
export function failedUidPrecondition({ kind, resource }: ServedKind, metadata: ObjectMeta, wanted: string): Fault {
  const { name = '', namespace, uid } = metadata
  const at = kind.builtin ? kind.plural : `${kind.group}/${kind.plural}`
  const key = ['/registry', at, ...(namespace === undefined ? [] : [namespace]), name].join('/')
  return failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${resource} "${name}": StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${uid ?? ''}`,
    detailsOf(kind, name),
  )
}

/** A deletion of an object that is another by now. */
export function failedDeletePrecondition({ kind }: ServedKind, name: string, why: string): Fault {
  const { group } = kind
  const what = group === '' ? kind.kind : `${kind.kind}.${group}`
  return failure(409, 'Conflict', `Operation cannot be fulfilled on ${what} "${name}": ${why}`, {
    name,
    ...(group === '' ? {} : { group }),
    kind: kind.kind,
  })
}

/** The same failure with one cause, which clients tell cases apart by. */
export function withCause(fault: Fault, cause: StatusCause): Fault {
  const status = fault.details as Status // of a fault that machinery/status.ts made
  return faultOfStatus({ ...status, details: { ...status.details, causes: [cause] } })
}
