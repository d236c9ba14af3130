/** What a ModelServing can get wrong inside its pod templates, where its CustomResourceDefinition has no rules of ours. */
import { type FieldError, invalidValue, requiredField } from '#machinery/field-error.ts'
import type { Container } from './core/types.generated.ts'
import { servingLabels } from './labels.ts'
import type { ModelServing, ModelServingRole } from './model-serving.ts'

type Template = ModelServingRole['entryTemplate']

export function checkModelServing({ spec }: ModelServing): FieldError[] {
  return templatesOf(spec.template.roles).flatMap(([path, { spec: pod }, makesPods]) => [
    ...(pod.containers.length > 0 || !makesPods
      ? []
      : [requiredField(`${path}.spec.containers`, 'a pod needs at least one container')]),
    ...checkImages(`${path}.spec.containers`, pod.containers),
    ...checkImages(`${path}.spec.initContainers`, pod.initContainers ?? []),
  ])
}

export function warnModelServing({ spec }: ModelServing): FieldError[] {
  const reserved = new Set<string>(Object.values(servingLabels))
  return templatesOf(spec.template.roles).flatMap(([path, { metadata, spec: pod }]) => [
    ...Object.keys(metadata?.labels ?? {})
      .filter((key) => reserved.has(key))
      .map((key) =>
        invalidValue(`${path}.metadata.labels[${key}]`, key, 'is set by the controller; this value is not used'),
      ),
    ...(pod.restartPolicy === undefined || pod.restartPolicy === 'Always'
      ? []
      : [
          invalidValue(
            `${path}.spec.restartPolicy`,
            pod.restartPolicy,
            'an engine that ends is replaced; write Always',
          ),
        ]),
  ])
}

function templatesOf(roles: readonly ModelServingRole[]): [path: string, template: Template, makesPods: boolean][] {
  return roles.flatMap(({ entryTemplate, workerTemplate, workerReplicas }, i) => {
    const path = `spec.template.roles[${i}]`
    const entry: [string, Template, boolean] = [`${path}.entryTemplate`, entryTemplate, true]
    return workerTemplate === undefined
      ? [entry]
      : [entry, [`${path}.workerTemplate`, workerTemplate, workerReplicas > 0]]
  })
}

function checkImages(path: string, containers: readonly Container[]): FieldError[] {
  return containers.flatMap(({ image }, i) =>
    image !== undefined && /\s/.test(image)
      ? [invalidValue(`${path}[${i}].image`, image, 'an image reference contains no white space')]
      : [],
  )
}
