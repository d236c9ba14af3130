import type { StructuralSchema } from './structural-schema.ts'

const text: StructuralSchema = { type: 'string' }
const time: StructuralSchema = { type: 'string', format: 'date-time' }
const integer: StructuralSchema = { type: 'integer', format: 'int64' }
const flag: StructuralSchema = { type: 'boolean' }
const texts: StructuralSchema = { type: 'object', additionalProperties: text }

/**
 * What `metadata` may hold in any object. A CustomResourceDefinition must not spell it out, so the API server
 * knows it by itself: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
 */
export const objectMetaSchema = {
  type: 'object',
  properties: {
    name: text,
    generateName: text,
    namespace: text,
    selfLink: text,
    uid: text,
    resourceVersion: text,
    generation: integer,
    creationTimestamp: time,
    deletionTimestamp: time,
    deletionGracePeriodSeconds: integer,
    labels: texts,
    annotations: texts,
    finalizers: { type: 'array', items: text, 'x-kubernetes-list-type': 'set' },
    ownerReferences: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['uid'],
      items: {
        type: 'object',
        'x-kubernetes-map-type': 'atomic',
        required: ['apiVersion', 'kind', 'name', 'uid'],
        properties: { apiVersion: text, kind: text, name: text, uid: text, controller: flag, blockOwnerDeletion: flag },
      },
    },
    managedFields: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          manager: text,
          operation: text,
          apiVersion: text,
          time,
          fieldsType: text,
          fieldsV1: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
          subresource: text,
        },
      },
    },
  },
} as const satisfies StructuralSchema

const resourceSchemas = new WeakMap<StructuralSchema, StructuralSchema>()

/**
 * The schema of a whole object or embedded resource, with `apiVersion`, `kind` and all of `metadata` spelled out.
 * Of `metadata` the schema itself may narrow only `name` and `generateName`.
 */
export function resourceSchemaOf(schema: StructuralSchema): StructuralSchema {
  let whole = resourceSchemas.get(schema)
  if (whole === undefined) {
    const declared = schema.properties?.['metadata']?.properties
    const { name, generateName, ...rest } = objectMetaSchema.properties
    const meta = {
      ...declared,
      ...rest,
      name: declared?.['name'] ?? name,
      generateName: declared?.['generateName'] ?? generateName,
    }
    whole = {
      ...schema,
      properties: {
        apiVersion: text,
        kind: text,
        ...schema.properties,
        metadata: { ...schema.properties?.['metadata'], type: 'object', properties: meta },
      },
    }
    resourceSchemas.set(schema, whole)
  }
  return whole
}
