import { flagKey } from '#api/model-booster-normal.ts'

/**
 * Engine arguments from a worker's `config`: keys in bytewise order of their own spelling, `_` written as `-`.
 *
 * | value | arguments |
 * |---|---|
 * | string, number | flag and value; integers in plain decimal |
 * | `""`, `true` | the flag alone |
 * | `false`, `null` | nothing |
 * | list of scalars | flag, then each element |
 * | anything else | flag and compact JSON |
 */
export function configArguments(config: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(config)
    .toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    .flatMap((key) => flagArguments(`--${flagKey(key)}`, config[key]))
}

function flagArguments(flag: string, value: unknown): string[] {
  if (value === '' || value === true) return [flag]
  if (value === false || value === null || value === undefined) return []
  if (Array.isArray(value) && value.every(isScalar)) return [flag, ...value.map(text)]
  return [flag, text(value)]
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object'
}

function text(value: unknown): string {
  if (typeof value === 'string') return value
  // JSON would write 1e21 with an exponent, which the engine's integer parser refuses.
  return Number.isInteger(value) ? BigInt(value as number).toString() : JSON.stringify(value)
}
