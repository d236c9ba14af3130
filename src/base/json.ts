import { hash } from 'node:crypto'

export type Json = null | boolean | number | string | readonly Json[] | JsonObject
export interface JsonObject {
  readonly [key: string]: Json | undefined
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Deep equality of JSON values; an `undefined` member counts as absent, member order does not count. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, i) => equalJson(item, b[i]))
  }
  if (!isObject(a) || !isObject(b)) return false
  let surplus = 0
  for (const [key, value] of Object.entries(a)) {
    if (value === undefined) continue
    // JSON.parse makes `__proto__` a member of its own, which must not meet the inherited one.
    if (!Object.hasOwn(b, key) || !equalJson(value, b[key])) return false
    surplus++
  }
  for (const value of Object.values(b)) if (value !== undefined) surplus--
  return surplus === 0
}

/**
 * One text for one meaning: members sorted; `undefined`, `null` and empty objects left out, so that a field
 * that a server fills with nothing does not change a hash.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(canonical(value)) ?? 'null'
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => canonical(item) ?? null)
  if (!isObject(value)) return value ?? undefined
  const members = Object.keys(value)
    .sort()
    .map((key) => [key, canonical(value[key])] as const)
    .filter(([, member]) => member !== undefined)
  return members.length === 0 ? undefined : Object.fromEntries(members)
}

const safeAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** Ten characters that are safe in a label or name and spell no word, from the SHA-256 of the canonical JSON. */
export function revisionHash(value: unknown): string {
  const digest = hash('sha256', canonicalJson(value), 'buffer')
  return Array.from(digest.subarray(0, 10), (byte) => safeAlphabet[byte % safeAlphabet.length]).join('')
}
