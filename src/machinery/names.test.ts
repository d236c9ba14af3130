import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from './names.ts'

const cases = {
  subdomain: {
    check: dns1123SubdomainErrors,
    good: ['a', 'a.b-c', '1'],
    bad: ['', 'A', 'a..b', '-a', 'a'.repeat(254)],
  },
  label: { check: dns1123LabelErrors, good: ['a', '1-a'], bad: ['', 'a.b', 'a-', 'a'.repeat(64)] },
  'DNS-1035 label': { check: dns1035LabelErrors, good: ['a', 'a-1'], bad: ['1a', 'a.b', ''] },
  'label value': { check: labelValueErrors, good: ['', 'A_b.c'], bad: ['-', 'a b', 'a'.repeat(64)] },
  'qualified name': {
    check: qualifiedNameErrors,
    good: ['a', 'k.io/A_b'],
    bad: ['', '/a', 'a/', 'K.io/a', 'a/b/c', 'a'.repeat(64)],
  },
}
for (const [name, { check, good, bad }] of Object.entries(cases)) {
  test(`a ${name} is told from what is none`, () => {
    for (const value of good) assert.deepEqual(check(value), [], value)
    for (const value of bad) assert.notDeepEqual(check(value), [], value)
  })
}

test("names are refused in Kubernetes' words", () => {
  assert.deepEqual(dns1123SubdomainErrors('A'), [
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
  ])
  assert.deepEqual(dns1123LabelErrors('a.b'), ['must not contain dots'])
  assert.deepEqual(dns1123LabelErrors('a'.repeat(64)), ['must be no more than 63 characters'])
  assert.match(labelValueErrors(' ')[0] ?? '', /\(e\.g\. 'MyValue',  or 'my_value',  or '12345', regex used/)
})
