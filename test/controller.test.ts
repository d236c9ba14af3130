import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ConfigMap, Event, Namespace, Secret } from '#api/core/kinds.ts'
import { Fault } from '#base/fault.ts'
import { equalJson } from '#base/json.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import type { Outcome, Plan, Step } from '#controller/domain.ts'
import { keysOfController } from '#controller/owned.ts'
import type { PassOutcome } from '#controller/runner.ts'
import { startController } from '#controller/start-controller.ts'
import type { Client } from '#kube/client.ts'
import { type BareApi, bareApi, until } from './bare-api.ts'

/** A controller that copies the data of each ConfigMap labelled `copy` into a Secret of the same name. */
function copier(override: Partial<ControllerDefinition<ConfigMap, undefined, never>['domain']> = {}) {
  const passes: PassOutcome[] = []
  const outcomes: Outcome[] = []
  const definition: ControllerDefinition<ConfigMap, undefined, never> = {
    name: 'copier',
    kind: ConfigMap,
    watches: [{ kind: Secret, keysOf: keysOfController(ConfigMap) }],
    domain: {
      observe: () => undefined,
      plan: (source) =>
        source.metadata.labels?.['copy'] === undefined ? { stages: [] } : { stages: [[copy(source)]] },
      status(_source, _observed, outcome) {
        outcomes.push(outcome)
        return undefined
      },
      ...override,
    },
  }
  return { definition, passes, outcomes }
}

function copy(source: ConfigMap): Step {
  const { name = '', namespace = '', uid = '' } = source.metadata
  return {
    do: 'apply',
    kind: Secret,
    why: { reason: 'Copied', note: `copied to the Secret ${name}` },
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace,
        ownerReferences: [
          { apiVersion: 'v1', kind: 'ConfigMap', name, uid, controller: true, blockOwnerDeletion: true },
        ],
      },
      stringData: undefined,
      data: encoded(source.data ?? {}),
    },
  }
}

function encoded(data: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
}

function source(name: string, data: Record<string, string>): ConfigMap {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', labels: { copy: 'yes' } },
    data,
  }
}

async function run(
  t: TestContext,
  api: BareApi,
  { definition, passes }: ReturnType<typeof copier>,
  client: Client = api.client,
) {
  const controller = startController(definition, { ...api, client, onPass: (pass) => passes.push(pass) })
  await until(t, 'rest', () => controller.idle())
  return controller
}

const place = { namespace: 'default', name: 'a' }
const copies = (api: BareApi) => api.client.list(Secret, { namespace: 'default' })

test('writes what is missing, says so once, and writes nothing on a repeated pass', async (t) => {
  await using api = await bareApi()
  await api.client.create(ConfigMap, source('a', { key: 'one' }))
  api.writes.length = 0
  const first = copier()
  const before = await run(t, api, first)
  assert.deepEqual(api.writes, ['patch secrets a'])
  assert.ok(first.passes.length >= 2, 'the write wakes the key again')
  await before[Symbol.asyncDispose]()

  api.writes.length = 0
  await using after = await run(t, api, copier())
  assert.ok(after.idle())
  assert.deepEqual(api.writes, [], 'a restarted controller finds all done')
  const events = await api.client.list(Event, { namespace: 'default' })
  assert.deepEqual(
    events.items.map(({ reason, message, count }) => ({ reason, message, count })),
    [{ reason: 'Copied', message: 'copied to the Secret a', count: 1 }],
  )
  assert.deepEqual(api.bugs, [])
})

test('a change of the parent, an edit by hand and a deletion by hand are all mended', async (t) => {
  await using api = await bareApi()
  await api.client.create(ConfigMap, source('a', { key: 'one', dropped: 'soon' }))
  await using controller = await run(t, api, copier())
  const dataIs = (data: Record<string, string>) => async () =>
    controller.idle() && equalJson((await copies(api)).items[0]?.data, encoded(data))
  await until(t, 'the first copy', dataIs({ dropped: 'soon', key: 'one' }))

  await api.client.update(ConfigMap, source('a', { key: 'two' }))
  await until(t, 'the changed copy, without the field that went', dataIs({ key: 'two' }))

  await api.client.patch(Secret, place, { type: 'merge', patch: { data: encoded({ key: 'meddled' }) } })
  await until(t, 'the mended copy', dataIs({ key: 'two' }))

  await api.client.delete(Secret, place)
  await until(t, 'the new copy', dataIs({ key: 'two' }))
})

