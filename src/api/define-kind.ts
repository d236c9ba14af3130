import type { z } from 'zod'
import type { FieldError } from '#machinery/field-error.ts'
import type { Kind, PrinterColumn, ScalePaths } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import type { StructuralSchema, ValidationRule } from '#machinery/structural-schema.ts'
import { structuralSchema } from './structural.ts'

interface Definition<T extends Resource> {
  readonly group: string
  readonly kind: string
  readonly plural: string
  /** Default true. */
  readonly namespaced?: boolean
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
  /** What the kind is for, in a sentence. */
  readonly description: string
  readonly spec: z.ZodType
  readonly status: z.ZodType
  /** Rules that need the object's name beside its spec. */
  readonly rules?: readonly ValidationRule[]
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
  let schema: StructuralSchema | undefined
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
    schema: () => (schema ??= rootSchema(definition)),
    ...(check !== undefined && { check }),
    ...(warn !== undefined && { warn }),
  }
}

function rootSchema({ description, spec, status, rules }: Omit<Definition<never>, 'check' | 'warn'>): StructuralSchema {
  return {
    description,
    type: 'object',
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of the schema that the object follows.' },
      kind: { type: 'string', description: 'Kind of the object.' },
      // Kubernetes allows no more than this: what metadata is, it knows itself.
      metadata: { type: 'object', properties: { name: { type: 'string', maxLength: 253 } } },
      spec: structuralSchema(spec),
      status: structuralSchema(status),
    },
    ...(rules !== undefined && { 'x-kubernetes-validations': rules }),
  }
}
