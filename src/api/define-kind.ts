import type { FieldError } from '#machinery/field-error.ts'
import { type Kind, type PrinterColumn, resourceName, type ScalePaths } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { generatedSchema } from './generated-schema.ts'

interface Definition<T extends Resource> {
  readonly group: string
  readonly kind: string
  readonly plural: string
  /** Default true. */
  readonly namespaced?: boolean
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  readonly scale?: ScalePaths
  /** Age is added as the last. */
  readonly columns: readonly PrinterColumn[]
  readonly check?: (object: T, old?: T) => FieldError[]
  readonly warn?: (object: T) => FieldError[]
}

/** One of our own kinds: `v1alpha1`, with a status of its own. */
export function defineKind<T extends Resource>(definition: Definition<T>): Kind<T> {
  const { group, kind, plural, columns, scale, check, warn } = definition
  const { namespaced = true, shortNames = [], categories = [] } = definition
  return {
    group,
    version: 'v1alpha1',
    kind,
    plural,
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    shortNames,
    categories,
    namespaced,
    status: true,
    ...(scale !== undefined && { scale }),
    columns: [...columns, { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }],
    builtin: false,
    schema: generatedSchema(resourceName(definition)),
    ...(check !== undefined && { check }),
    ...(warn !== undefined && { warn }),
  }
}
