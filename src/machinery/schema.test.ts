import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatFieldError } from './field-error.ts'
import { compileSchema } from './schema.ts'
import type { StructuralSchema } from './structural-schema.ts'

const ofSpec = (spec: StructuralSchema): StructuralSchema => ({ type: 'object', properties: { spec } })
const ofField = (x: StructuralSchema): StructuralSchema => ofSpec({ type: 'object', properties: { x } })
const object = (spec: unknown) => ({ apiVersion: 'a/v1', kind: 'A', metadata: { name: 'a' }, spec })

const pruneCases: Record<string, { spec: StructuralSchema; value: unknown; want: unknown; unknown: string[] }> = {
  'drops unspecified members at every level and says where': {
    spec: {
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } } },
    },
    value: { list: [{ a: 'x', b: 1 }], c: { d: 1 } },
    want: { list: [{ a: 'x' }] },
    unknown: ['spec.c', 'spec.list[0].b'],
  },
  'keeps unknown members where the schema preserves them, and prunes below the known ones': {
    spec: {
      type: 'object',
      'x-kubernetes-preserve-unknown-fields': true,
      properties: { known: { type: 'object', properties: {} } },
    },
    value: { any: { thing: 1 }, known: { other: 1 } },
    want: { any: { thing: 1 }, known: {} },
    unknown: ['spec.known.other'],
  },
  'prunes the values of a map': {
    spec: { type: 'object', additionalProperties: { type: 'object', properties: { a: {} } } },
    value: { k: { a: 1, b: 2 } },
    want: { k: { a: 1 } },
    unknown: ['spec.k.b'],
  },
  'knows type and metadata of an embedded resource': {
    spec: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: {} },
    value: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a', wrong: 1 }, spec: {} },
    want: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } },
    unknown: ['spec.spec', 'spec.metadata.wrong'],
  },
}
for (const [name, { spec, value, want, unknown }] of Object.entries(pruneCases)) {
  test(`pruning ${name}`, () => {
    const got = compileSchema(ofSpec(spec)).prune(object(value))
    assert.deepEqual(got, { value: object(want), unknown })
  })
}

test('pruning returns the same object when nothing is dropped', () => {
  const value = object({ x: 'a' })
  assert.equal(compileSchema(ofField({ type: 'string' })).prune(value).value, value)
})

const defaultCases: Record<string, { spec: StructuralSchema; value: unknown; want: unknown }> = {
  'fills an absent member': {
    spec: { type: 'object', properties: { x: { type: 'integer', default: 1 } } },
    value: {},
    want: { x: 1 },
  },
  'fills members of a default': {
    spec: {
      type: 'object',
      properties: { o: { type: 'object', default: {}, properties: { x: { type: 'integer', default: 1 } } } },
    },
    value: {},
    want: { o: { x: 1 } },
  },
  'fills nothing into an absent object': {
    spec: {
      type: 'object',
      properties: { o: { type: 'object', properties: { x: { type: 'integer', default: 1 } } } },
    },
    value: {},
    want: {},
  },
  'replaces a forbidden null by the default, and drops it where there is none': {
    spec: { type: 'object', properties: { x: { type: 'integer', default: 1 }, y: { type: 'integer' } } },
    value: { x: null, y: null },
    want: { x: 1 },
  },
  'keeps an allowed null': {
    spec: { type: 'object', properties: { x: { type: 'integer', nullable: true, default: 1 } } },
    value: { x: null },
    want: { x: null },
  },
  'fills items of a list and values of a map': {
    spec: {
      type: 'object',
      properties: {
        list: { type: 'array', items: { type: 'object', properties: { x: { type: 'integer', default: 1 } } } },
        map: {
          type: 'object',
          additionalProperties: { type: 'object', properties: { x: { type: 'integer', default: 1 } } },
        },
      },
    },
    value: { list: [{}, { x: 2 }], map: { k: {} } },
    want: { list: [{ x: 1 }, { x: 2 }], map: { k: { x: 1 } } },
  },
}
for (const [name, { spec, value, want }] of Object.entries(defaultCases)) {
  test(`defaulting ${name}`, () => {
    const given = object(value)
    const before = structuredClone(given)
    assert.deepEqual(compileSchema(ofSpec(spec)).default(given), object(want))
    assert.deepEqual(given, before, 'the argument is left alone')
  })
}

