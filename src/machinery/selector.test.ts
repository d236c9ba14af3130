import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isFault } from '#base/fault.ts'
import { formatLabelSelector, labelRequirements, matchesFields, matchesLabels, parseFieldSelector } from './selector.ts'
import { selectorErrors } from './label-selector.ts'
import { parseLabelSelector } from './selector-parse.ts'

const labels = { a: 'x', b: 'y', n: '5', 'k.io/c': '' }
const selectors: Record<string, boolean> = {
  '': true,
  'a=x': true,
  'a==x,b=y': true,
  'a = x , b!=z': true,
  'a!=x': false,
  'absent!=x': true,
  'a in (x,y),b notin (x)': true,
  'absent in (x)': false,
  'absent notin (x)': true,
  a: true,
  absent: false,
  '!absent': true,
  '!a': false,
  'k.io/c=': true,
  'k.io/c in (,z)': true,
  'n>4': true,
  'n<5': false,
  'a>4': false,
  'in in (x)': false,
}
for (const [text, want] of Object.entries(selectors)) {
  test(`label selector "${text}" ${want ? 'matches' : 'does not match'}`, () => {
    const requirements = parseLabelSelector(text)
    assert.equal(matchesLabels(requirements, labels), want)
    const again = parseLabelSelector(formatLabelSelector(requirements))
    assert.equal(matchesLabels(again, labels), want, 'its printed form means the same')
  })
}

for (const text of ['a=b=c', 'a in x', 'a in (x', '!a=b', '=', 'a,', 'a b', 'a=b c', '-a', 'a=-', 'a>x', 'a/b/c']) {
  test(`label selector "${text}" is refused`, () => {
    assert.throws(
      () => parseLabelSelector(text),
      (error) => isFault(error, 'invalid'),
    )
  })
}

const refusals: Record<string, string> = {
  'a in (': "unable to parse requirement: found '', expected: ',', ')' or identifier",
  'a in x': "unable to parse requirement: found 'x' expected: '('",
  'a b': "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
  'a,': "found '', expected: identifier after ','",
  'a=b c': "found 'c', expected: ',' or 'end of string'",
  'a>x':
    "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
}
for (const [text, want] of Object.entries(refusals)) {
  test(`of "${text}" it is said why it is no selector`, () => {
    assert.throws(() => parseLabelSelector(text), { message: want })
  })
}

test('a selector in an object is refused by field', () => {
  const wrong = {
    matchLabels: { '-': 'a' },
    matchExpressions: [
      { key: 'a', operator: 'In' },
      { key: 'b', operator: 'Like' },
    ],
  }
  assert.deepEqual(
    selectorErrors('s', wrong).map(({ field, type }) => `${field} ${type}`),
    [
      's.matchLabels FieldValueInvalid',
      's.matchExpressions[0].values FieldValueRequired',
      's.matchExpressions[1].operator FieldValueInvalid',
    ],
  )
})

test('any text is read as a selector or refused as invalid', () => {
  const piece = fc.constantFrom('a', 'in', 'notin', ' ', ',', '=', '!', '(', ')', '>', 'é', '\\', 'k/')
  fc.assert(
    fc.property(
      fc.array(piece).map((pieces) => pieces.join('')),
      (text) => {
        for (const parse of [parseLabelSelector, parseFieldSelector]) {
          try {
            parse(text)
          } catch (error) {
            assert.ok(isFault(error, 'invalid'), text)
          }
        }
      },
    ),
  )
})

test('the object form joins labels and expressions', () => {
  const requirements = labelRequirements({
    matchLabels: { a: 'x' },
    matchExpressions: [
      { key: 'b', operator: 'In', values: ['y', 'z'] },
      { key: 'absent', operator: 'DoesNotExist' },
    ],
  })
  assert.equal(matchesLabels(requirements, labels), true)
  assert.equal(matchesLabels(requirements, { a: 'x' }), false)
  assert.throws(() => labelRequirements({ matchExpressions: [{ key: 'a', operator: 'Like' }] }), /operator/)
  assert.throws(() => labelRequirements({ matchExpressions: [{ key: 'a', operator: 'In' }] }), /can't be empty/)
})

test('field selectors compare text', () => {
  const valueAt = (path: string) => ({ 'metadata.name': 'x', 'spec.nodeName': 'n,1' })[path] ?? ''
  const cases: Record<string, boolean> = {
    'metadata.name=x': true,
    'metadata.name==x,spec.nodeName!=other': true,
    'spec.nodeName=n\\,1': true,
    'status.phase=': true,
    'metadata.name!=x': false,
    '': true,
  }
  for (const [text, want] of Object.entries(cases)) {
    assert.equal(matchesFields(parseFieldSelector(text), valueAt), want, text)
  }
  assert.throws(() => parseFieldSelector('metadata.name'), /can't understand/)
  assert.throws(() => parseFieldSelector('a=b=c'), /unescaped character in value: 61/)
  assert.throws(() => parseFieldSelector('a=b\\c'), /invalid escape sequence: \\c/)
})
