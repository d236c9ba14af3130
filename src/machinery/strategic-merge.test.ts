import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { isFault } from '#base/fault.ts'
import { applyStrategicMergePatch } from './strategic-merge.ts'
import type { StructuralSchema } from './structural-schema.ts'

const strings: StructuralSchema = { type: 'array', items: { type: 'string' } }
const schema: StructuralSchema = {
  type: 'object',
  properties: {
    finalizers: { ...strings, 'x-kubernetes-patch-strategy': 'merge' },
    args: strings,
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    strategy: { type: 'object', 'x-kubernetes-patch-strategy': 'retainKeys', properties: { type: { type: 'string' } } },
    whole: { type: 'object', 'x-kubernetes-patch-strategy': 'replace', properties: { a: { type: 'integer' } } },
    containers: {
      type: 'array',
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'name',
      items: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          ports: {
            type: 'array',
            'x-kubernetes-patch-strategy': 'merge',
            'x-kubernetes-patch-merge-key': 'containerPort',
            items: { type: 'object' },
          },
        },
      },
    },
  },
}

const cases: Record<string, { document: unknown; patch: unknown; want: unknown }> = {
  'joins a list by its merge key': {
    document: { containers: [{ name: 'a', image: '1' }, { name: 'b' }] },
    patch: { containers: [{ name: 'b', image: '2' }] },
    want: {
      containers: [
        { name: 'a', image: '1' },
        { name: 'b', image: '2' },
      ],
    },
  },
  'joins lists within joined lists': {
    document: { containers: [{ name: 'a', ports: [{ containerPort: 80, name: 'x' }] }] },
    patch: { containers: [{ name: 'a', ports: [{ containerPort: 81 }, { containerPort: 80, name: 'y' }] }] },
    want: { containers: [{ name: 'a', ports: [{ containerPort: 81 }, { containerPort: 80, name: 'y' }] }] },
  },
  'replaces a list without a strategy': {
    document: { args: ['a', 'b'] },
    patch: { args: ['c'] },
    want: { args: ['c'] },
  },
  'adds to a list of scalars what it lacks': {
    document: { finalizers: ['a', 'b'] },
    patch: { finalizers: ['b', 'c'] },
    want: { finalizers: ['a', 'b', 'c'] },
  },
  'takes scalars out with $deleteFromPrimitiveList': {
    document: { finalizers: ['a', 'b', 'c'] },
    patch: { '$deleteFromPrimitiveList/finalizers': ['a', 'z'] },
    want: { finalizers: ['b', 'c'] },
  },
  'deletes an item with $patch: delete': {
    document: { containers: [{ name: 'a' }, { name: 'b' }] },
    patch: { containers: [{ name: 'a', $patch: 'delete' }] },
    want: { containers: [{ name: 'b' }] },
  },
  'replaces a list with $patch: replace': {
    document: { containers: [{ name: 'a' }, { name: 'b' }] },
    patch: { containers: [{ $patch: 'replace' }, { name: 'c' }] },
    want: { containers: [{ name: 'c' }] },
  },
  'replaces a map with $patch: replace': {
    document: { labels: { a: '1' } },
    patch: { labels: { $patch: 'replace', b: '2' } },
    want: { labels: { b: '2' } },
  },
  'empties a map with $patch: delete': {
    document: { labels: { a: '1' } },
    patch: { labels: { $patch: 'delete' } },
    want: { labels: {} },
  },
  'replaces a map whose strategy says so': {
    document: { whole: { a: 1, b: 2 } },
    patch: { whole: { a: 3 } },
    want: { whole: { a: 3 } },
  },
  'keeps only $retainKeys': {
    document: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } },
    patch: { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
    want: { strategy: { type: 'Recreate' } },
  },
  'orders with $setElementOrder, items of the server staying where they were': {
    document: { containers: [{ name: 'a' }, { name: 'server' }, { name: 'b' }] },
    patch: {
      '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }, { name: 'b' }],
      containers: [{ name: 'c' }],
    },
    want: { containers: [{ name: 'c' }, { name: 'a' }, { name: 'server' }, { name: 'b' }] },
  },
  'orders a list that the patch leaves as it is': {
    document: { finalizers: ['a', 'b'] },
    patch: { '$setElementOrder/finalizers': ['b', 'a'] },
    want: { finalizers: ['b', 'a'] },
  },
  'deletes, then orders': {
    document: { finalizers: ['a', 'b', 'c'] },
    patch: { '$setElementOrder/finalizers': ['c', 'b'], '$deleteFromPrimitiveList/finalizers': ['a'] },
    want: { finalizers: ['c', 'b'] },
  },
  'removes a member with null, and drops nulls and directives of what is new': {
    document: { labels: { a: '1', b: '2' } },
    patch: {
      labels: { a: null },
      strategy: { $retainKeys: ['type'], type: 'x', gone: null },
      containers: [{ name: 'z', $patch: 'delete' }],
    },
    want: { labels: { b: '2' }, strategy: { type: 'x' }, containers: [] },
  },
  'merges maps and replaces lists where the schema is silent': {
    document: { other: { a: 1, list: [1] } },
    patch: { other: { b: 2, list: [2] } },
    want: { other: { a: 1, b: 2, list: [2] } },
  },
}
for (const [name, { document, patch, want }] of Object.entries(cases)) {
  test(`strategic merge ${name}`, () => {
    const before = structuredClone([document, patch])
    assert.deepEqual(applyStrategicMergePatch(document, patch, schema), want)
    assert.deepEqual([document, patch], before)
  })
}

