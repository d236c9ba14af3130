import type { z } from 'zod'
import type { Kind } from '#machinery/kind.ts'
import type { ValidationRule } from '#machinery/structural-schema.ts'
import type { UnresolvedSchema } from '../generated-schema.ts'
import { structuralSchema } from './structural.ts'

/** What objects of a kind look like. */
export interface KindSchema {
  readonly kind: Kind
  /** What the kind is for, in a sentence. */
  readonly description: string
  readonly spec: z.ZodType
  readonly status: z.ZodType
  /** Rules that need the object's name beside its spec. */
  readonly rules?: readonly ValidationRule[]
}

export function rootSchema({ description, spec, status, rules }: KindSchema): UnresolvedSchema {
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
