import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { Kind } from '#machinery/kind.ts'
import type { StructuralSchema } from '#machinery/structural-schema.ts'
import { crdOf } from './crd.ts'
import { legacyKinds } from './family-kinds.ts'
import { ownKinds } from './kinds.ts'
import { ModelServing } from './model-serving.ts'
import { lintSchema } from './schema-lint.ts'

function published(kind: Kind): string {
  const folder = ownKinds.includes(kind) ? 'crd' : 'matrixinfer'
  return readFileSync(join(import.meta.dirname, `../../config/${folder}/${kind.group}_${kind.plural}.yaml`), 'utf8')
}

for (const kind of [...ownKinds, ...legacyKinds]) {
  test(`the published definition of ${kind.kind} is the one in the code`, () => {
    assert.deepEqual(parse(published(kind)), JSON.parse(JSON.stringify(crdOf(kind))))
  })
  test(`the definition of ${kind.kind} fits into an annotation`, () => {
    assert.ok(published(kind).length < 250_000)
  })
  test(`the schema of ${kind.kind} is structural and says what each field is for`, () => {
    assert.deepEqual(lintSchema(kind.schema()), [])
  })
}

test('a ModelServing scales', () => {
  assert.deepEqual(crdOf(ModelServing).spec.versions[0]?.subresources, {
    status: {},
    scale: {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      labelSelectorPath: '.status.labelSelector',
    },
  })
})

/** `a.b[].c` from the schema of a whole object. */
function at(schema: StructuralSchema, path: string): StructuralSchema {
  let node: StructuralSchema | undefined = schema
  for (const step of path.split('.')) {
    const name = step.replace('[]', '')
    node = node?.properties?.[name]
    if (step.endsWith('[]')) node = node?.items
  }
  assert.ok(node, `no ${path}`)
  return node
}

const lists: Record<string, readonly string[]> = {
  'spec.containers': ['name'],
  'spec.initContainers': ['name'],
  'spec.volumes': ['name'],
  'spec.containers[].env': ['name'],
  'spec.containers[].ports': ['containerPort', 'protocol'],
  'spec.containers[].volumeMounts': ['mountPath'],
}
for (const template of ['entryTemplate', 'workerTemplate']) {
  for (const [path, keys] of Object.entries(lists)) {
    test(`apply merges ${path} of ${template} item by item`, () => {
      const list = at(ModelServing.schema(), `spec.template.roles[].${template}.${path}`)
      assert.equal(list['x-kubernetes-list-type'], 'map')
      assert.deepEqual(list['x-kubernetes-list-map-keys'], keys)
    })
  }
}

const faults: Record<string, { schema: StructuralSchema; want: RegExp }> = {
  'a level without a type': { schema: { properties: { a: { description: 'x' } } }, want: /^\.a: has no type/ },
  'a field without a word': {
    schema: {
      type: 'object',
      properties: { spec: { type: 'object', description: 'x', properties: { a: { type: 'string' } } } },
    },
    want: /^\.spec\.a: has no description/,
  },
  'a list of nothing': { schema: { type: 'array' }, want: /has no items/ },
  'a key that may be missing': {
    schema: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: { type: 'string', description: 'x' } } },
    },
    want: /the key name is neither required nor defaulted/,
  },
  'a word that structural schemas do not have': {
    schema: { type: 'object', oneOf: [{ required: ['a'] }] },
    want: /has no oneOf/,
  },
  'a rule about a field that is not there': {
    schema: {
      type: 'object',
      properties: { a: { type: 'string', description: 'x' } },
      'x-kubernetes-validations': [{ rule: `self.b == ''`, message: 'x' }],
    },
    want: /does not compile/,
  },
  'a rule that keeps its reason to itself': {
    schema: { type: 'object', 'x-kubernetes-validations': [{ rule: 'true' }] },
    want: /without a message/,
  },
}
for (const [name, { schema, want }] of Object.entries(faults)) {
  test(`${name} is not published`, () => {
    assert.ok(
      lintSchema(schema).some((complaint) => want.test(complaint)),
      JSON.stringify(lintSchema(schema)),
    )
  })
}
