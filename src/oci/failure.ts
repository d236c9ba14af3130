/** What went wrong with a registry, as a `Fault`: told by statuses and codes alone, never by a message's words. */
import { Fault, isFault, messageOf } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import { registryFaults } from './faults.ts'
import type { Answer } from './http.ts'
import { retryAfterMs } from './retry-after.ts'

export function forbiddenPlainly({ host }: URL): Fault {
  return new Fault(
    'invalid',
    registryFaults.forbidden,
    `${host} is not asked without TLS; the administrator may allow it by a rule with the location "http://${host}"`,
  )
}

export function tooLarge({ host }: URL, limitBytes: number): Fault {
  return new Fault(
    'invalid',
    registryFaults.unsupported,
    `${host} answered with more than the ${limitBytes >> 20} MiB that we look at`,
  )
}

/** System code → what it means to a reader. */
const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was broken off',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'no answer in time',
  UND_ERR_SOCKET: 'the connection was broken off',
  UND_ERR_CONNECT_TIMEOUT: 'no connection in time',
  UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
  UND_ERR_BODY_TIMEOUT: 'its answer stopped midway',
}
const untrusted = 'its certificate is signed by no authority that we trust'
const certificateCauses: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  EPROTO: 'it speaks no TLS that we know',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it speaks no TLS',
}

/** No answer, or not to its end. */
export function unreachable({ host }: URL, cause: unknown): Fault {
  if (isFault(cause)) return cause
  const code = isObject(cause) ? String(cause['code']) : ''
  const words = certificateCauses[code] ?? causes[code] ?? messageOf(cause)
  const reason = code in certificateCauses ? registryFaults.tls : registryFaults.failed
  return new Fault('unavailable', reason, `cannot reach ${host}: ${words}`, { cause })
}

/** An answer that makes no sense; it may be a proxy's, and gone the next time. */
export function nonsense({ host }: URL, what: string): Fault {
  return new Fault('unavailable', registryFaults.failed, `${host} answered with ${what}`)
}

const denials: ReadonlySet<string> = new Set(['UNAUTHORIZED', 'DENIED'])
const absences: ReadonlySet<string> = new Set(['MANIFEST_UNKNOWN', 'NAME_UNKNOWN'])

/** An answer that is a refusal. The registry's own code says more than the status, where it gives one. */
export function refusal(answer: Answer, nowMs: number): Fault {
  const { status, url, headers } = answer
  const code = errorCodeOf(answer)
  const said = `${url.host} answered ${status}${code === '' ? '' : ` ${code}`}`
  if (status === 429 || code === 'TOOMANYREQUESTS') {
    const waitMs = retryAfterMs(headers, nowMs)
    const hint = waitMs === undefined ? '' : `, to be asked again in ${Math.ceil(waitMs / 1000)} s`
    const options = waitMs === undefined ? {} : { retryAfterMs: waitMs }
    return new Fault('exhausted', registryFaults.rateLimited, `${said}: asked too often${hint}`, options)
  }
  if (status === 401 || status === 403 || denials.has(code)) return new Fault('denied', registryFaults.denied, said)
  if (status === 404 || absences.has(code)) return new Fault('missing', registryFaults.notFound, said)
  const waitMs = retryAfterMs(headers, nowMs)
  return new Fault('unavailable', registryFaults.failed, said, waitMs === undefined ? {} : { retryAfterMs: waitMs })
}

/** Of the first error; only what looks like a code gets into messages. */
function errorCodeOf({ body }: Answer): string {
  try {
    const { errors } = JSON.parse(body.toString()) as { errors?: unknown }
    const code: unknown = Array.isArray(errors) && isObject(errors[0]) ? errors[0]['code'] : undefined
    return typeof code === 'string' && /^[A-Z_]{1,40}$/.test(code) ? code : ''
  } catch {
    return ''
  }
}
