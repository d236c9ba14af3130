import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModelBooster } from '#api/model-booster.ts'
import { unknownDetail } from './spelling.ts'

const meant: Record<string, string | undefined> = {
  'spec.backends[0].modelUri': 'modelURI',
  'spec.backends[0].minReplica': 'minReplicas',
  'spec.backend.workers[3].imgae': 'image',
  'spec.backends[0].env[0].valeu': 'value',
  'spec.backends[0].resources': undefined,
  'spec.backends[0].x': undefined,
  'metadata.label': 'labels',
  spce: 'spec',
  'spec.nowhere.name': undefined,
}
for (const [field, name] of Object.entries(meant)) {
  test(`${field} ${name === undefined ? 'is like no other field there' : `may be meant to be ${name}`}`, () => {
    const said = unknownDetail(field, ModelBooster.schema())
    assert.equal(
      said,
      `unknown field: ${name === undefined ? 'check its spelling and its place' : `did you mean ${name}?`}`,
    )
  })
}
