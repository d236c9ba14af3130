import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { labelValueErrors, qualifiedNameErrors } from '#machinery/names.ts'
import type { ModelServer } from './model-server.ts'

/** Selectors are made of labels, whose syntax the CustomResourceDefinition does not know. */
export function checkModelServer({ spec }: ModelServer): FieldError[] {
  const path = 'spec.workloadSelector'
  const { matchLabels, pdGroup } = spec.workloadSelector
  const labels = checkLabels(`${path}.matchLabels`, matchLabels)
  if (pdGroup === undefined) return labels
  return [
    ...labels,
    ...checkKey(`${path}.pdGroup.groupKey`, pdGroup.groupKey),
    ...checkLabels(`${path}.pdGroup.prefillLabels`, pdGroup.prefillLabels),
    ...checkLabels(`${path}.pdGroup.decodeLabels`, pdGroup.decodeLabels),
  ]
}

function checkLabels(path: string, labels: Readonly<Record<string, string>>): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...checkKey(path, key),
    ...labelValueErrors(value).map((detail) => invalidValue(`${path}[${key}]`, value, detail)),
  ])
}

function checkKey(field: string, key: string): FieldError[] {
  return qualifiedNameErrors(key).map((detail) => invalidValue(field, key, detail))
}
