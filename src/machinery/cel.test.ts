import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkRule, ruleErrors } from './cel.ts'
import { formatFieldError } from './field-error.ts'
import { compileSchema } from './schema.ts'
import type { StructuralSchema, ValidationRule } from './structural-schema.ts'

const text: StructuralSchema = { type: 'string' }
const count: StructuralSchema = { type: 'integer' }

const everything = {
  type: 'object',
  properties: {
    n: count,
    m: count,
    d: { type: 'number' },
    s: text,
    b: { type: 'boolean' },
    either: { 'x-kubernetes-int-or-string': true },
    maybe: { type: 'string', nullable: true },
    time: { type: 'string', format: 'date-time' },
    wait: { type: 'string', format: 'duration' },
    'my-name.x/y': text,
    namespace: text,
    list: { type: 'array', items: text },
    numbers: { type: 'array', items: count },
    items: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', properties: { name: text, n: count } },
    },
    map: { type: 'object', additionalProperties: count },
    inner: { type: 'object', properties: { a: text, b: text } },
  },
} as const satisfies StructuralSchema

const value = {
  n: 3,
  m: 3,
  d: 2,
  s: 'hello',
  b: true,
  either: '25%',
  maybe: null,
  time: '2026-01-01T00:00:00Z',
  wait: '90s',
  'my-name.x/y': 'dashed',
  namespace: 'ns',
  list: ['b', 'a', 'a'],
  numbers: [1, 2, 3],
  items: [{ name: 'a', n: 1 }, { name: 'b' }],
  map: { 'k-1': 1, k2: 2 },
  inner: { a: 'x' },
}

const rules: Record<string, boolean> = {
  'self.n == 3': true,
  'self.n + 1 > self.m': true,
  'self.n / 2 == 1': true,
  'self.d == 2.0': true,
  'self.d / 4.0 == 0.5': true,
  'has(self.inner) && !has(self.inner.b)': true,
  '!has(self.absent)': true,
  '(has(self.inner.a) ? 1 : 0) + (has(self.inner.b) ? 1 : 0) == 1': true,
  "type(self.either) == string ? self.either.endsWith('%') : self.either > 0": true,
  'self.maybe == null': true,
  "self.time > timestamp('2025-01-01T00:00:00Z')": true,
  "self.wait == duration('1m30s')": true,
  "self.my__dash__name__dot__x__slash__y == 'dashed'": true,
  "self.__namespace__ == 'ns'": true,
  'self.numbers.all(x, x > 0)': true,
  'self.numbers.exists_one(x, x == 2)': true,
  'self.numbers.map(x, x * 2).sum() == 12': true,
  'self.numbers.isSorted() && !self.list.isSorted()': true,
  'self.numbers.min() == 1 && self.numbers.max() == 3': true,
  "self.list.indexOf('a') == 1 && self.list.lastIndexOf('a') == 2 && self.list.indexOf('z') == -1": true,
  "self.items.filter(x, has(x.n)).map(x, x.name) == ['a']": true,
  "self.items.exists(x, x.name == 'b')": true,
  "self.map.all(k, self.map[k] > 0) && 'k-1' in self.map && self.map['k2'] == 2": true,
  'size(self.map) == 2 && self.list.size() == 3': true,
  "self.s.matches('^h[a-z]+o$')": true,
  "self.s.matches('l{3}')": false,
  "self.s in ['hello', 'bye']": true,
  "self.s.find('l+') == 'll' && 'a1b22'.findAll('[0-9]+') == ['1', '22']": true,
  "self.s.upperAscii() == 'HELLO' && self.s.charAt(1) == 'e' && self.s.replace('l', 'L', 1) == 'heLlo'": true,
  "'a,b'.split(',').join('-') == 'a-b' && ' x '.trim() == 'x' && self.s.substring(1, 3) == 'el'": true,
  "self.s.indexOf('l') == 2 && self.s.lastIndexOf('l') == 3": true,
  "quantity('1Gi').isGreaterThan(quantity('1G')) && quantity('500m').add(quantity('1')).compareTo(quantity('1500m')) == 0": true,
  "isQuantity('1.5Gi') && !isQuantity('x') && quantity('2k').asInteger() == 2000": true,
  "url('https://a.b:80/c?d=e').getHost() == 'a.b:80' && isURL('/p') && !isURL('p')": true,
  "!format.dns1123Label().validate(self.s).hasValue() && format.dns1123Label().validate('A').hasValue()": true,
  "sets.contains(self.list, ['a']) && sets.equivalent(['a', 'b'], self.list)": true,
  "self.?inner.?b.orValue('none') == 'none'": true,
  "cel.bind(x, self.n, x * x) == 9 && 'matches(' != self.s": true,
  'dyn(self.n) == 3': true,
}
for (const [rule, want] of Object.entries(rules)) {
  test(`rule ${rule} is ${want}`, () => {
    const schema = { ...everything, 'x-kubernetes-validations': [{ rule }] }
    const errors = ruleErrors(value, undefined, schema).map(formatFieldError)
    assert.deepEqual(errors, want ? [] : [`: Invalid value: failed rule: ${rule}`])
    if (!rule.includes('absent')) assert.equal(checkRule(everything, { rule }), undefined, 'and passes the type check')
  })
}

