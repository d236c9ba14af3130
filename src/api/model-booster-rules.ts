/**
 * What one ModelBooster can get wrong beyond its schema, all at once, and what works but is probably not meant.
 * The same functions serve `validate`, the planner and, where CEL can say it, the tests of the CRD's rules.
 */
import { isObject } from '#base/json.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import type { Resource } from '#machinery/meta.ts'
import { servingEnv } from './labels.ts'
import {
  backendEnv,
  envLiteral,
  formOf,
  isGiven,
  type NormalBackend,
  type NormalBooster,
  normalBooster,
  servedModelName,
  servedNameOf,
} from './model-booster-normal.ts'
import { checkConnector, unknownConnectors } from './model-booster-rules-connector.ts'
import { checkAdditionalRoutes } from './model-booster-rules-route.ts'
import { checkScale, unscaledBackends } from './model-booster-rules-scale.ts'
import { checkStorage } from './model-booster-rules-storage.ts'
import { checkOptions, checkWorkers } from './model-booster-rules-worker.ts'

const maxLabelLength = 63
const maxTargets = 16
const maxAdapters = 10

/** Set in every pod by a controller; a user's value is not used. */
export const controllerEnvNames = ['POD_NAME', 'NAMESPACE', ...Object.values(servingEnv)] as const

/** All that is wrong; empty when the object can be converted. Never throws, whatever the JSON. */
export function checkModelBooster(object: Resource): FieldError[] {
  const spec = specOf(object)
  const booster = normalBooster(object)
  const { backends } = booster
  const form = checkForm(spec)
  if (formOf(spec) === undefined) return [...form, ...checkNames(booster)]
  return [
    ...form,
    ...checkScale(booster, spec),
    ...backends.flatMap((backend) => [
      ...checkWorkers(backend),
      ...checkOptions(backend),
      ...(isPaired(backend) ? checkConnector(backend) : []),
      ...checkStorage(backend),
      ...checkAdapters(booster, backend),
    ]),
    ...checkNames(booster),
    ...checkRoute(booster),
    ...checkAdditionalRoutes(booster),
  ]
}

function checkForm(spec: Readonly<Record<string, unknown>>): FieldError[] {
  if (isGiven(spec.backends) && isGiven(spec.backend)) {
    const detail = 'spec.backend and spec.backends are mutually exclusive: keep one of them'
    return [{ field: 'spec.backend', type: 'FieldValueForbidden', detail }]
  }
  if (formOf(spec) === undefined) {
    const detail = 'write a list of backends here, or a single one under spec.backend'
    return [{ field: 'spec.backends', type: 'FieldValueRequired', detail }]
  }
  if (Array.isArray(spec.backends) && spec.backends.length === 0) {
    return [invalidValue('spec.backends', [], 'should have at least 1 item')]
  }
  return []
}

/** Connectors are compared where there is one prefill and one decode worker; otherwise that is the error. */
function isPaired({ type, workers }: NormalBackend): boolean {
  const count = (wanted: string) => workers.filter((worker) => worker.type === wanted).length
  return type === 'vLLMDisaggregated' && count('prefill') === 1 && count('decode') === 1
}

function checkAdapters({ name, requestName }: NormalBooster, { path, loras }: NormalBackend): FieldError[] {
  return loras.flatMap((lora, k) => {
    const field = `${path}.loraAdapters[${k}].name`
    if (lora.name === name || lora.name === requestName) {
      return [invalidValue(field, lora.name, 'must differ from the name of the model: clients choose by it')]
    }
    const repeated = loras.findIndex((other) => other.name === lora.name) < k
    return repeated ? [invalidValue(field, lora.name, 'must be unique within the backend')] : []
  })
}

/**
 * Names of pods are made from ours and become labels and host names. The longest that a backend may reach is
 * `<model>-<backend>-<group>-<role>-<role replica>-<pod>`: a DNS label that starts with a letter (RFC 1035).
 */
function checkNames({ name, backends }: NormalBooster): FieldError[] {
  const errors: FieldError[] = []
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name)) {
    const detail = 'becomes part of host names: use lower-case letters, digits and -, beginning with a letter; no dots'
    errors.push(invalidValue('metadata.name', name, detail))
  }
  const seen = new Set<string>()
  for (const backend of backends) {
    const field = `${backend.path}.name`
    if (seen.has(backend.name)) errors.push({ field, type: 'FieldValueDuplicate', value: backend.name, detail: '' })
    seen.add(backend.name)
    const longest = [longestPodName(name, backend), `${backend.name}-weights`].toSorted(
      (a, b) => b.length - a.length,
    )[0]
    if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(backend.name)) {
      errors.push(
        invalidValue(field, backend.name, 'use lower-case letters, digits and -, with a letter or digit at both ends'),
      )
    } else if (longest !== undefined && longest.length > maxLabelLength) {
      const excess = longest.length - maxLabelLength
      const detail = `${longest} would be ${longest.length} characters, ${maxLabelLength} are allowed: shorten this name or metadata.name by ${excess}`
      errors.push(invalidValue(field, backend.name, detail))
    }
  }
  return errors
}

function longestPodName(name: string, { name: backend, type, max, workers }: NormalBackend): string {
  const ends = workers.map((worker) => {
    const role = type === 'vLLMDisaggregated' ? worker.type : 'leader'
    return `${role}-${worker.replicas}-${type === 'vLLMDisaggregated' ? 0 : worker.pods - 1}`
  })
  const longest = ends.toSorted((a, b) => b.length - a.length)[0] ?? ''
  return `${name}-${backend}-${max}-${longest}`
}

