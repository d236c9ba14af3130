/** Zod pieces that several kinds use. What a structural schema needs beyond JSON Schema travels in `.meta()`. */
import { z } from 'zod'
import type { Condition } from '#machinery/meta.ts'
import type { ValidationRule } from '#machinery/structural-schema.ts'

/** A field that has a definition in Kubernetes' own OpenAPI document; its schema is spliced in. */
export function coreField<T>(definition: string): z.ZodCustom<T> {
  return z.custom<T>().meta({ coreDefinition: definition })
}

/** A Kubernetes quantity such as `500m`, `2` or `16Gi`. */
export function quantity(): z.ZodCustom<number | string> {
  return z.custom<number | string>().meta({ coreDefinition: 'io.k8s.apimachinery.pkg.api.resource.Quantity' })
}

/** A whole number, or a percentage from `0%` to `100%`. */
export function intOrPercent(): z.ZodCustom<number | string> {
  return z.custom<number | string>().meta({
    'x-kubernetes-int-or-string': true,
    maxLength: 4,
    ...rules({
      rule: `type(self) == int ? self >= 0 : self.matches('^(100|[1-9]?[0-9])%$')`,
      message: 'must be a whole number, or a percentage from 0% to 100%',
    }),
  })
}

/** As Go prints durations: `0s`, `100ms`, `1m30s`. */
const durationPattern = /^(0|([0-9]+(\.[0-9]+)?h)?([0-9]+(\.[0-9]+)?m)?([0-9]+(\.[0-9]+)?s)?([0-9]+(\.[0-9]+)?ms)?)$/

export function duration(): z.ZodString {
  return z.string().min(1).max(32).regex(durationPattern)
}

/** At most half an hour, as for all windows and periods of scaling. */
export function halfHour(): z.ZodString {
  return duration().meta(
    rules({
      rule: `duration(self) >= duration('0s') && duration(self) <= duration('30m')`,
      message: 'must be between 0s and 30m',
    }),
  )
}

/** A member that may hold any JSON object. */
export function freeForm(): z.ZodRecord<z.ZodString, z.ZodUnknown> {
  return z.record(z.string(), z.unknown()).meta({ 'x-kubernetes-preserve-unknown-fields': true })
}

/** Lower case, digits and inner dashes, as in names of Kubernetes objects. */
export function dnsLabel(): z.ZodString {
  return z
    .string()
    .max(63)
    .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
}

export function labelMap(): z.ZodRecord<z.ZodString, z.ZodString> {
  return z.record(z.string(), z.string().max(63)).meta({ maxProperties: 64 })
}

export function replicaCount(min = 0): z.ZodInt32 {
  return z.int32().min(min).max(1_000_000)
}

export function rules(...list: readonly ValidationRule[]): { 'x-kubernetes-validations': readonly ValidationRule[] } {
  return { 'x-kubernetes-validations': list }
}

/** A list whose items are told apart by these members: apply merges them one by one, and twins are refused. */
export function keyedBy(...keys: readonly string[]): Record<string, unknown> {
  return { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': keys }
}

export const atomicList = { 'x-kubernetes-list-type': 'atomic' } as const

export function conditions(): z.ZodArray<z.ZodCustom<Condition>> {
  return z
    .array(z.custom<Condition>().meta({ coreDefinition: 'io.k8s.apimachinery.pkg.apis.meta.v1.Condition' }))
    .describe('The latest observations of the object’s state, one for each type.')
    .meta(keyedBy('type'))
}
