import { type FieldError, invalidValue, requiredField } from '#machinery/field-error.ts'
import { parseQuantity } from '#machinery/quantity.ts'
import type { AutoscalingMetric, AutoscalingPolicy } from './autoscaling-policy.ts'
import { routerMetrics } from './router-metrics.ts'

/** What a policy's lists and maps say of each other. */
export function checkAutoscalingPolicy({ spec }: AutoscalingPolicy): FieldError[] {
  const roles = Object.entries(spec.disaggregatedTarget?.roles ?? {})
  return [
    ...checkUnique('spec.metrics', spec.metrics ?? []),
    ...roles.flatMap(([name, role]) => {
      const path = `spec.disaggregatedTarget.roles[${name}]`
      const own = checkUnique(`${path}.metrics`, role.metrics ?? [])
      if (role.minReplicas === role.maxReplicas) return own // a fixed number looks at no metric
      const names = new Set((role.metrics ?? spec.metrics ?? []).map(nameOf))
      const sources = Object.keys(role.metricSources ?? {})
      const told = [...names].every((metric) => Object.hasOwn(routerMetrics, metric))
      return [
        ...own,
        ...(names.size > 0 ? [] : [requiredField(`${path}.metrics`, 'give a metric here or in spec.metrics')]),
        ...(sources.length > 0 || told
          ? []
          : [requiredField(`${path}.metricSources`, 'say where the metrics come from')]),
        ...sources
          .filter((source) => !names.has(source))
          .map((source) => invalidValue(`${path}.metricSources`, source, 'there is no metric of this name')),
      ]
    }),
    ...checkRatio(spec.disaggregatedTarget),
  ]
}

/** Whether any numbers within the bounds of the roles have the ratio. */
function checkRatio(target: AutoscalingPolicy['spec']['disaggregatedTarget']): FieldError[] {
  const ratio = target?.ratioConstraint
  const top = target?.roles[ratio?.numeratorRole ?? '']
  const bottom = target?.roles[ratio?.denominatorRole ?? '']
  if (ratio === undefined || top === undefined || bottom === undefined) return []
  const path = 'spec.disaggregatedTarget.ratioConstraint'
  const [least, most] = [ratio.minRatio, ratio.maxRatio].map((text) => Number(parseQuantity(text).nanos) / 1e9)
  if (least === undefined || most === undefined || least < 0 || most <= 0 || least > most) {
    return [
      invalidValue(
        path,
        `${ratio.minRatio} to ${ratio.maxRatio}`,
        'write a range from 0 up, the smaller number as minRatio',
      ),
    ]
  }
  if ((top.minReplicas === 0) !== (bottom.minReplicas === 0)) {
    return [invalidValue(path, ratio.numeratorRole, 'both roles may be scaled to zero, or neither: they go together')]
  }
  const lowest = top.minReplicas / bottom.maxReplicas
  const highest = bottom.minReplicas === 0 ? Infinity : top.maxReplicas / bottom.minReplicas
  if (lowest <= most && highest >= least) return []
  return [
    invalidValue(
      path,
      `${ratio.minRatio} to ${ratio.maxRatio}`,
      'no numbers within the bounds of the two roles have this ratio',
    ),
  ]
}

function checkUnique(path: string, metrics: readonly AutoscalingMetric[]): FieldError[] {
  const names = metrics.map(nameOf)
  return names.flatMap((name, i) =>
    names.indexOf(name) < i
      ? [{ field: `${path}[${i}]`, type: 'FieldValueDuplicate', value: name, detail: 'one target for each metric' }]
      : [],
  )
}

function nameOf({ metricName, name }: AutoscalingMetric): string {
  return metricName ?? name ?? ''
}
