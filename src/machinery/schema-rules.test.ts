import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatFieldError } from './field-error.ts'
import { definitionSchemaErrors } from './schema-rules.ts'
import type { StructuralSchema } from './structural-schema.ts'

const text = { type: 'string' } as const
const item: StructuralSchema = { type: 'object', required: ['name'], properties: { name: text } }
const keyed = {
  type: 'array',
  items: item,
  'x-kubernetes-list-type': 'map',
  'x-kubernetes-list-map-keys': ['name'],
} as const

const cases: Record<string, { x: unknown; want: string[] }> = {
  'a schema that is right': {
    x: { type: 'object', properties: { a: text, b: keyed }, anyOf: [{ required: ['a'] }], default: { a: '' } },
    want: [],
  },
  'a number or a text': {
    x: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }], pattern: '^1$' },
    want: [],
  },
  'no type': { x: {}, want: ['x.type: Required value: must not be empty for specified object fields'] },
  'a list without items': { x: { type: 'array' }, want: ['x.items: Required value: must be specified'] },
  'items without a type': {
    x: { type: 'array', items: {} },
    want: ['x.items.type: Required value: must not be empty for specified array items'],
  },
  'an alternative with a type': {
    x: { ...text, not: text },
    want: ['x.not.type: Forbidden: must be empty to be structural'],
  },
  'a default that has more': {
    x: { type: 'object', properties: { a: text }, default: { b: 1 } },
    want: ['x.default: Invalid value: {"b":1}: must not have unknown fields'],
  },
  'a default of another type': {
    x: { ...text, default: 1 },
    want: ['x.default: Invalid value: "integer":  in body must be of type string: "integer"'],
  },
  'a default that a rule refuses': {
    x: { ...text, default: 'a', maxLength: 5, 'x-kubernetes-validations': [{ rule: 'self != "a"', message: 'not a' }] },
    want: ['x.default: Invalid value: "a": not a'],
  },
  'a key that may be missing': {
    x: { ...keyed, items: { ...item, required: [] } },
    want: [
      'x.items.properties[name].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property',
    ],
  },
  'a key that is twice there': {
    x: { ...keyed, 'x-kubernetes-list-map-keys': ['name', 'name'] },
    want: ['x.x-kubernetes-list-map-keys: Invalid value: ["name","name"]: must not contain duplicate entries'],
  },
  'keys of no keyed list': {
    x: { type: 'array', items: item, 'x-kubernetes-list-map-keys': ['name'] },
    want: ['x.x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty'],
  },
  'a map type of no map': {
    x: { ...text, 'x-kubernetes-map-type': 'atomic' },
    want: ['x.type: Invalid value: "string": must be object if x-kubernetes-map-type is specified'],
  },
  'a broken pattern': {
    x: { ...text, pattern: 'a**' },
    want: [
      'x.pattern: Invalid value: "a**": must be a valid regular expression, but isn\'t: error parsing regexp: invalid nested repetition operator: `a**`',
    ],
  },
  'a rule of lines without a message': {
    x: { ...text, maxLength: 5, 'x-kubernetes-validations': [{ rule: 'self\n!= ""' }] },
    want: [
      'x.x-kubernetes-validations[0].message: Required value: message must be specified if rule contains line breaks',
    ],
  },
  'a rule about a moment before that needs none': {
    x: { ...text, maxLength: 5, 'x-kubernetes-validations': [{ rule: 'self != ""', optionalOldSelf: true }] },
    want: [
      'x.x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule',
    ],
  },
}
for (const [name, { x, want }] of Object.entries(cases)) {
  test(`a definition's schema: ${name}`, () => {
    const root = { type: 'object', properties: { x } } as StructuralSchema
    const errors = definitionSchemaErrors('schema', root).map(formatFieldError)
    assert.deepEqual(
      errors.map((error) => error.replaceAll('schema.properties[x]', 'x')),
      want,
    )
  })
}

test('an alternative of the whole is about what there is', () => {
  const root = { type: 'object', properties: { a: text }, allOf: [{ properties: { b: { maxLength: 1 } } }] }
  assert.deepEqual(definitionSchemaErrors('s', root as StructuralSchema).map(formatFieldError), [
    's.properties[b]: Required value: because it is defined in s.allOf[0].properties[b]',
  ])
})

test('what a whole object has of itself may be restricted by name alone', () => {
  const root = {
    type: 'object',
    properties: { metadata: { type: 'object', properties: { name: text, labels: { type: 'object' } } } },
  }
  const [error] = definitionSchemaErrors('schema', root as StructuralSchema)
  assert.match(
    formatFieldError(error ?? { field: '', type: 'FieldValueInvalid', detail: '' }),
    /must not specify anything other than name/,
  )
})
