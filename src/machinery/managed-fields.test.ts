import assert from 'node:assert/strict'
import test from 'node:test'
import * as fc from 'fast-check'
import { Fault, isFault } from '#base/fault.ts'
import { equalJson } from '#base/json.ts'
import { decodeFields, isSubset, pathsOf } from './field-set.ts'
import { lastAppliedAnnotation } from './last-applied.ts'
import { applyServerSide, trackUpdate } from './managed-fields.ts'
import type { AnyResource, ManagedFieldsEntry, Resource } from './meta.ts'
import type { StructuralSchema } from './structural-schema.ts'

const string: StructuralSchema = { type: 'string' }
const integer: StructuralSchema = { type: 'integer' }
const schema: StructuralSchema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        replicas: integer,
        paused: { type: 'boolean' },
        selector: { type: 'object', 'x-kubernetes-map-type': 'atomic', additionalProperties: string },
        options: { type: 'object', additionalProperties: string },
        args: { type: 'array', items: string },
        zones: { type: 'array', items: string, 'x-kubernetes-list-type': 'set' },
        config: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
        containers: {
          type: 'array',
          'x-kubernetes-list-type': 'map',
          'x-kubernetes-list-map-keys': ['name'],
          items: {
            type: 'object',
            properties: {
              name: string,
              image: string,
              ports: {
                type: 'array',
                'x-kubernetes-list-type': 'map',
                'x-kubernetes-list-map-keys': ['port', 'protocol'],
                items: {
                  type: 'object',
                  properties: { port: integer, protocol: { ...string, default: 'TCP' }, name: string },
                },
              },
            },
          },
        },
      },
    },
    status: { type: 'object', properties: { phase: string } },
  },
}

const start = '2026-01-01T00:00:00Z'
const later = '2026-01-01T01:00:00Z'
const base = { schema, apiVersion: 'example.com/v1', now: later }

function object(spec: unknown, metadata: Partial<Resource['metadata']> = {}): AnyResource {
  return {
    apiVersion: 'example.com/v1',
    kind: 'Widget',
    metadata: { name: 'w', namespace: 'n', ...metadata },
    spec,
  } as AnyResource
}

interface ApplyExtras {
  live?: Resource | undefined
  force?: boolean
  now?: string
  subresource?: string
}
function apply(manager: string, applied: Resource, extras: ApplyExtras = {}): AnyResource {
  return applyServerSide({ ...base, manager, applied, force: false, ...extras }) as AnyResource
}
function update(manager: string, updated: Resource, extras: Omit<ApplyExtras, 'force'> = {}): AnyResource {
  return trackUpdate({ ...base, manager, updated, ...extras }) as AnyResource
}

function entryOf(from: Resource, manager: string): ManagedFieldsEntry | undefined {
  return from.metadata.managedFields?.find((entry) => entry.manager === manager)
}
function owned(from: Resource, manager: string): string[] {
  return pathsOf(decodeFields(entryOf(from, manager)?.fieldsV1 ?? {}) ?? assert.fail('malformed'))
}
function conflictOf(run: () => unknown): Fault {
  try {
    run()
  } catch (error) {
    if (isFault(error, 'conflict')) return error
    throw error
  }
  return assert.fail('no conflict')
}

test('the first apply owns what it says: fields, map entries, list items and atomic values', () => {
  const spec = {
    replicas: 1,
    selector: { a: 'b' },
    options: { x: '1' },
    args: ['a'],
    zones: ['z'],
    config: { deep: { list: [{ a: 1 }] } },
    containers: [{ name: 'c', ports: [{ port: 80 }] }],
  }
  const created = apply('me', object(spec, { labels: { app: 'w' } }))
  assert.deepEqual(created.spec, spec)
  assert.deepEqual(created.metadata.managedFields, [
    {
      manager: 'me',
      operation: 'Apply',
      apiVersion: 'example.com/v1',
      time: later,
      fieldsType: 'FieldsV1',
      fieldsV1: {
        'f:metadata': { 'f:labels': { 'f:app': {} } },
        'f:spec': {
          'f:args': {},
          'f:config': { 'f:deep': { '.': {}, 'f:list': {} } },
          'f:containers': {
            'k:{"name":"c"}': {
              '.': {},
              'f:name': {},
              'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {} } },
            },
          },
          'f:options': { 'f:x': {} },
          'f:replicas': {},
          'f:selector': {},
          'f:zones': { 'v:"z"': {} },
        },
      },
    },
  ])
})

