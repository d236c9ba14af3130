import type { FieldError } from '#machinery/field-error.ts'
import type { AutoscalingMetric, AutoscalingPolicy } from './autoscaling-policy.ts'

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
      return [
        ...own,
        ...(names.size > 0 ? [] : [required(`${path}.metrics`, 'give a metric here or in spec.metrics')]),
        ...(sources.length > 0 ? [] : [required(`${path}.metricSources`, 'say where the metrics come from')]),
        ...sources
          .filter((source) => !names.has(source))
          .map((source) => invalid(`${path}.metricSources`, source, 'there is no metric of this name')),
      ]
    }),
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

function required(field: string, detail: string): FieldError {
  return { field, type: 'FieldValueRequired', detail }
}

function invalid(field: string, value: unknown, detail: string): FieldError {
  return { field, type: 'FieldValueInvalid', value, detail }
}