/** What one ModelRoute can hold, and that each of its rules has somewhere to send a request. */
function checkRoute({ backends }: NormalBooster): FieldError[] {
  const errors: FieldError[] = []
  const tooMany = (value: number, detail: string) =>
    errors.push({ field: 'spec.backends', type: 'FieldValueTooMany', value, detail })
  if (backends.length > maxTargets) tooMany(backends.length, `a route takes at most ${maxTargets} backends`)
  const adapters = new Set(backends.flatMap(({ loras }) => loras.map((lora) => lora.name)))
  if (adapters.size > maxAdapters) {
    tooMany(adapters.size, `a route takes at most ${maxAdapters} different LoRA adapters`)
  }
  const weightless = (some: readonly NormalBackend[]) => some.length > 0 && some.every(({ weight }) => weight === 0)
  const field = (backend: NormalBackend | undefined) => `${backend?.path}.routeWeight`
  if (weightless(backends)) {
    errors.push(invalidValue(field(backends[0]), 0, 'all backends have weight 0, so none could be picked: raise one'))
  } else {
    for (const adapter of adapters) {
      const serving = backends.filter(({ loras }) => loras.some(({ name }) => name === adapter))
      if (!weightless(serving)) continue
      const detail = `all backends with the adapter ${adapter} have weight 0, so none could be picked: raise one`
      errors.push(invalidValue(field(serving[0]), 0, detail))
    }
  }
  return errors
}

/** Things that work but are probably not meant; `type` is `FieldValueInvalid` throughout. Never throws. */
export function warnModelBooster(object: Resource): FieldError[] {
  const booster = normalBooster(object)
  const warnings = [
    ...booster.backends.flatMap((backend) => warnBackend(booster, backend)),
    ...unscaledBackends(booster).map(({ path, min }) => {
      return invalidValue(
        path,
        undefined,
        `has no autoscaling policy, though others have: it stays at minReplicas (${min})`,
      )
    }),
  ]
  for (const [field, parentRefs] of parentRefsOf(booster)) {
    if (parentRefs === undefined) continue
    warnings.push(
      invalidValue(field, undefined, 'the router serves no route for a Gateway yet; without parentRefs it does'),
    )
  }
  for (const [field, text] of textsOf(specOf(object), 'spec')) {
    if (text.includes('${'))
      warnings.push(invalidValue(field, undefined, '"${" is passed on as it is; nothing replaces it'))
  }
  return warnings
}

function parentRefsOf({ parentRefs, additionalRoutes }: NormalBooster) {
  const own = ['spec.parentRefs', parentRefs] as const
  return [own, ...additionalRoutes.map((route) => [`${route.path}.parentRefs`, route.parentRefs] as const)]
}

function warnBackend(booster: NormalBooster, backend: NormalBackend): FieldError[] {
  const { path, workers, env, cacheURI, min, policy } = backend
  const warnings: FieldError[] = []
  const warn = (field: string, value: unknown, detail: string) => warnings.push(invalidValue(field, value, detail))
  for (const worker of workers) {
    if (worker.image === '') warn(`${worker.path}.image`, '', 'no image: the pods cannot start')
    if (worker.pods > 1 && backend.type === 'vLLMDisaggregated') {
      warn(
        `${worker.path}.pods`,
        worker.pods,
        'prefill and decode run in one pod each; for more of them raise replicas',
      )
    }
    for (const key of Object.keys(worker.config)) {
      const field = `${worker.path}.config.${key}`
      if (/[A-Z]/.test(key)) warn(field, undefined, `reaches the engine as --${key}; flags are lower case, with dashes`)
      if (key === 'model') warn(field, undefined, 'overrides the path of the downloaded model')
    }
  }
  for (const { field, name } of unknownConnectors(backend)) {
    warn(field, name, 'the router does not know this connector and hands over plain HTTP')
  }
  const served = servedModelName(booster, backend)
  if (workers.some((worker) => (servedNameOf(worker) ?? served) !== served)) {
    warn(`${path}.workers`, served, 'served-model-name differs between workers, but requests carry this one to all')
  }
  for (const [k, { name }] of env.entries()) {
    if (controllerEnvNames.some((owned) => owned === name)) {
      warn(`${path}.env[${k}].name`, name, 'is set by the controller; this value is not used')
    }
  }
  const metricsPath = envLiteral(backend, backendEnv.runtimeMetricsPath) ?? '/metrics'
  const runtimeUrl = envLiteral(backend, backendEnv.runtimeUrl)
  if (runtimeUrl?.endsWith(metricsPath)) {
    warn(`${path}.env`, runtimeUrl, `RUNTIME_URL is a base URL; ${metricsPath} is appended to it`)
  }
  if (min === 0 && booster.modelPolicy === undefined && policy === undefined) {
    warn(`${path}.minReplicas`, 0, 'the backend stays at 0 replicas: nothing scales it up')
  }
  if (/^pvc:\/\/\/*[^/]+\/+[^/]/.test(cacheURI ?? '')) {
    warn(`${path}.cacheURI`, cacheURI, 'the path behind the claim name is mounted as a sub-directory of the claim')
  }
  return warnings
}

function* textsOf(value: unknown, path: string): Generator<[field: string, text: string]> {
  if (typeof value === 'string') yield [path, value]
  else if (Array.isArray(value)) for (const [i, item] of value.entries()) yield* textsOf(item, `${path}[${i}]`)
  else if (isObject(value)) for (const [key, item] of Object.entries(value)) yield* textsOf(item, `${path}.${key}`)
}

function specOf(object: Resource): Readonly<Record<string, unknown>> {
  const { spec } = object as Resource & { spec?: unknown }
  return isObject(spec) ? spec : {}
}
