import { Fault } from '#base/fault.ts'

/**
 * Kubernetes quantities (`250m`, `1.5Gi`, `2e3`), exact: a whole number of nanos. What is finer than a nano is
 * rounded up, away from zero, as Kubernetes does. Source: apimachinery, `pkg/api/resource/quantity.go`.
 */
export interface Quantity {
  readonly nanos: bigint
  readonly format: 'DecimalSI' | 'BinarySI' | 'DecimalExponent'
}

const nanosPerUnit = 1_000_000_000n
const decimalSuffixes = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'] as const
const binarySuffixes = ['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const
const shape = /^([+-]?)(\d+\.?\d*|\.\d+)([numkMGTPE]|[KMGTPE]i|[eE][+-]?\d{1,4})?$/
/** A longer text says nothing that a quantity could hold. */
const maxLength = 256
/** Kubernetes caps what it reads at 2^63 - 1 units. */
const maxNanos = (2n ** 63n - 1n) * nanosPerUnit

/** `undefined` when the text is no quantity. */
export function tryParseQuantity(text: string): Quantity | undefined {
  const match = text.length > maxLength ? null : shape.exec(text)
  if (match === null) return undefined
  const [, sign, number = '', suffix = ''] = match
  const [whole = '', fraction = ''] = number.split('.')
  const digits = BigInt(whole + fraction)
  const { multiplier, divisor, format } = scaleOf(suffix)
  const numerator = digits * multiplier * nanosPerUnit
  const denominator = divisor * 10n ** BigInt(fraction.length)
  const rounded = (numerator + denominator - 1n) / denominator
  const nanos = rounded > maxNanos ? maxNanos : rounded
  return { nanos: sign === '-' ? -nanos : nanos, format }
}

/** Throws `invalid` for what is no quantity. */
export function parseQuantity(text: string | number): Quantity {
  const quantity = tryParseQuantity(String(text))
  if (quantity !== undefined) return quantity
  throw new Fault(
    'invalid',
    'BadQuantity',
    `${JSON.stringify(text)} is no quantity: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'`,
  )
}

function scaleOf(suffix: string): { multiplier: bigint; divisor: bigint; format: Quantity['format'] } {
  if (suffix.endsWith('i')) {
    const power = binarySuffixes.indexOf(suffix as (typeof binarySuffixes)[number])
    return { multiplier: 1024n ** BigInt(power), divisor: 1n, format: 'BinarySI' }
  }
  const exponent = /^[eE]([+-]?\d+)$/.exec(suffix)?.[1]
  const power =
    exponent === undefined
      ? (decimalSuffixes.indexOf(suffix as (typeof decimalSuffixes)[number]) - 3) * 3
      : Number(exponent)
  return {
    multiplier: power > 0 ? 10n ** BigInt(power) : 1n,
    divisor: power < 0 ? 10n ** BigInt(-power) : 1n,
    format: exponent === undefined ? 'DecimalSI' : 'DecimalExponent',
  }
}

/** The canonical form: no fraction, the largest suffix that needs none. Reads back to the same amount. */
export function formatQuantity({ nanos, format }: Quantity): string {
  if (nanos === 0n) return '0'
  const units = nanos / nanosPerUnit
  const whole = nanos % nanosPerUnit === 0n
  // Below 1024 a binary quantity is written in decimals, as is one with a fraction.
  if (format === 'BinarySI' && whole && (units >= 1024n || units <= -1024n)) {
    const { amount, power } = shrink(units, 1024n, binarySuffixes.length - 1)
    return `${amount}${binarySuffixes[power]}`
  }
  const { amount, power } = shrink(nanos, 1000n, decimalSuffixes.length - 1)
  if (format !== 'DecimalExponent') return `${amount}${decimalSuffixes[power]}`
  return power === 3 ? `${amount}` : `${amount}e${(power - 3) * 3}`
}

function shrink(value: bigint, base: bigint, limit: number): { amount: bigint; power: number } {
  let amount = value
  let power = 0
  while (power < limit && amount % base === 0n) {
    amount /= base
    power++
  }
  return { amount, power }
}

/** Less than, equal to or greater than zero, as `a` is to `b`. */
export function compareQuantities(a: Quantity, b: Quantity): -1 | 0 | 1 {
  if (a.nanos === b.nanos) return 0
  return a.nanos < b.nanos ? -1 : 1
}

/** The sum, written in the format of `a`, or of `b` where `a` is zero. */
export function addQuantities(a: Quantity, b: Quantity): Quantity {
  return { nanos: a.nanos + b.nanos, format: a.nanos === 0n ? b.format : a.format }
}

export function subtractQuantities(a: Quantity, b: Quantity): Quantity {
  return addQuantities(a, { ...b, nanos: -b.nanos })
}

/** Whole units, rounded up, away from zero: what `Value()` is in Go. */
export function quantityUnits(quantity: Quantity): bigint {
  return divideUp(quantity.nanos, nanosPerUnit)
}

/** Thousandths, rounded up: for CPU. */
export function quantityMillis(quantity: Quantity): bigint {
  return divideUp(quantity.nanos, 1_000_000n)
}

function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by
  if (value % by === 0n) return quotient
  return value > 0n ? quotient + 1n : quotient - 1n
}