test('fields that others own stay theirs and cause no writes', async (t) => {
  await using api = await bareApi()
  await api.client.create(ConfigMap, source('a', { key: 'one' }))
  await using controller = await run(t, api, copier())
  api.writes.length = 0
  await api.client.patch(Secret, place, { type: 'merge', patch: { metadata: { labels: { theirs: 'yes' } } } })
  await until(t, 'rest', () => controller.idle())
  assert.equal((await api.client.get(Secret, place)).metadata.labels?.['theirs'], 'yes')
  assert.deepEqual(api.writes, ['patch secrets a'])
})

test("another's object of the wanted name is named and left alone", async (t) => {
  await using api = await bareApi()
  await api.client.create(Secret, { apiVersion: 'v1', kind: 'Secret', metadata: place, data: encoded({ mine: 'x' }) })
  await api.client.create(ConfigMap, source('a', { key: 'one' }))
  api.writes.length = 0
  const { definition, passes, outcomes } = copier()
  await using _controller = await run(t, api, { definition, passes, outcomes })
  assert.deepEqual(api.writes, [])
  const error = outcomes.flatMap(({ failures }) => failures)[0]?.error
  assert.ok(error instanceof Fault && error.code === 'NameConflict')
  assert.match(error.message, /Secret default\/a was not made by us/)
})

test('a stage is not begun before all steps of the one before are done, and all of those are tried', async (t) => {
  await using api = await bareApi()
  await api.client.create(Secret, { apiVersion: 'v1', kind: 'Secret', metadata: { ...place, name: 'taken' } })
  await api.client.create(ConfigMap, source('a', {}))
  const named = (of: ConfigMap, name: string): Step => {
    const step = copy(of)
    if (step.do !== 'apply') return step
    return { ...step, object: { ...step.object, metadata: { ...step.object.metadata, name } } }
  }
  const plan = (of: ConfigMap): Plan =>
    of.metadata.labels?.['copy'] === undefined
      ? { stages: [] }
      : { stages: [[named(of, 'taken'), named(of, 'beside')], [named(of, 'later')]] }
  await using _controller = await run(t, api, copier({ plan }))
  assert.deepEqual(
    (await copies(api)).items.map(({ metadata }) => metadata.name),
    ['beside', 'taken'],
  )
})

test('a deleted object is not deleted twice, nor planned with before the cache has seen it go', async (t) => {
  await using api = await bareApi()
  for (const name of ['x-1', 'x-2', 'x-3']) {
    await api.client.create(Secret, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'default', name } })
  }
  await api.client.create(ConfigMap, source('a', {}))
  await api.informers.of(Secret).synced()
  api.writes.length = 0
  // Wants one left. From a cache that still shows the deleted ones it would delete too many.
  const left = () => api.informers.of(Secret).list('default')
  const plan = (of: ConfigMap): Plan => ({
    stages:
      of.metadata.labels?.['copy'] === undefined
        ? []
        : left()
            .slice(1)
            .map(({ metadata: { name = '', uid = '' } }) => [
              {
                do: 'delete',
                ref: { kind: Secret, namespace: 'default', name },
                uid,
                why: { reason: 'Surplus', note: name },
              },
            ]),
  })
  const { definition, ...rest } = copier({ plan })
  const watches = [{ kind: Secret, keysOf: () => ['default/a'] }]
  await using _controller = await run(t, api, { definition: { ...definition, watches }, ...rest })
  assert.deepEqual(api.writes, ['delete secrets x-2', 'delete secrets x-3'])
})