test('a created object belongs to its creator, its name and status to nobody', () => {
  const created = update('kubectl-create', {
    ...object({ options: { a: '1' } }, { uid: 'u' }),
    status: { phase: 'x' },
  } as Resource)
  assert.deepEqual(owned(created, 'kubectl-create'), ['.spec', '.spec.options', '.spec.options.a'])
  assert.equal(entryOf(created, 'kubectl-create')?.operation, 'Update')
})

test('applying the same again gives the same object back', () => {
  const applied = object({ replicas: 1, containers: [{ name: 'c', image: 'i' }] })
  const live = apply('me', applied, { now: start })
  assert.equal(apply('me', applied, { live }), live)
})

test('a changed value conflicts with its manager, in the words of an API server', () => {
  const live = update('kubectl-client-side-apply', object({ replicas: 1 }))
  const conflict = conflictOf(() => apply('me', object({ replicas: 2 }), { live }))
  const message =
    'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using example.com/v1: .spec.replicas'
  assert.equal(conflict.code, 'ApplyConflict')
  assert.equal(conflict.message, message)
  assert.deepEqual(conflict.details, {
    apiVersion: 'v1',
    kind: 'Status',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'Conflict',
    code: 409,
    details: {
      causes: [
        {
          reason: 'FieldManagerConflict',
          message: 'conflict with "kubectl-client-side-apply" using example.com/v1',
          field: '.spec.replicas',
        },
      ],
    },
  })
})

test('several conflicts are listed by manager', () => {
  const first = apply('a', object({ replicas: 1, containers: [{ name: 'c', image: '1' }] }))
  const live = update('b', { ...first, spec: { ...first.spec, paused: true } } as Resource, {
    live: first,
    subresource: 'scale',
  })
  const wanted = object({ replicas: 2, paused: false, containers: [{ name: 'c', image: '2' }] })
  assert.equal(
    conflictOf(() => apply('me', wanted, { live })).message,
    'Apply failed with 3 conflicts: conflicts with "a":\n- .spec.replicas\n- .spec.containers[name="c"].image\n' +
      'conflicts with "b" with subresource "scale" using example.com/v1:\n- .spec.paused',
  )
})

test('force takes a field over, and its old manager with nothing left goes', () => {
  const live = update('old', object({ replicas: 1 }))
  const next = apply('me', object({ replicas: 2 }), { live, force: true })
  assert.equal(next.spec?.['replicas'], 2)
  assert.deepEqual(owned(next, 'me'), ['.spec.replicas'])
  assert.deepEqual(owned(next, 'old'), ['.spec'])
  const bare = apply('me', object({ replicas: 3 }), { live: apply('old', object({ replicas: 1 })), force: true })
  assert.equal(entryOf(bare, 'old'), undefined)
})

test('equal values are shared, and stay until the last owner gives them up', () => {
  const first = apply('a', object({ replicas: 1 }), { now: start })
  const shared = apply('b', object({ replicas: 1 }), { live: first })
  assert.deepEqual([owned(shared, 'a'), owned(shared, 'b')], [['.spec.replicas'], ['.spec.replicas']])
  assert.equal(entryOf(shared, 'a')?.time, start)
  const left = apply('a', object({}), { live: shared })
  assert.equal(left.spec?.['replicas'], 1)
  const gone = apply('b', object({}), { live: left })
  assert.deepEqual(gone.spec, {})
})

test('what an applier gives up goes: fields, entries, items', () => {
  const live = apply(
    'me',
    object({
      replicas: 1,
      options: { a: '1', b: '2' },
      zones: ['x', 'y'],
      containers: [{ name: 'a' }, { name: 'b', image: 'i' }],
    }),
  )
  const next = apply('me', object({ options: { a: '1' }, zones: ['y'], containers: [{ name: 'b' }] }), { live })
  assert.deepEqual(next.spec, { options: { a: '1' }, zones: ['y'], containers: [{ name: 'b' }] })
})

