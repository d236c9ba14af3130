import type { Fault } from '#base/fault.ts'
import type { ServedKind } from './served-kind.ts'
import { faultOfStatus, type Status, type StatusCause } from '#machinery/status.ts'

/** Failures that only a server has; the common ones are in machinery/status.ts. */
export function failure(code: number, reason: string, message: string, details?: Status['details']): Fault {
  const status: Status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code }
  return faultOfStatus(details === undefined ? status : { ...status, details })
}

export function requestEntityTooLarge(limitBytes: number): Fault {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limitBytes}`)
}

export function notAcceptable(): Fault {
  const message =
    'only the following media types are accepted: application/json, application/json;as=Table;v=v1;g=meta.k8s.io'
  return failure(406, 'NotAcceptable', message)
}

export function unsupportedBody(mediaType: string, supported: readonly string[]): Fault {
  const message = `the body of the request was in an unknown format (${mediaType}) - accepted media types include: ${supported.join(', ')}`
  return failure(415, 'UnsupportedMediaType', message)
}

/** The path names nothing that is served. */
export function noSuchPath(): Fault {
  return failure(404, 'NotFound', 'the server could not find the requested resource')
}

/** A resourceVersion from the future: of another cluster, or of this one before its data was lost. */
export function tooLargeResourceVersion(asked: number, current: number): Fault {
  return failure(504, 'Timeout', `Timeout: Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })
}

export function failedPrecondition(
  served: ServedKind,
  name: string,
  what: string,
  wanted: string,
  found: string,
): Fault {
  const { group, plural } = served.kind
  const resource = group === '' ? plural : `${plural}.${group}`
  return failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${resource} "${name}": Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found}`,
    { name, ...(group === '' ? {} : { group }), kind: plural },
  )
}

/** The same failure with one cause, which clients tell cases apart by. */
export function withCause(fault: Fault, cause: StatusCause): Fault {
  const status = fault.details as Status // of a fault that machinery/status.ts made
  return faultOfStatus({ ...status, details: { ...status.details, causes: [cause] } })
}