test('the status is written once, when it differs, and a flip of a condition is an event', async (t) => {
  await using api = await bareApi()
  const condition = (type: string, isTrue: boolean): object => ({
    type,
    status: isTrue ? 'True' : 'False',
    reason: `${type}${isTrue ? '' : 'Not'}`,
    message: 'it has been seen',
    lastTransitionTime: '2026-01-01T00:00:00Z',
  })
  const conditionsOf = ({ labels = {} }: Namespace['metadata']): object[] => [
    condition('Accepted', true),
    condition('Degraded', true),
    condition('Progressing', labels['seen'] === undefined),
    condition('Labelled', labels['seen'] !== undefined),
  ]
  const definition: ControllerDefinition<Namespace, undefined, object> = {
    name: 'labeller',
    kind: Namespace,
    watches: [],
    domain: {
      observe: () => undefined,
      plan: () => ({ stages: [] }),
      status: ({ metadata }) => (metadata.name === 'default' ? { conditions: conditionsOf(metadata) } : undefined),
    },
  }
  await using controller = startController(definition, api)
  api.writes.length = 0
  await until(t, 'rest', () => controller.idle())
  assert.deepEqual(api.writes, ['patch namespaces/status default'])
  const { status } = await api.client.get(Namespace, { name: 'default' })
  assert.equal(status?.phase, 'Active', "the server's own field stays")
  const told = async (): Promise<string[]> => {
    const events = await api.client.list(Event, { namespace: 'default' })
    return events.items.map(({ reason, type }) => `${type} ${reason}`).toSorted()
  }
  assert.deepEqual(await told(), ['Warning Degraded'], 'good news that is there from the start is no news')
  const patch = { metadata: { labels: { seen: 'yes' } } }
  await api.client.patch(Namespace, { name: 'default' }, { type: 'merge', patch })
  await until(t, 'flip', async () => (await told()).length > 1)
  await until(t, 'rest', () => controller.idle())
  assert.deepEqual(await told(), ['Normal Labelled', 'Warning Degraded'])
})

test('a domain that throws costs its own key a pause and nothing else', async (t) => {
  await using api = await bareApi()
  await api.client.create(ConfigMap, source('bad', {}))
  await api.client.create(ConfigMap, source('good', {}))
  const bad = copier()
  const { plan } = bad.definition.domain
  const domain: typeof bad.definition.domain = {
    ...bad.definition.domain,
    plan(object, observed, nowMs) {
      if (object.metadata.name === 'bad') throw new TypeError('a bug')
      return plan(object, observed, nowMs)
    },
  }
  await using _controller = await run(t, api, { ...bad, definition: { ...bad.definition, domain } })
  assert.deepEqual(
    (await copies(api)).items.map(({ metadata }) => metadata.name),
    ['good'],
  )
  assert.equal(bad.passes.filter(({ result }) => result === 'bug').length, 1)
  assert.equal(api.bugs.length, 1)
})

test('what is there at the start waits behind what changes, and so do its writes and all events', async (t) => {
  await using api = await bareApi()
  for (const name of ['a', 'b', 'c']) await api.client.create(ConfigMap, source(name, { key: name }))
  const priorities: string[] = []
  const noting = { ...api.client }
  noting.apply = (kind, object, options) => {
    priorities.push(`${object.metadata.name} ${options.priority}`)
    return api.client.apply(kind, object, options)
  }
  noting.create = (kind, object, options) => {
    priorities.push(`${kind.kind} ${options?.priority}`)
    return api.client.create(kind, object, options)
  }
  await using controller = await run(t, api, copier(), noting)
  await api.client.create(ConfigMap, source('d', { key: 'd' }))
  await until(t, 'all copies', async () => (await copies(api)).items.length === 4 && controller.idle())
  assert.deepEqual(priorities.filter((text) => !text.startsWith('Event')).toSorted(), [
    'a background',
    'b background',
    'c background',
    'd normal',
  ])
  assert.deepEqual(new Set(priorities.filter((text) => text.startsWith('Event'))), new Set(['Event background']))
})

test('a drained controller has ended what it began, and written what it had to tell', async (t) => {
  await using api = await bareApi()
  await api.client.create(ConfigMap, source('a', { key: 'one' }))
  await using controller = await run(t, api, copier())
  await api.client.create(ConfigMap, source('b', { key: 'one' }))
  await until(t, 'a pass', () => controller.stats().active > 0)
  await controller.drain()
  const events = await api.client.list(Event, { namespace: 'default' })
  assert.deepEqual(new Set(events.items.map(({ involvedObject }) => involvedObject.name)), new Set(['a', 'b']))
  api.writes.length = 0
  await api.client.create(ConfigMap, source('c', { key: 'one' }))
  await until(t, 'the change', () => controller.stats().depth > 0)
  assert.deepEqual(api.writes, ['create configmaps '])
})
