import { isObject } from '#base/json.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import { badRequest, faultOfStatus } from '#machinery/status.ts'
import type { Call } from './context.ts'

/** What a server does about fields that it does not know. */
export const fieldValidations = ['Ignore', 'Warn', 'Strict'] as const
export type FieldValidation = (typeof fieldValidations)[number]

/**
 * Makes a decoded body an object of the kind: unknown fields go, told as `fieldValidation` asks, and defaults come.
 * `problems` are what decoding already found. Faults: 400.
 */
export function defaulted(
  call: Call,
  object: AnyResource,
  problems: readonly string[],
  mode: FieldValidation,
): AnyResource {
  const { kind } = call.target.served
  const schema = compileSchema(kind.schema())
  const { value, unknown } = schema.prune(object)
  if (mode !== 'Ignore') {
    report(call, [...unknown.map((path) => `unknown field "${path}"`), ...problems], mode)
  }
  if (!isObject(value.metadata))
    throw badRequest(`${kind.kind} in version "${kind.version}" cannot be handled: metadata must be an object`)
  const whole = kind.builtin ? podDefaults(value) : value
  return schema.default(whole)
}

function report(call: Call, problems: readonly string[], mode: 'Warn' | 'Strict'): void {
  if (problems.length === 0) return
  if (mode === 'Warn') {
    call.warnings.push(...problems.slice(0, 100))
    return
  }
  const { kind } = call.target.served
  const message = `${kind.kind} in version "${kind.version}" cannot be handled as a ${kind.kind}: strict decoding error: ${problems.join(', ')}`
  throw faultOfStatus({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'BadRequest',
    code: 400,
  })
}

/**
 * Defaults of pods that depend on other fields: images without a tag or tagged `latest` are always pulled, and what is
 * limited is also requested. Source: Kubernetes, pkg/apis/core/v1/defaults.go.
 */
function podDefaults(object: AnyResource): AnyResource {
  const { spec } = object
  if (object.kind === 'Pod') return isObject(spec) ? { ...object, spec: withServiceAccount(podSpec(spec)) } : object
  const template = object.kind === 'Job' ? spec?.['template'] : undefined
  if (!isObject(template) || !isObject(template['spec'])) return object
  return { ...object, spec: { ...spec, template: { ...template, spec: podSpec(template['spec']) } } }
}

function podSpec(spec: Record<string, unknown>): Record<string, unknown> {
  const lists = ['containers', 'initContainers'].filter((name) => Array.isArray(spec[name]))
  return { ...spec, ...Object.fromEntries(lists.map((name) => [name, (spec[name] as unknown[]).map(container)])) }
}

function withServiceAccount(spec: Record<string, unknown>): Record<string, unknown> {
  const name = spec['serviceAccountName'] ?? spec['serviceAccount'] ?? 'default'
  return { ...spec, serviceAccountName: name, serviceAccount: spec['serviceAccount'] ?? name }
}

function container(given: unknown): unknown {
  if (!isObject(given)) return given
  const { image, imagePullPolicy, resources } = given
  const policy = typeof image === 'string' && isLatest(image) ? 'Always' : 'IfNotPresent'
  const limits = isObject(resources) && isObject(resources['limits']) ? resources['limits'] : undefined
  if (imagePullPolicy !== undefined && limits === undefined) return given
  const requests = isObject(resources) && isObject(resources['requests']) ? resources['requests'] : {}
  return {
    ...given,
    imagePullPolicy: imagePullPolicy ?? policy,
    ...(limits === undefined ? {} : { resources: { ...(resources as object), requests: { ...limits, ...requests } } }),
  }
}

function isLatest(image: string): boolean {
  if (image.includes('@')) return false
  const tag = /:([^/:]+)$/.exec(image)?.[1]
  return tag === undefined || tag === 'latest'
}