const spec = (schema: StructuralSchema): StructuralSchema => ({ type: 'object', properties: { spec: schema } })
const judged = (schema: StructuralSchema, now: unknown, old?: unknown): string[] =>
  compileSchema(spec(schema))
    .validate({ spec: now }, old === undefined ? undefined : { spec: old })
    .map(formatFieldError)

const messages: Record<string, { rule: ValidationRule; want: string }> = {
  'the rule itself': { rule: { rule: ' self > 5 ' }, want: 'spec.n: Invalid value: 3: failed rule: self > 5' },
  'its message': { rule: { rule: 'self > 5', message: 'more' }, want: 'spec.n: Invalid value: 3: more' },
  'its messageExpression': {
    rule: { rule: 'self > 5', message: 'more', messageExpression: "'have ' + string(self)" },
    want: 'spec.n: Invalid value: 3: have 3',
  },
  'its message where the messageExpression fails': {
    rule: { rule: 'self > 5', message: 'more', messageExpression: 'string(1 / (self - 3))' },
    want: 'spec.n: Invalid value: 3: more',
  },
  'its reason': {
    rule: { rule: 'self > 5', message: 'more', reason: 'FieldValueForbidden' },
    want: 'spec.n: Forbidden: more',
  },
  'why it could not run': {
    rule: { rule: '1 / (self - 3) > 5' },
    want: 'spec.n: Invalid value: "integer": division by zero evaluating rule: 1 / (self - 3) > 5',
  },
}
for (const [name, { rule, want }] of Object.entries(messages)) {
  test(`a broken rule tells ${name}`, () => {
    const n = { ...count, 'x-kubernetes-validations': [rule] }
    assert.deepEqual(judged({ type: 'object', properties: { n } }, { n: 3 }), [want])
  })
}

const ofWhole: Record<string, { rules: readonly ValidationRule[]; want: string }> = {
  'the members that any of them names': {
    rules: [{ rule: 'self.n > 0' }, { rule: 'self.s.size() < 2' }],
    want: 'spec: Invalid value: failed rule: self.s.size() < 2',
  },
  'the members that a message alone names': {
    rules: [{ rule: 'self.n > 5', messageExpression: 'self.s' }],
    want: 'spec: Invalid value: hello',
  },
  'all members where one of them takes the object as it is': {
    rules: [{ rule: 'self.n > 0' }, { rule: '[self].exists(each, each.s == "")', message: 'whole' }],
    want: 'spec: Invalid value: whole',
  },
  'those of the former object too': {
    rules: [{ rule: 'self.n == 3 && oldSelf.s != "hello"', message: 'moved' }],
    want: 'spec: Invalid value: moved',
  },
}
for (const [name, { rules, want }] of Object.entries(ofWhole)) {
  test(`rules of one object see ${name}`, () => {
    assert.deepEqual(judged({ ...everything, 'x-kubernetes-validations': rules }, value, { ...value }), [want])
  })
}

test('a rule may point at a field below', () => {
  const rule: ValidationRule = { rule: 'false', message: 'no', fieldPath: '.inner.a', reason: 'FieldValueRequired' }
  assert.deepEqual(judged({ ...everything, 'x-kubernetes-validations': [rule] }, value), [
    'spec.inner.a: Required value: no',
  ])
})

test('rules do not run on what breaks the rest of the schema, and that is said', () => {
  const schema: StructuralSchema = {
    type: 'object',
    properties: { n: count },
    'x-kubernetes-validations': [{ rule: 'self.n > 0' }],
  }
  const errors = judged(schema, { n: 'x' })
  assert.equal(errors.length, 2)
  assert.match(errors[1] ?? '', /some validation rules were not checked/)
})

