import { Fault } from '#base/fault.ts'

/** A count, or a share of one such as `25%`. */
export type IntOrString = number | string

/**
 * The count that the value means of `total`; a share is rounded `up` or `down`. Throws `invalid` for a string that
 * is no whole percentage. Source: apimachinery, `pkg/util/intstr`, `GetScaledValueFromIntOrPercent`.
 */
export function resolveIntOrPercent(value: IntOrString, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value
  const match = /^(\d{1,9})%$/.exec(value)
  if (match === null) {
    throw new Fault(
      'invalid',
      'BadPercentage',
      `invalid value for IntOrString: ${JSON.stringify(value)} is no percentage such as "25%"`,
    )
  }
  const share = (Number(match[1]) * total) / 100
  return round === 'up' ? Math.ceil(share) : Math.floor(share)
}
