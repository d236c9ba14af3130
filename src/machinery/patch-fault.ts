import { Fault } from '#base/fault.ts'

/** A patch that cannot be read; an API server answers 400. `details` is a Kubernetes Status. */
export function unreadablePatch(message: string): Fault {
  return new Fault('invalid', 'BadPatch', message, { details: failure(400, 'BadRequest', message) })
}

/** A patch with more in it than we are ready to do; an API server answers 413. */
export function oversizedPatch(message: string): Fault {
  return new Fault('invalid', 'PatchTooLarge', message, { details: failure(413, 'RequestEntityTooLarge', message) })
}

/** A well-formed patch that does not fit the document; an API server answers 422 with the reason as a cause. */
export function unfitPatch(message: string): Fault {
  const details = {
    ...failure(422, 'Invalid', 'the server rejected our request due to an error in our request'),
    details: { causes: [{ reason: 'UnexpectedServerResponse', message }] },
  }
  return new Fault('invalid', 'PatchFailed', message, { details })
}

function failure(code: number, reason: string, message: string) {
  return { apiVersion: 'v1', kind: 'Status', metadata: {}, status: 'Failure', message, reason, code }
}
