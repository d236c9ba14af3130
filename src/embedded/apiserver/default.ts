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
  const whole = kind.builtin ? containerDefaults(value) : value
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
 * Defaults of containers that depend on other fields: images without a tag or tagged `latest` are always pulled, and
 * what is limited is also requested. Source: Kubernetes, pkg/apis/core/v1/defaults.go.
 */
function containerDefaults(object: AnyResource): AnyResource {
  const spec = object.kind === 'Pod' ? object.spec : templateSpec(object)
  if (!isObject(spec)) return object
  const copy = structuredClone(object)
  const pod = (object.kind === 'Pod' ? copy.spec : templateSpec(copy)) as Record<string, unknown>
  for (const list of [pod['containers'], pod['initContainers']]) {
    if (!Array.isArray(list)) continue
    for (const container of list as unknown[]) if (isObject(container)) defaultContainer(container)
  }
  if (object.kind === 'Pod') {
    pod['serviceAccountName'] ??= pod['serviceAccount'] ?? 'default'
    pod['serviceAccount'] ??= pod['serviceAccountName']
  }
  return copy
}

function templateSpec(object: AnyResource): unknown {
  if (object.kind !== 'Job' || !isObject(object.spec)) return undefined
  const { template } = object.spec
  return isObject(template) ? template['spec'] : undefined
}

function defaultContainer(container: Record<string, unknown>): void {
  const { image, resources } = container
  if (typeof image === 'string') container['imagePullPolicy'] ??= isLatest(image) ? 'Always' : 'IfNotPresent'
  if (isObject(resources) && isObject(resources['limits'])) {
    resources['requests'] = {
      ...resources['limits'],
      ...(isObject(resources['requests']) ? resources['requests'] : {}),
    }
  }
}

function isLatest(image: string): boolean {
  if (image.includes('@')) return false
  const tag = /:([^/:]+)$/.exec(image)?.[1]
  return tag === undefined || tag === 'latest'
}