test('a transition rule runs on updates only', () => {
  const n = { ...count, 'x-kubernetes-validations': [{ rule: 'self >= oldSelf', message: 'must not shrink' }] }
  const schema: StructuralSchema = { type: 'object', properties: { n } }
  assert.deepEqual(judged(schema, { n: 1 }), [])
  assert.deepEqual(judged(schema, { n: 1 }, {}), [])
  assert.deepEqual(judged(schema, { n: 1 }, { n: 1 }), [])
  assert.deepEqual(judged(schema, { n: 1 }, { n: 2 }), ['spec.n: Invalid value: 1: must not shrink'])
})

test('an optional oldSelf is there on creation too', () => {
  const rule = { rule: 'oldSelf.hasValue() || self == 1', optionalOldSelf: true }
  const schema: StructuralSchema = {
    type: 'object',
    properties: { n: { ...count, 'x-kubernetes-validations': [rule] } },
  }
  assert.deepEqual(judged(schema, { n: 2 }).length, 1)
  assert.deepEqual(judged(schema, { n: 2 }, { n: 5 }), [])
  assert.equal(checkRule(count, rule), undefined)
})

test('items of a list-map meet their former selves by key, items of other lists have none', () => {
  const item: StructuralSchema = {
    type: 'object',
    properties: { name: text, n: count },
    'x-kubernetes-validations': [{ rule: 'self.n == oldSelf.n', message: 'immutable' }],
  }
  const list: StructuralSchema = { type: 'array', items: item }
  const map: StructuralSchema = { ...list, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] }
  const old = [
    { name: 'a', n: 1 },
    { name: 'b', n: 2 },
  ]
  const now = [
    { name: 'b', n: 3 },
    { name: 'a', n: 1 },
    { name: 'c', n: 9 },
  ]
  assert.deepEqual(judged(map, now, old), ['spec[0]: Invalid value: immutable'])
  assert.deepEqual(judged(list, now, old), [])
})

test('rules run in maps and lists, with the path of each value', () => {
  const positive = { ...count, 'x-kubernetes-validations': [{ rule: 'self > 0', message: 'positive' }] }
  const schema: StructuralSchema = {
    type: 'object',
    properties: {
      map: { type: 'object', additionalProperties: positive },
      list: { type: 'array', items: positive },
    },
  }
  assert.deepEqual(judged(schema, { map: { 'a.b': 0 }, list: [1, -1] }), [
    'spec.map[a.b]: Invalid value: 0: positive',
    'spec.list[1]: Invalid value: -1: positive',
  ])
})

const wrongRules: Record<string, { rule: ValidationRule; root?: boolean; want: RegExp }> = {
  'an unknown field': { rule: { rule: 'self.typo == 1' }, want: /No such key: typo/ },
  'an unknown field in a list': { rule: { rule: 'self.items.all(x, x.typo == 1)' }, want: /No such key: typo/ },
  'an unknown field in has()': { rule: { rule: '!has(self.inner.typo)' }, want: /No such key: typo/ },
  'types that do not compare': { rule: { rule: 'self.n == self.s' }, want: /no such overload/ },
  'a rule that is no condition': { rule: { rule: 'self.n' }, want: /must be bool, is int/ },
  'bad syntax': { rule: { rule: 'self.n ==' }, want: /./ },
  'an unknown function': { rule: { rule: 'self.s.frobnicate()' }, want: /found no matching overload/ },
  'a message that is no text': {
    rule: { rule: 'true', messageExpression: 'self.n' },
    want: /messageExpression: must be string/,
  },
  'metadata beyond the names': { rule: { rule: 'has(self.metadata.labels)' }, root: true, want: /No such key: labels/ },
}
for (const [name, { rule, root, want }] of Object.entries(wrongRules)) {
  test(`the build finds ${name}`, () => assert.match(checkRule(everything, rule, root ?? false) ?? '', want))
}

test('a pattern that would backtrack for ever is answered at once', () => {
  const s = { ...text, 'x-kubernetes-validations': [{ rule: "self.matches('^(a+)+$')" }] }
  assert.equal(judged({ type: 'object', properties: { s } }, { s: `${'a'.repeat(40)}!` }).length, 1)
})