test('an item that is given up stays for what another manager has in it', () => {
  const first = apply('a', object({ containers: [{ name: 'c', image: 'i' }] }))
  const live = apply('b', object({ containers: [{ name: 'c', ports: [{ port: 80 }] }] }), { live: first })
  const next = apply('a', object({}), { live })
  assert.deepEqual(next.spec, { containers: [{ name: 'c', ports: [{ port: 80 }] }] })
})

test('applied items keep their order, those of others their places', () => {
  const live = apply('a', object({ zones: ['a', 'other', 'b'] }))
  const next = apply('b', object({ zones: ['b', 'new', 'a'] }), { live })
  assert.deepEqual(next.spec?.['zones'], ['other', 'b', 'new', 'a'])
})

test('an update takes what it changes from its managers, and what it removes from all', () => {
  const live = apply('me', object({ replicas: 1, paused: true, options: { a: '1' } }), { now: start })
  const next = update('scaler', { ...live, spec: { replicas: 2, options: { a: '1' } } } as Resource, { live })
  assert.deepEqual(owned(next, 'me'), ['.spec.options.a'])
  assert.deepEqual(owned(next, 'scaler'), ['.spec.replicas'])
  assert.deepEqual([entryOf(next, 'me')?.time, entryOf(next, 'scaler')?.time], [start, later])
})

test('an update that changes nothing leaves managedFields as they are', () => {
  const live = apply('me', object({ replicas: 1 }), { now: start })
  assert.deepEqual(update('other', structuredClone(live), { live }), live)
})

test('a status write is an entry of its own, and neither side holds the other half', () => {
  const live = apply('me', object({ replicas: 1 }))
  const next = update('controller', { ...live, status: { phase: 'Ready' } } as Resource, {
    live,
    subresource: 'status',
  })
  assert.deepEqual(owned(next, 'controller'), ['.status', '.status.phase'])
  assert.equal(entryOf(next, 'controller')?.subresource, 'status')
  const applied = apply('me', { ...object({ replicas: 1 }), status: { phase: 'Lost' } } as Resource, { live: next })
  assert.deepEqual(applied['status'], { phase: 'Ready' })
})

test('status may be applied through its subresource alone', () => {
  const live = apply('me', object({ replicas: 1 }))
  const next = apply('controller', { ...object({ replicas: 7 }), status: { phase: 'Ready' } } as Resource, {
    live,
    subresource: 'status',
  })
  assert.deepEqual([next.spec, next['status']], [{ replicas: 1 }, { phase: 'Ready' }])
  assert.deepEqual(owned(next, 'controller'), ['.status.phase'])
})

for (const reset of [[], [{}]]) {
  test(`an update with managedFields ${JSON.stringify(reset)} clears them until the next apply`, () => {
    const live = apply('me', object({ replicas: 1 }, { uid: 'u' }))
    const managedFields = reset as unknown as ManagedFieldsEntry[]
    const cleared = update('you', { ...live, metadata: { ...live.metadata, managedFields } }, { live })
    assert.equal(cleared.metadata.managedFields, undefined)
    assert.equal(
      update('you', object({ replicas: 2 }, { uid: 'u' }), { live: cleared }).metadata.managedFields,
      undefined,
    )
    const next = apply('me', object({ paused: true }), { live: cleared })
    assert.deepEqual(owned(next, 'before-first-apply'), ['.spec', '.spec.replicas'])
  })
}

test('an update may write managedFields; malformed or missing ones change nothing', () => {
  const live = apply('me', object({ replicas: 1 }), { now: start })
  const [entry] = live.metadata.managedFields ?? []
  assert.ok(entry)
  const withEntries = (managedFields: unknown) => ({
    ...live,
    metadata: { ...live.metadata, managedFields: managedFields as ManagedFieldsEntry[] },
  })
  const renamed = update('x', withEntries([{ ...entry, manager: 'renamed' }]), { live })
  assert.deepEqual(owned(renamed, 'renamed'), ['.spec.replicas'])
  for (const malformed of ['x', [{ ...entry, operation: 'Guess' }], [{ ...entry, fieldsV1: { x: {} } }]]) {
    assert.deepEqual(update('x', withEntries(malformed), { live }), live)
  }
})

