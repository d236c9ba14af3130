import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Ajv } from 'ajv'
import * as fc from 'fast-check'
import { equalJson } from '#base/json.ts'
import { compileSchema } from './schema.ts'
import type { StructuralSchema } from './structural-schema.ts'

/** Schemas in the subset that JSON Schema and Kubernetes share; member names are few so that values hit them. */
const name = fc.constantFrom('a', 'b', 'c')
const { schema } = fc.letrec<{ schema: StructuralSchema }>((tie) => ({
  schema: fc.oneof(
    { depthSize: 'small' },
    fc.record({ type: fc.constant('boolean' as const) }),
    fc.record(
      {
        type: fc.constantFrom('integer' as const, 'number' as const),
        minimum: fc.integer({ min: -3, max: 1 }),
        maximum: fc.integer({ min: 1, max: 4 }),
        multipleOf: fc.constantFrom(1, 2),
        enum: fc.constant([1, 2]),
        default: fc.constant(1),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record(
      {
        type: fc.constant('string' as const),
        minLength: fc.nat(2),
        maxLength: fc.integer({ min: 1, max: 3 }),
        pattern: fc.constantFrom('^a', 'b$', '[ab]+', '^(?:a|é)*$'),
        enum: fc.constant(['a', 'bb']),
        default: fc.constant('a'),
        anyOf: fc.constant([{ maxLength: 1 }, { pattern: 'b' }]),
        not: fc.constant({ enum: ['bb'] }),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record(
      {
        type: fc.constant('array' as const),
        items: tie('schema'),
        minItems: fc.nat(1),
        maxItems: fc.integer({ min: 1, max: 3 }),
        uniqueItems: fc.boolean(),
      },
      { requiredKeys: ['type', 'items'] },
    ),
    fc.record(
      {
        type: fc.constant('object' as const),
        properties: fc.dictionary(name, tie('schema'), { maxKeys: 3 }),
        required: fc.uniqueArray(name, { maxLength: 2 }),
        minProperties: fc.nat(1),
        maxProperties: fc.integer({ min: 1, max: 3 }),
        oneOf: fc.constant([{ required: ['a'] }, { required: ['b'] }]),
      },
      { requiredKeys: ['type', 'properties'] },
    ),
    tie('schema').map((values): StructuralSchema => ({ type: 'object', additionalProperties: values })),
  ),
}))

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(null, true, 0, 1, 2, -4, 1.5, '', 'a', 'bb', 'aé😀'),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(name, fc.constantFrom('d', '__proto__', 'constructor')), tie('value'), { maxKeys: 4 }),
  ),
})).value

const likelyScalars: Readonly<Record<string, unknown[]>> = { boolean: [true], string: ['a', 'b', 'bb', 'ab', 'é'] }

/** Values that have a chance: mostly of the right types. */
function valueOf(spec: StructuralSchema): fc.Arbitrary<unknown> {
  const { type, properties, additionalProperties, items } = spec
  const likely = (): fc.Arbitrary<unknown> => {
    if (type === 'array') return fc.array(valueOf(items ?? {}), { maxLength: 3 })
    if (typeof additionalProperties === 'object') return fc.dictionary(name, valueOf(additionalProperties))
    if (type !== 'object') return fc.constantFrom(...(likelyScalars[type ?? ''] ?? [1, 2, 0]))
    const members = Object.entries(properties ?? {}).map(([key, below]) => [key, valueOf(below)])
    return fc.record(Object.fromEntries(members) as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] })
  }
  return fc.oneof({ weight: 9, arbitrary: likely() }, { weight: 1, arbitrary: json })
}

const ofSpec = (spec: StructuralSchema): StructuralSchema => ({ type: 'object', properties: { spec } })

test('accepts and refuses what ajv does', () => {
  const ajv = new Ajv({ strict: false, unicodeRegExp: true, logger: false })
  const seen = { accepted: 0, refused: 0 }
  fc.assert(
    fc.property(
      schema.chain((spec) => fc.tuple(fc.constant(spec), valueOf(spec))),
      ([spec, made]) => {
        const value: unknown = JSON.parse(JSON.stringify(made)) // ajv tells objects without a prototype from others
        const want = ajv.validate(spec, value)
        seen[want ? 'accepted' : 'refused']++
        const errors = compileSchema(ofSpec(spec)).validate({ spec: value })
        assert.equal(errors.length === 0, want, JSON.stringify(errors))
      },
    ),
    { numRuns: 1500 },
  )
  assert.ok(seen.accepted > 100 && seen.refused > 100, JSON.stringify(seen))
})

test('no JSON makes it throw; nothing is written to; pruning and defaulting a second time change nothing', () => {
  fc.assert(
    fc.property(schema, fc.oneof(json, fc.jsonValue()), fc.boolean(), (spec, value, whole) => {
      const compiled = compileSchema(ofSpec(spec))
      const given: unknown = whole ? value : { spec: value }
      const before = structuredClone(given)
      const once = compiled.default(compiled.prune(given).value)
      compiled.validate(once, given)
      assert.ok(equalJson(given, before))
      assert.equal(compiled.default(once), once)
      assert.deepEqual(compiled.prune(once), { value: once, unknown: [] })
    }),
    { numRuns: 1500 },
  )
})
