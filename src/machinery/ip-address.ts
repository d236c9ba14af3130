import { isIP } from 'node:net'
import { type FieldError, invalidField } from './field-error.ts'

/** Source: apimachinery, `pkg/util/validation/ip.go`, and Kubernetes, `ValidateEndpointIP`. */
export function ipErrors(field: string, value: string): FieldError[] {
  return isIP(value) > 0
    ? []
    : invalidField(field, value, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)')
}

/** Addresses that nobody else could reach. */
const useless: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['in the loopback range (127.0.0.0/8, ::1/128)', /^(127\.|::1$)/],
  ['in the link-local range (169.254.0.0/16, fe80::/10)', /^(169\.254\.|fe[89ab])/i],
  ['in the link-local multicast range (224.0.0.0/24, ff02::/10)', /^(224\.0\.0\.|ff02:)/i],
]

/** Of an address that others shall reach something at. */
export function endpointIpErrors(field: string, value: string): FieldError[] {
  const wrong = ipErrors(field, value)
  if (wrong.length > 0) return wrong
  const none = ['0.0.0.0', '::'].includes(value) ? [`unspecified (${value})`] : []
  const ranges = useless.filter(([, pattern]) => pattern.test(value)).map(([what]) => what)
  return invalidField(field, value, ...[...none, ...ranges].map((what) => `may not be ${what}`))
}