test('more than ten updaters become ten, the oldest together', () => {
  let live = update('m0', object({ options: { k0: '0' } }), { now: '2026-01-01T00:00:10Z' })
  for (let i = 1; i < 15; i++) {
    const options = { ...(live.spec?.['options'] as object), [`k${i}`]: `${i}` }
    live = update(`m${i}`, { ...live, spec: { options } } as Resource, { live, now: `2026-01-01T00:00:${10 + i}Z` })
  }
  assert.equal(live.metadata.managedFields?.length, 10)
  assert.deepEqual(
    owned(live, 'ancient-changes').slice(2),
    ['k0', 'k1', 'k2', 'k3', 'k4', 'k5'].map((name) => `.spec.options.${name}`),
  )
})

test('kubectl takes over from its client-side self what is as that left it', () => {
  const text = JSON.stringify(object({ replicas: 1, paused: true }))
  const live = update(
    'kubectl-client-side-apply',
    object({ replicas: 1, paused: false }, { annotations: { [lastAppliedAnnotation]: text } }),
  )
  const next = apply('kubectl', object({ replicas: 5 }), { live })
  assert.equal(next.spec?.['replicas'], 5)
  assert.deepEqual(JSON.parse(next.metadata.annotations?.[lastAppliedAnnotation] ?? ''), object({ replicas: 5 }))
  assert.deepEqual(
    conflictOf(() => apply('kubectl', object({ paused: true }), { live })).message.includes('.spec.paused'),
    true,
  )
  conflictOf(() => apply('somebody', object({ replicas: 5 }), { live }))
})

const refused: Record<string, { spec: unknown; metadata?: object; message: RegExp }> = {
  'unknown fields': {
    spec: { replica: 1 },
    message:
      /^failed to create typed patch object \(n\/w; example\.com\/v1, Kind=Widget\): \.spec\.replica: field not declared in schema$/,
  },
  'values of another type': {
    spec: { replicas: '1' },
    message: /\.spec\.replicas: expected numeric \(int or float\), got string/,
  },
  'two items of one key': {
    spec: { containers: [{ name: 'a' }, { name: 'a' }] },
    message: /\.spec\.containers: duplicate entries for key \[name="a"\]/,
  },
  'items without their key': {
    spec: { containers: [{ image: 'a' }] },
    message: /element 0: .*omits all key fields \["name"\]/,
  },
  'its own managedFields': {
    spec: {},
    metadata: { managedFields: [] },
    message: /^metadata\.managedFields must be nil$/,
  },
}
for (const [name, { spec, metadata, message }] of Object.entries(refused)) {
  test(`an applied configuration with ${name} is refused`, () => {
    assert.throws(
      () => apply('me', object(spec, metadata)),
      (error) => isFault(error, 'invalid') && message.test(error.message),
    )
  })
}

// ---- properties ----

const key = fc.constantFrom('a', 'b', 'c')
const text = fc.constantFrom('1', '2')
const port = fc.record({ port: fc.constantFrom(80, 81), name: text }, { requiredKeys: ['port'] })

/** Lists of at least so many items. An empty list of items with owners of their own has no owner. */
function specs(minLength: number) {
  const ports = fc.uniqueArray(port, { selector: (item) => item.port, minLength })
  const container = fc.record({ name: key, image: text, ports }, { requiredKeys: ['name'] })
  return fc.record(
    {
      replicas: fc.integer({ min: 0, max: 2 }),
      selector: fc.dictionary(key, text),
      options: fc.dictionary(key, text),
      args: fc.array(text, { maxLength: 2 }),
      zones: fc.uniqueArray(key, { minLength }),
      config: fc.dictionary(key, fc.oneof(text, fc.dictionary(key, text), fc.array(text, { maxLength: 2 }))),
      containers: fc.uniqueArray(container, { selector: (item) => item.name, minLength }),
    },
    { requiredKeys: [] },
  )
}
const spec = specs(0)
const manager = fc.constantFrom('m', 'n', 'o')