test('defaulting returns the same object when nothing changes, and never shares a default', () => {
  const schema = compileSchema(ofField({ type: 'array', items: { type: 'string' }, default: [] }))
  const complete = object({ x: ['a'] })
  assert.equal(schema.default(complete), complete)
  const [one, two] = [schema.default(object({})), schema.default(object({}))] as { spec: { x: string[] } }[]
  one?.spec.x.push('mine')
  assert.deepEqual(two?.spec.x, [])
})

/** `want` is what the API server of Kubernetes 1.36 prints for field `spec.x`. */
const validateCases: Record<string, { x: StructuralSchema; value: unknown; want: string[] }> = {
  'a string for an integer': {
    x: { type: 'integer' },
    value: 'a',
    want: ['spec.x: Invalid value: "string": spec.x in body must be of type integer: "string"'],
  },
  'a fraction for an integer': {
    x: { type: 'integer' },
    value: 1.5,
    want: ['spec.x: Invalid value: "number": spec.x in body must be of type integer: "number"'],
  },
  'a null that is not allowed': {
    x: { type: 'string' },
    value: null,
    want: ['spec.x: Invalid value: "null": spec.x in body must be of type string: "null"'],
  },
  'a number for a time': {
    x: { type: 'string', format: 'date-time' },
    value: 5,
    want: ['spec.x: Invalid value: "int64": spec.x in body must be of type date-time: "int64"'],
  },
  'an object for int-or-string': {
    x: { 'x-kubernetes-int-or-string': true },
    value: {},
    want: ['spec.x: Invalid value: "object": spec.x in body must be of type integer,string: "object"'],
  },
  'a value outside an enum': {
    x: { type: 'string', enum: ['a', 'b'] },
    value: 'z',
    want: ['spec.x: Unsupported value: "z": supported values: "a", "b"'],
  },
  'a long string, counted in code points': {
    x: { type: 'string', maxLength: 2 },
    value: '😀😀😀',
    want: ['spec.x: Too long: may not be more than 2 bytes'],
  },
  'a short string': {
    x: { type: 'string', minLength: 2 },
    value: '😀',
    want: ['spec.x: Invalid value: "😀": spec.x in body should be at least 2 chars long'],
  },
  'a string that a pattern does not find anywhere': {
    x: { type: 'string', pattern: 'b+$' },
    value: 'abba',
    want: ['spec.x: Invalid value: "abba": spec.x in body should match \'b+$\''],
  },
  'a number below its minimum': {
    x: { type: 'integer', minimum: 0 },
    value: -1,
    want: ['spec.x: Invalid value: -1: spec.x in body should be greater than or equal to 0'],
  },
  'a number at an exclusive maximum': {
    x: { type: 'number', maximum: 1, exclusiveMaximum: true },
    value: 1,
    want: ['spec.x: Invalid value: 1: spec.x in body should be less than 1'],
  },
  'an integer beyond int32': {
    x: { type: 'integer', format: 'int32' },
    value: 2 ** 31,
    want: ['<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.x'],
  },
  'a fraction where a whole number of some size must be': {
    x: { type: 'integer', format: 'int32' },
    value: 1.5,
    want: [
      'spec.x: Invalid value: "float64": spec.x in body must be of type int32: "float64"',
      '<nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.x',
    ],
  },
  'a whole number off a step below one': {
    x: { type: 'number', multipleOf: 0.5 },
    value: 2,
    want: ['spec.x: Invalid value: 0: factor MultipleOf declared for spec.x must be positive: 0'],
  },
  'what is there twice after what else is wrong': {
    x: {
      type: 'object',
      properties: { a: { type: 'array', 'x-kubernetes-list-type': 'set', items: {} }, b: { type: 'string' } },
    },
    value: { a: [1, 1], b: 2 },
    want: [
      'spec.x.b: Invalid value: "integer": spec.x.b in body must be of type string: "integer"',
      'spec.x.a[1]: Duplicate value: 1',
    ],
  },
  'a number off its step': {
    x: { type: 'integer', multipleOf: 4 },
    value: 6,
    want: ['spec.x: Invalid value: 6: spec.x in body should be a multiple of 4'],
  },
  'too many items': {
    x: { type: 'array', maxItems: 1, items: {} },
    value: [1, 2],
    want: ['spec.x: Too many: 2: must have at most 1 item'],
  },
  'too few items': {
    x: { type: 'array', minItems: 1, items: {} },
    value: [],
    want: ['spec.x: Invalid value: 0: spec.x in body should have at least 1 items'],
  },
  'too many members': {
    x: { type: 'object', maxProperties: 1, additionalProperties: {} },
    value: { a: 1, b: 1 },
    want: ['spec.x: Too many: 2: must have at most 1 item'],
  },
  'an absent member that is required': {
    x: { type: 'object', required: ['a'], properties: { a: {} } },
    value: {},
    want: ['spec.x.a: Required value'],
  },
  'a repeated item of a set, once': {
    x: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    value: ['a', 'b', 'a', 'a'],
    want: ['spec.x[2]: Duplicate value: "a"'],
  },
  'a repeated key of a list-map': {
    x: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string' }, v: {} } },
    },
    value: [{ name: 'a', v: 1 }, { name: 'a' }],
    want: ['spec.x[1]: Duplicate value: {"name":"a"}'],
  },
  'a malformed time': {
    x: { type: 'string', format: 'date-time' },
    value: '2026-02-30T00:00:00Z',
    want: [
      'spec.x: Invalid value: "2026-02-30T00:00:00Z": spec.x in body must be of type date-time: "2026-02-30T00:00:00Z"',
    ],
  },
  'no alternative of anyOf': {
    x: { type: 'string', anyOf: [{ minLength: 3 }, { pattern: '^a$' }] },
    value: 'b',
    want: [
      '<nil>: Invalid value: "": "spec.x" must validate at least one schema (anyOf)',
      'spec.x: Invalid value: "b": spec.x in body should be at least 3 chars long',
    ],
  },
  'two alternatives of oneOf': {
    x: { type: 'object', properties: { a: {}, b: {} }, oneOf: [{ required: ['a'] }, { required: ['b'] }] },
    value: { a: 1, b: 1 },
    want: [
      '<nil>: Invalid value: "": "spec.x" must validate one and only one schema (oneOf). Found 2 valid alternatives',
    ],
  },
  'what not forbids': {
    x: { type: 'string', not: { enum: ['a'] } },
    value: 'a',
    want: ['<nil>: Invalid value: "": "spec.x" must not validate the schema (not)'],
  },
  'an embedded resource without its type': {
    x: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
    value: { metadata: { labels: { a: 1 } } },
    want: [
      'spec.x.metadata.labels.a: Invalid value: "integer": spec.x.metadata.labels.a in body must be of type string: "integer"',
      'spec.x.apiVersion: Required value',
      'spec.x.kind: Required value',
    ],
  },
}
for (const [name, { x, value, want }] of Object.entries(validateCases)) {
  test(`validation refuses ${name}`, () => {
    assert.deepEqual(
      compileSchema(ofField(x))
        .validate(object({ x: value }))
        .map(formatFieldError),
      want,
    )
  })
}

const fineCases: Record<string, { x: StructuralSchema; value: unknown }> = {
  'a whole float for an integer': { x: { type: 'integer' }, value: 2 },
  'an integer for a number': { x: { type: 'number', format: 'double' }, value: 2 },
  'both forms of int-or-string': {
    x: { type: 'array', items: { 'x-kubernetes-int-or-string': true } },
    value: [1, '1%'],
  },
  'an allowed null': { x: { type: 'string', nullable: true }, value: null },
  'a length in code points': { x: { type: 'string', maxLength: 1 }, value: '😀' },
  'a Go duration': { x: { type: 'string', format: 'duration' }, value: '1h30m' },
  'an unknown format': { x: { type: 'string', format: 'quantum' }, value: 'x' },
  'what the schema says nothing of': { x: { 'x-kubernetes-preserve-unknown-fields': true }, value: { a: [null] } },
}
for (const [name, { x, value }] of Object.entries(fineCases)) {
  test(`validation accepts ${name}`, () => {
    assert.deepEqual(compileSchema(ofField(x)).validate(object({ x: value })), [])
  })
}
