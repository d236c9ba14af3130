import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { isFault } from '#base/fault.ts'
import { compileJsonPath } from './jsonpath.ts'

const object = {
  metadata: { name: 'x', labels: { 'a.b/c': 'yes' } },
  spec: { replicas: 3, containers: [{ name: 'a', ports: [{ port: 80 }, { port: 81 }] }, { name: 'b' }] },
  status: {
    conditions: [
      { type: 'Ready', status: 'True', n: 1 },
      { type: 'Active', status: 'False', n: 2 },
    ],
  },
}

const cases: Record<string, unknown[]> = {
  '.spec.replicas': [3],
  'spec.replicas': [3],
  '{.spec.replicas}': [3],
  '$.spec.replicas': [3],
  '.spec.missing.deeper': [],
  '.spec.containers[0].name': ['a'],
  '.spec.containers[-1].name': ['b'],
  '.spec.containers[7].name': [],
  '.spec.containers[*].name': ['a', 'b'],
  '.spec.containers[0:1].name': ['a'],
  '.spec.containers[*].ports[*].port': [80, 81],
  '.spec.containers[0,1].name': ['a', 'b'],
  "['spec']['replicas']": [3],
  '.metadata.labels.a\\.b/c': ['yes'],
  ".metadata.labels['a.b/c']": ['yes'],
  '.metadata.labels.*': ['yes'],
  '..port': [80, 81],
  '.status.conditions[?(@.type=="Active")].status': ['False'],
  ".status.conditions[?(@.type == 'Ready')].status": ['True'],
  '.status.conditions[?(@.type!="Active")].status': ['True'],
  '.status.conditions[?(@.n>=2)].type': ['Active'],
  '.status.conditions[?(@.missing)].type': [],
  '.status.conditions[?(@.type=="]")].type': [],
  '.constructor': [],
}
for (const [path, want] of Object.entries(cases)) {
  test(`JSONPath ${path} finds ${JSON.stringify(want)}`, () => assert.deepEqual(compileJsonPath(path)(object), want))
}

for (const path of ['.spec[', '.spec[x]', '.spec[?(@.a=="b"]', '.spec[?(== 1)]', '.spec..']) {
  test(`JSONPath ${path} is refused`, () => {
    assert.throws(
      () => compileJsonPath(path),
      (error) => isFault(error, 'invalid') && error.code === 'BadJsonPath',
    )
  })
}

test('no path makes JSONPath throw anything but a fault', () => {
  const path = fc
    .array(fc.constantFrom('.', '[', ']', '?(', ')', '@', '==', '"', "'", 'a', '*', '0', ':', '-', '\\', '{', '}', ','))
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(path, fc.jsonValue(), (text, document) => {
      try {
        compileJsonPath(text)(document)
      } catch (error) {
        assert.ok(isFault(error, 'invalid'), String(error))
      }
    }),
    { numRuns: 500 },
  )
})
