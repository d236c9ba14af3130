import assert from 'node:assert/strict'
import test from 'node:test'
import type { Kind, PrinterColumn } from './kind.ts'
import type { AnyResource } from './meta.ts'
import { ageOf, formatAge, printTable, tableOf } from './table.ts'

const second = 1_000
const hour = 3_600 * second
const day = 24 * hour

const ages: readonly (readonly [durationMs: number, text: string])[] = [
  [-5 * second, '<invalid>'],
  [-second, '0s'],
  [0, '0s'],
  [5_900, '5s'],
  [119 * second, '119s'],
  [120 * second, '2m'],
  [200 * second, '3m20s'],
  [10 * 60 * second, '10m'],
  [179 * 60 * second, '179m'],
  [3 * hour, '3h'],
  [3.5 * hour, '3h30m'],
  [8 * hour + 60 * second, '8h'],
  [47 * hour, '47h'],
  [51 * hour, '2d3h'],
  [8 * day + hour, '8d'],
  [729 * day, '729d'],
  [730 * day, '2y'],
  [1000 * day, '2y270d'],
  [3000 * day, '8y'],
]
for (const [durationMs, text] of ages) {
  test(`an age of ${durationMs / second} seconds reads ${text}`, () => assert.equal(formatAge(durationMs), text))
}

test('the age of nothing is unknown, of nonsense invalid', () => {
  assert.equal(ageOf(undefined, 0), '<unknown>')
  assert.equal(ageOf('yesterday', 0), '<invalid>')
  assert.equal(ageOf('1970-01-01T00:00:00Z', 5 * second), '5s')
})

function kindWith(columns: readonly PrinterColumn[]): Kind {
  return {
    group: 'example.com',
    version: 'v1',
    kind: 'Widget',
    plural: 'widgets',
    singular: 'widget',
    listKind: 'WidgetList',
    shortNames: [],
    categories: [],
    namespaced: true,
    status: true,
    columns,
    builtin: false,
    schema: () => ({ type: 'object' }),
  }
}

const widget: AnyResource = {
  apiVersion: 'example.com/v1',
  kind: 'Widget',
  metadata: { name: 'w', namespace: 'n', creationTimestamp: '2026-01-01T00:00:00Z' },
  spec: { replicas: 3, ratio: 0.5, on: true, size: '10Gi', tags: ['a', 'b'], zero: 0 },
}
const nowMs = Date.parse('2026-01-01T00:03:20Z')

test('a kind without columns has a name and an age', () => {
  const table = tableOf(kindWith([]), [widget], {
    includeObject: 'Metadata',
    nowMs,
    metadata: { resourceVersion: '7' },
  })
  assert.deepEqual(
    table.columnDefinitions.map(({ name, type, format, priority }) => [name, type, format, priority]),
    [
      ['Name', 'string', 'name', 0],
      ['Age', 'date', '', 0],
    ],
  )
  assert.deepEqual(table.rows, [
    {
      cells: ['w', '3m20s'],
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: widget.metadata },
    },
  ])
  assert.deepEqual(table.metadata, { resourceVersion: '7' })
})

test('a cell has the type of its column, or is null', () => {
  const cells: readonly (readonly [PrinterColumn['type'], string, unknown])[] = [
    ['integer', '.spec.replicas', 3],
    ['integer', '.spec.ratio', 0],
    ['integer', '.spec.zero', 0],
    ['integer', '.spec.size', null],
    ['number', '.spec.ratio', 0.5],
    ['boolean', '.spec.on', true],
    ['boolean', '.spec.replicas', null],
    ['string', '.spec.replicas', '3'],
    ['string', '.spec.tags', '["a","b"]'],
    ['string', '.spec.missing', null],
    ['date', '.metadata.creationTimestamp', '3m20s'],
    ['date', '.spec.size', '<invalid>'],
    ['date', '.metadata.deletionTimestamp', null],
  ]
  const kind = kindWith(cells.map(([type, jsonPath]) => ({ name: 'X', type, jsonPath })))
  const [row] = tableOf(kind, [widget], { includeObject: 'None', nowMs }).rows
  assert.deepEqual(
    row?.cells.slice(1),
    cells.map(([, , want]) => want),
  )
  assert.equal(row?.object, null)
})

test('a column without a description tells its path; whole objects come when asked for', () => {
  const table = tableOf(kindWith([{ name: 'R', type: 'integer', jsonPath: '.spec.replicas', priority: 1 }]), [widget], {
    includeObject: 'Object',
    nowMs,
  })
  const description = 'Custom resource definition column (in JSONPath format): .spec.replicas'
  assert.deepEqual(table.columnDefinitions[1], { name: 'R', type: 'integer', format: '', description, priority: 1 })
  assert.equal(table.rows[0]?.object, widget)
})

test('computed columns take the place of JSON paths', () => {
  const table = tableOf(kindWith([]), [widget], {
    includeObject: 'None',
    nowMs,
    computed: { columns: [{ name: 'Ready', type: 'string' }], cells: (object) => [`0/${object.kind.length}`] },
  })
  assert.deepEqual(
    table.columnDefinitions.map(({ name }) => name),
    ['Name', 'Ready'],
  )
  assert.deepEqual(table.rows[0]?.cells, ['w', '0/6'])
})

test('a printed table is padded, ends no line in spaces, and lets no cell break it', () => {
  const columns = [{ name: 'Name' }, { name: 'Node', priority: 1 }, { name: 'Message' }, { name: 'Age' }]
  const rows = [
    ['a', 'n1', 'two\nlines\u001b[31m', '5s'],
    ['longer', 'n2', null, ''],
  ]
  assert.equal(
    printTable(columns, rows),
    'NAME     MESSAGE          AGE\na        two lines [31m   5s\nlonger   <none>\n',
  )
  assert.equal(
    printTable(columns, rows, { wide: true, headers: false }),
    'a        n1   two lines [31m   5s\nlonger   n2   <none>\n',
  )
})
