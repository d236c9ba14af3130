import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMillis,
  quantityUnits,
  subtractQuantities,
  tryParseQuantity,
} from './quantity.ts'

const canonical: Record<string, string> = {
  '0': '0',
  '0Gi': '0',
  '1': '1',
  '1000m': '1',
  '1500m': '1500m',
  '0.5': '500m',
  '.5': '500m',
  '5.': '5',
  '1000': '1k',
  '1.5G': '1500M',
  '1024Mi': '1Gi',
  '1.5Gi': '1536Mi',
  '1Ki': '1Ki',
  '0.5Ki': '512',
  '0.0001Ki': '102400u',
  '2e3': '2e3',
  '1E': '1E',
  '100e-3': '100e-3',
  '-250m': '-250m',
  '+3': '3',
  '1n': '1n',
  '0.1n': '1n',
}
for (const [text, want] of Object.entries(canonical)) {
  test(`quantity ${text} is written ${want}`, () => assert.equal(formatQuantity(parseQuantity(text)), want))
}

test('what is no quantity is refused', () => {
  for (const text of ['', 'a', '1 Gi', '1gi', '1KI', '1.2.3', '--1', '.', '1e', 'm', '1'.repeat(300)]) {
    assert.equal(tryParseQuantity(text), undefined, text)
    assert.throws(() => parseQuantity(text), /no quantity/)
  }
})

test('quantities of all formats compare by amount', () => {
  const sorted = ['-1', '0', '1m', '0.5', '999', '1k', '1Ki', '1e6', '1Mi', '1Gi']
  for (let i = 1; i < sorted.length; i++) {
    const [a, b] = [parseQuantity(sorted[i - 1] ?? ''), parseQuantity(sorted[i] ?? '')]
    assert.deepEqual([compareQuantities(a, b), compareQuantities(b, a), compareQuantities(a, a)], [-1, 1, 0])
  }
})

test('sums are exact and keep the first format', () => {
  assert.equal(formatQuantity(addQuantities(parseQuantity('0.1'), parseQuantity('0.2'))), '300m')
  assert.equal(formatQuantity(addQuantities(parseQuantity('1Gi'), parseQuantity('1Mi'))), '1025Mi')
  assert.equal(formatQuantity(addQuantities(parseQuantity('0'), parseQuantity('1Gi'))), '1Gi')
  assert.equal(formatQuantity(subtractQuantities(parseQuantity('1'), parseQuantity('1m'))), '999m')
})

test('units and millis round away from zero', () => {
  assert.deepEqual([quantityUnits(parseQuantity('1500m')), quantityUnits(parseQuantity('-1500m'))], [2n, -2n])
  assert.deepEqual([quantityMillis(parseQuantity('1u')), quantityMillis(parseQuantity('2'))], [1n, 2000n])
})

test('the canonical form reads back to the same amount and is its own canonical form', () => {
  const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'Ki', 'Mi', 'Gi', 'e2', 'e-2')
  fc.assert(
    fc.property(fc.integer(), fc.nat(999), suffix, (whole, fraction, unit) => {
      const quantity = parseQuantity(`${whole}.${fraction}${unit}`)
      const text = formatQuantity(quantity)
      assert.equal(parseQuantity(text).nanos, quantity.nanos)
      assert.equal(formatQuantity(parseQuantity(text)), text)
    }),
  )
})
