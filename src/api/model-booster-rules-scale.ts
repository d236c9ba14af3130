/** How many replicas, who moves them, and what that costs. */
import { parseDuration } from '#machinery/duration.ts'
import { type FieldError, invalidValue, requiredField } from '#machinery/field-error.ts'
import { isGiven, type NormalBackend, type NormalBooster } from './model-booster-normal.ts'

const maxTotalReplicas = 1_000_000
const maxGraceSeconds = 1800

export function checkScale(booster: NormalBooster, spec: Readonly<Record<string, unknown>>): FieldError[] {
  const { backends, modelPolicy } = booster
  const errors = backends.flatMap((backend) => [
    ...checkReplicas(backend),
    ...checkGrace(booster, backend),
    ...checkBackendPolicy(booster, backend),
  ])
  const list = booster.form === 'multi' ? 'spec.backends' : 'spec.backend'
  const total = backends.reduce((sum, { max }) => sum + max, 0)
  if (total > maxTotalReplicas) {
    errors.push(invalidValue(list, total, `the sum of all maxReplicas must not exceed ${maxTotalReplicas}`))
  }
  const leveled = booster.form === 'single' ? isGiven(spec.autoscalingPolicy) : modelPolicy !== undefined
  if (leveled && backends.some(({ given }) => isGiven(given.autoscalingPolicy))) {
    const detail = 'choose one level: keep this policy or those of the backends'
    errors.push({ field: 'spec.autoscalingPolicy', type: 'FieldValueForbidden', detail })
  }
  if (modelPolicy === undefined) {
    if (isGiven(spec.costExpansionRatePercent)) {
      errors.push(withoutModelPolicy('spec.costExpansionRatePercent'))
    }
  } else if (backends.length > 0 && backends.reduce((sum, { min }) => sum + min, 0) < 1) {
    errors.push(invalidValue(list, 0, 'the sum of all minReplicas must be at least 1: one backend has to answer'))
  }
  for (const { field, policy } of policiesOf(booster)) errors.push(...checkMetrics(field, policy))
  return errors
}

/** Backends that keep their minimum for ever, because only their neighbours have a policy. */
export function unscaledBackends({ backends, modelPolicy }: NormalBooster): readonly NormalBackend[] {
  if (modelPolicy !== undefined || !backends.some(({ policy }) => policy !== undefined)) return []
  return backends.filter(({ policy, min, max }) => policy === undefined && min !== max)
}

/** Either `replicas`, or both bounds, or all three in order. */
function checkReplicas({ path, given, min, max, policy }: NormalBackend): FieldError[] {
  const { replicas, minReplicas, maxReplicas } = given
  if (isGiven(minReplicas) !== isGiven(maxReplicas)) {
    const [missing, present] = isGiven(minReplicas) ? ['maxReplicas', 'minReplicas'] : ['minReplicas', 'maxReplicas']
    return [requiredField(`${path}.${missing}`, `goes with ${present}; for a fixed size write replicas alone`)]
  }
  if (!isGiven(minReplicas)) {
    if (!isGiven(replicas)) {
      return [requiredField(`${path}.replicas`, 'write replicas for a fixed size, or minReplicas and maxReplicas')]
    }
    const detail = 'an autoscaling policy needs room: write minReplicas and maxReplicas instead'
    return policy === undefined ? [] : [invalidValue(`${path}.replicas`, replicas, detail)]
  }
  const errors: FieldError[] = []
  if (min > max) errors.push(invalidValue(`${path}.minReplicas`, min, `must not be greater than maxReplicas (${max})`))
  else if (typeof replicas === 'number' && (replicas < min || replicas > max)) {
    errors.push(
      invalidValue(`${path}.replicas`, replicas, `must lie between minReplicas (${min}) and maxReplicas (${max})`),
    )
  }
  return errors
}

function checkBackendPolicy({ form, backends, modelPolicy }: NormalBooster, backend: NormalBackend): FieldError[] {
  const { path, given, min, max, policy, cost } = backend
  const errors: FieldError[] = []
  if (modelPolicy === undefined) {
    if (cost !== 0) errors.push(withoutModelPolicy(`${path}.scalingCost`))
    const scaled = backends.some((other) => other.policy !== undefined)
    if (!scaled && isGiven(given.minReplicas) && isGiven(given.maxReplicas) && min !== max) {
      const detail = 'must be equal and greater than 0 without an autoscaling policy; or write replicas alone'
      errors.push(invalidValue(path, `minReplicas: ${min}, maxReplicas: ${max}`, detail))
    }
    if (form === 'multi' && policy !== undefined && min < 1) {
      errors.push(
        invalidValue(`${path}.minReplicas`, min, 'must be at least 1 with an autoscaling policy on the backend'),
      )
    }
  } else if (cost === 0) {
    errors.push(
      requiredField(`${path}.scalingCost`, 'the policy of the model weighs backends by cost: write a number above 0'),
    )
  }
  return errors
}

function checkGrace({ form, modelPolicy }: NormalBooster, { path, given }: NormalBackend): FieldError[] {
  const value = given.scaleToZeroGracePeriod
  if (!isGiven(value)) return []
  const field = `${path}.scaleToZeroGracePeriod`
  const errors: FieldError[] = []
  if (form === 'multi' && modelPolicy === undefined) errors.push(withoutModelPolicy(field))
  const ms = typeof value === 'string' ? parseDuration(value) : undefined
  if (ms === undefined) errors.push(invalidValue(field, value, 'write a duration such as 30s, 5m or 1m30s'))
  else if (ms < 0) errors.push(invalidValue(field, value, 'must not be negative'))
  else if (ms > maxGraceSeconds * 1000)
    errors.push(invalidValue(field, value, `must not exceed ${maxGraceSeconds} seconds (30m)`))
  return errors
}

function policiesOf({ form, backends, modelPolicy }: NormalBooster) {
  const found = backends.flatMap(({ path, given, policy }) => {
    const own = form === 'multi' || isGiven(given.autoscalingPolicy)
    return policy === undefined ? [] : [{ field: own ? `${path}.autoscalingPolicy` : 'spec.autoscalingPolicy', policy }]
  })
  return modelPolicy === undefined ? found : [{ field: 'spec.autoscalingPolicy', policy: modelPolicy }, ...found]
}

/** Metrics may be named by `metricName` or, in the newer spelling, by `name`. */
function checkMetrics(field: string, policy: Readonly<Record<string, unknown>>): FieldError[] {
  const metrics: readonly unknown[] = Array.isArray(policy.metrics) ? policy.metrics : []
  return metrics.flatMap((metric, i): FieldError[] => {
    const { metricName, name } = (metric ?? {}) as { metricName?: unknown; name?: unknown }
    if (isGiven(metricName) !== isGiven(name)) return []
    return isGiven(name)
      ? [{ field: `${field}.metrics[${i}].name`, type: 'FieldValueForbidden', detail: 'metricName is given already' }]
      : [requiredField(`${field}.metrics[${i}].metricName`, 'name a metric, such as kthena:num_requests_waiting')]
  })
}

function withoutModelPolicy(field: string): FieldError {
  return {
    field,
    type: 'FieldValueForbidden',
    detail: 'only with spec.autoscalingPolicy and spec.backends; leave it out',
  }
}
