import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goPrint, goSyntax, goType } from './go-print.ts'
import { jsonError } from './json-error.ts'

const printed: [value: unknown, plain: string, syntax: string, type: string][] = [
  ['x', 'x', '"x"', 'string'],
  [1, '1', '1', 'int64'],
  [1.5, '1.5', '1.5', 'float64'],
  [true, 'true', 'true', 'bool'],
  [null, '<nil>', 'interface {}(nil)', '<nil>'],
  [['a', 1], '[a 1]', '[]interface {}{"a", 1}', '[]interface {}'],
  [{ b: 1, a: 'x' }, 'map[a:x b:1]', 'map[string]interface {}{"a":"x", "b":1}', 'map[string]interface {}'],
]
for (const [value, plain, syntax, type] of printed) {
  test(`Go prints ${JSON.stringify(value)}`, () => {
    assert.deepEqual([goPrint(value), goSyntax(value), goType(value)], [plain, syntax, type])
  })
}

const broken: Record<string, string> = {
  '': 'unexpected end of JSON input',
  '{"a":': 'unexpected end of JSON input',
  hello: "invalid character 'h' looking for beginning of value",
  "'": "invalid character '\\'' looking for beginning of value",
  '\u009e': "invalid character '\\u009e' looking for beginning of value",
  '\u0001': "invalid character '\\x01' looking for beginning of value",
  '{a:1}': "invalid character 'a' looking for beginning of object key string",
  '{"a" 1}': "invalid character '1' after object key",
  '{"a":1 2}': "invalid character '2' after object key:value pair",
  '{"a":1,}': "invalid character '}' looking for beginning of object key string",
  '[1 2]': "invalid character '2' after array element",
  '[1,]': "invalid character ']' looking for beginning of value",
  '{} x': "invalid character 'x' after top-level value",
  '{"a":tru}': "invalid character '}' in literal true (expecting 'e')",
  '"\\x"': "invalid character 'x' in string escape code",
  '"a\nb"': "invalid character '\\n' in string literal",
  '01': "invalid character '1' after top-level value",
  '-x': "invalid character 'x' in numeric literal",
  '1.x': "invalid character 'x' after decimal point in numeric literal",
}
for (const [text, want] of Object.entries(broken)) {
  test(`Go says of ${JSON.stringify(text)} why it is no JSON`, () => assert.equal(jsonError(text), want))
}

test('what nests too deep is told so, and ends no stack', () => {
  assert.equal(jsonError('['.repeat(20_000)), "invalid character '[' exceeded max depth")
  assert.equal(jsonError(`${'['.repeat(10_000)}${']'.repeat(9_999)}`), 'unexpected end of JSON input')
})
