import { isObject } from '#base/json.ts'
import { jsonError } from '#machinery/json-error.ts'
import { badRequest } from '#machinery/status.ts'

/** Where a list goes on, in the form that Kubernetes gives its tokens. */
export interface Continuation {
  /** Below 0: the newest. */
  readonly revision: number
  /** `namespace/name` of the last object before. */
  readonly after: string
}

const version = 'meta.k8s.io/v1'

export function encodeToken({ revision, after }: Continuation): string {
  return Buffer.from(JSON.stringify({ v: version, rv: revision, start: after })).toString('base64url')
}

/** Faults: 400. */
export function decodeToken(token: string): Continuation {
  const byte = /[^A-Za-z0-9_-]/.exec(token)?.index ?? (token.length % 4 === 1 ? token.length - 1 : undefined)
  if (byte !== undefined) throw notValid(`: illegal base64 data at input byte ${byte}`)
  const { v, rv, start } = read(Buffer.from(token, 'base64url'))
  if (v !== version) throw notValid(`: server does not recognize this encoded version ${String(v ?? '')}`)
  if (!Number.isSafeInteger(rv) || rv === 0)
    throw notValid(`: incorrect encoded start resourceVersion (version ${version})`)
  if (typeof start !== 'string' || start === '') throw notValid(`: encoded start key empty (version ${version})`)
  return { revision: Number(rv), after: start }
}

function read(bytes: Buffer): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString())
  } catch {
    throw notValid(`: ${jsonError(bytes.toString('latin1'))}`)
  }
  if (isObject(value)) return value
  throw notValid(': json: cannot unmarshal it into Go value of type storage.continueToken')
}

function notValid(why: string): Error {
  return badRequest(`invalid continue token: continue key is not valid${why}`)
}
