import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isFault } from '#base/fault.ts'
import { parseDocuments } from './documents.ts'

const booster = `# a comment
apiVersion: workload.serving.volcano.sh/v1alpha1
kind: ModelBooster
metadata:
  name: chat
spec:
  backends:
    - name: a
    - {name: b, minReplicas: yes}
`

test('a field is found at its line and column, one that is missing at its parent', () => {
  const [document] = parseDocuments(booster, 'x.yaml')
  assert.equal(document?.at('spec.backends[1].minReplicas'), 'x.yaml:9:30')
  assert.equal(document.at('metadata.name'), 'x.yaml:5:9')
  assert.equal(document.at('spec.backends[0].type'), 'x.yaml:8:7')
})

test('YAML 1.1 is read, as kubectl reads it', () => {
  const [document] = parseDocuments(booster, 'x.yaml')
  const backends = document?.object.spec?.['backends'] as { minReplicas?: unknown }[]
  assert.equal(backends[1]?.minReplicas, true)
})

test('many documents and Lists give their objects in order, with positions of their own', () => {
  const list = `---\n${booster}---\napiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: p\n---\n`
  const documents = parseDocuments(list, 'l.yaml')
  assert.deepEqual(
    documents.map(({ object }) => object.kind),
    ['ModelBooster', 'Pod'],
  )
  assert.equal(documents[1]?.at('metadata.name'), 'l.yaml:18:11')
})

const wrong: Record<string, { text: string; want: RegExp }> = {
  'bad YAML': { text: 'a: [1', want: /^x\.yaml:\d+:\d+: not valid YAML: / },
  'a key given twice': {
    text: 'apiVersion: v1\napiVersion: v1\n',
    want: /x\.yaml:2:1: not valid YAML: Map keys must be unique/,
  },
  'no kind': { text: 'apiVersion: v1\nmetadata: {}\n', want: /x\.yaml:1:1: kind is missing: write for instance/ },
  'no apiVersion': { text: 'kind: Pod\n', want: /apiVersion is missing/ },
  'a list at the top': { text: '- a\n', want: /not a Kubernetes object/ },
  'no metadata': { text: 'apiVersion: v1\nkind: Pod\n', want: /metadata is missing/ },
}
for (const [name, { text, want }] of Object.entries(wrong)) {
  test(`${name} is told with its place`, () => {
    assert.throws(
      () => parseDocuments(text, 'x.yaml'),
      (error) => isFault(error, 'invalid') && want.test(error.message),
    )
  })
}

test('no text at all makes the reader throw anything but a fault', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      try {
        parseDocuments(text, 'x.yaml')
      } catch (error) {
        assert.ok(isFault(error, 'invalid'), String(error))
      }
    }),
  )
})