/** An object with a history of forced applies and updates. */
const history = fc
  .array(fc.tuple(fc.boolean(), manager, spec), { maxLength: 4 })
  .map((writes) =>
    writes.reduce<Resource | undefined>(
      (live, [applies, by, wanted]) =>
        applies
          ? apply(by, object(wanted), { live, force: true, now: start })
          : update(by, object(wanted), { live, now: start }),
      undefined,
    ),
  )

test('applying twice is applying once', () => {
  fc.assert(
    fc.property(history, manager, spec, (live, by, wanted) => {
      const once = apply(by, object(wanted), { live, force: true, now: start })
      assert.equal(apply(by, object(wanted), { live: once }), once)
    }),
  )
})

test('after a forced apply the object holds the configuration, and its manager all of its fields', () => {
  fc.assert(
    fc.property(history, spec, (live, wanted) => {
      const next = apply('m', object(wanted), { live, force: true })
      const alone = apply('m', object(wanted))
      const fields = (from: Resource) =>
        decodeFields(
          from.metadata.managedFields?.find((e) => e.manager === 'm' && e.operation === 'Apply')?.fieldsV1 ?? {},
        ) ?? assert.fail()
      assert.ok(isSubset(fields(alone), fields(next)) && isSubset(fields(next), fields(alone)))
      const again = update('probe', apply('probe', object(wanted), { live: next }), { live: next })
      assert.ok(equalJson(again.spec, next.spec), 'the configuration lies over the object without a change')
    }),
  )
})

test('giving everything up leaves nothing that nobody else owns', () => {
  const { spec: _, ...nothing } = object({})
  fc.assert(
    fc.property(specs(1), specs(1), (mine, theirs) => {
      const both = apply('m', object(mine), { live: apply('n', object(theirs)), force: true })
      const left = apply('m', nothing, { live: both })
      const rest = apply('n', nothing, { live: left })
      assert.equal(entryOf(left, 'm'), undefined)
      assert.deepEqual(rest, nothing)
    }),
  )
})

test('managers of disjoint fields commute', () => {
  fc.assert(
    fc.property(specs(1), (all) => {
      const { replicas, options, containers, ...rest } = all
      const mine = object({
        ...(replicas === undefined ? {} : { replicas }),
        ...(options === undefined ? {} : { options }),
        ...(containers === undefined ? {} : { containers }),
      })
      const [a, b] = [apply('m', mine), apply('n', object(rest))]
      const [ab, ba] = [apply('n', object(rest), { live: a }), apply('m', mine, { live: b })]
      // Who comes second and changes nothing has no time, and the list goes by time.
      const timeless = (made: Resource): unknown => ({
        ...made,
        metadata: {
          ...made.metadata,
          managedFields: made.metadata.managedFields
            ?.map(({ time: _, ...entry }) => entry)
            .toSorted((one, other) => (one.manager < other.manager ? -1 : 1)),
        },
      })
      assert.ok(equalJson(timeless(ab), timeless(ba)), `${JSON.stringify(ab)} ${JSON.stringify(ba)}`)
    }),
  )
})

test('no JSON makes apply or update throw anything but a fault', () => {
  const name = fc.constantFrom(
    'replicas',
    'containers',
    'zones',
    'selector',
    'name',
    'ports',
    'options',
    '__proto__',
    'constructor',
  )
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue({ maxDepth: 0 }),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4 }),
    ),
  }))
  fc.assert(
    fc.property(value, value, value, value, (before, after, applied, managedFields) => {
      try {
        const live = update('m', object(before))
        const next = update('n', object(after, { managedFields: managedFields as ManagedFieldsEntry[] }), { live })
        apply('o', object(applied), { live: next, force: true })
      } catch (error) {
        assert.ok(error instanceof Fault, String(error))
      }
    }),
    { numRuns: 500 },
  )
})