const refused: Record<string, unknown> = {
  'a patch that is no object': [],
  'an unknown directive': { labels: { $patch: 'move' } },
  'an item without its merge key': { containers: [{ image: 'x' }] },
  'scalars among objects': { containers: ['x'] },
  'a member that $retainKeys does not name': { strategy: { $retainKeys: [], type: 'x' } },
  'an item that $setElementOrder does not name': {
    '$setElementOrder/containers': [{ name: 'a' }],
    containers: [{ name: 'q' }],
  },
}
for (const [name, patch] of Object.entries(refused)) {
  test(`strategic merge refuses ${name}`, () => {
    const document = { containers: [{ name: 'a' }], labels: {}, strategy: {} }
    assert.throws(
      () => applyStrategicMergePatch(document, patch, schema),
      (error) => isFault(error, 'invalid'),
    )
  })
}

const item = fc.record({ name: fc.constantFrom('a', 'b', 'c'), image: fc.string() }, { requiredKeys: ['name'] })
const config = fc.record(
  {
    finalizers: fc.uniqueArray(fc.constantFrom('x', 'y', 'z')),
    args: fc.array(fc.string()),
    labels: fc.dictionary(fc.constantFrom('a', 'b'), fc.oneof(fc.string(), fc.constant(null))),
    containers: fc.uniqueArray(item, { selector: ({ name }) => name }),
  },
  { requiredKeys: [] },
)

test('a strategic merge patch applied twice is applied once', () => {
  fc.assert(
    fc.property(config, config, (document, patch) => {
      const once = applyStrategicMergePatch(document, patch, schema)
      assert.deepEqual(applyStrategicMergePatch(once, patch, schema), once)
    }),
  )
})

test('no JSON makes a strategic merge patch throw anything but a fault', () => {
  const name = fc.constantFrom(
    'containers',
    'finalizers',
    'labels',
    '$patch',
    '$retainKeys',
    '$setElementOrder/containers',
    '$deleteFromPrimitiveList/finalizers',
    '__proto__',
    'name',
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue({ maxDepth: 0 }),
      fc.constantFrom('replace', 'delete'),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(value, value, (document, patch) => {
      try {
        applyStrategicMergePatch(document, patch, schema)
      } catch (error) {
        assert.ok(isFault(error, 'invalid'), String(error))
      }
    }),
    { numRuns: 300 },
  )
})
