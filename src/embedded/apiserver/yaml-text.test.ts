import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parse } from 'yaml'
import { yamlText } from './yaml-text.ts'

test('objects are written in blocks', () => {
  const object = { kind: 'A', list: [{ b: 1, a: [] }, 'x'], map: { 'a b': 'yes', e0: {} }, no: null }
  assert.equal(yamlText(object), 'kind: A\nlist:\n- a: []\n  b: 1\n- x\nmap:\n  "a b": "yes"\n  "e0": {}\n"no": null\n')
})

test('whatever is JSON reads back the same', () => {
  const value = fc.jsonValue().filter((json) => !JSON.stringify(json).includes('__proto__'))
  fc.assert(
    fc.property(value, (json) =>
      assert.deepEqual(parse(yamlText(json), { version: '1.1' }), JSON.parse(JSON.stringify(json))),
    ),
  )
})
