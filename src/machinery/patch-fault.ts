import { Fault } from '#base/fault.ts'
import { failureStatus } from './status.ts'

/** A patch that cannot be read; an API server answers 400. `details` is a Kubernetes Status, here and below. */
export function unreadablePatch(message: string): Fault {
  return new Fault('invalid', 'BadPatch', message, { details: failureStatus(400, 'BadRequest', message) })
}

/** A patch that Kubernetes fails at: it answers 500. */
export function unmergeablePatch(message: string): Fault {
  return new Fault('invalid', 'BadPatch', message, { details: failureStatus(500, '', message) })
}

/** A patch with more in it than we are ready to do; an API server answers 413. */
export function oversizedPatch(message: string): Fault {
  const text = `Request entity too large: ${message}`
  return new Fault('invalid', 'PatchTooLarge', message, { details: failureStatus(413, 'RequestEntityTooLarge', text) })
}

/** A well-formed patch that does not fit the document; an API server answers 422 with the reason as a cause. */
export function unfitPatch(message: string): Fault {
  const text = 'the server rejected our request due to an error in our request'
  const causes = [{ reason: 'UnexpectedServerResponse', message }]
  return new Fault('invalid', 'PatchFailed', message, { details: failureStatus(422, 'Invalid', text, { causes }) })
}
