/** What earlier controllers for this API got wrong and pods alone can show, each by the name that the list of them gives it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, Service } from '#api/core/types.generated.ts'
import { servingLabels } from '#api/labels.ts'
import type { ModelServing } from '#api/model-serving.ts'
import { untouched } from '#controller/domain.ts'
import { Fault } from '#base/fault.ts'
import { plan } from './plan.ts'
import { decode, is, nowMs, ready, roleOf, running, seen, serving, stepsOf, template, told } from './serving.testkit.ts'
import { status } from './status.ts'

test('B-02 an object without a spec, which a server without our schema lets through, is told and harms nothing', () => {
  const { spec: _, ...without } = serving({})
  const bare = without as ModelServing
  assert.deepEqual(plan(bare, seen([]), nowMs).stages, [])
  const available = status(bare, seen([]), untouched, nowMs)?.conditions?.[0]
  assert.deepEqual([available?.status, available?.reason], ['False', 'InvalidSpec'])
})

test('B-04 a pod whose name is none of ours is passed over', () => {
  const stray = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'chat-x', labels: { [servingLabels.name]: 'chat' } },
  }
  assert.equal(status(serving({}), seen([stray as Pod]), untouched, nowMs)?.replicas, 0)
})

test('B-12, B-14 a pod that is not ready any more makes its group unavailable, without any restart', () => {
  const object = serving({ replicas: 2 })
  const pods = running(object)
  assert.equal(status(object, seen(pods), untouched, nowMs)?.availableReplicas, 2)
  const blipped = pods.map((pod, at) => (at === 0 ? is(pod, 'False') : pod))
  const said = status(object, seen(blipped), untouched, nowMs)
  assert.equal(said?.availableReplicas, 1)
  assert.equal(said.conditions?.find(({ type }) => type === 'Available')?.status, 'False')
})

const restarted = (pod: Pod, finishedAt: string, unreadySince: string): Pod => ({
  ...pod,
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: unreadySince }],
    containerStatuses: [
      {
        name: 'engine',
        image: '',
        imageID: '',
        ready: false,
        restartCount: 1,
        lastState: { terminated: { exitCode: 1, finishedAt } },
        state: { running: { startedAt: finishedAt } },
      },
    ],
  },
})

test('B-13 a container that restarted long ago costs nothing when its pod is unready for a moment; one that just did, does', () => {
  const object = told(serving({}))
  const [pod] = running(object)
  assert.ok(pod !== undefined)
  const hourAgo = new Date(nowMs - 3_600_000).toISOString()
  const justNow = new Date(nowMs - 1_000).toISOString()
  assert.deepEqual(stepsOf(object, [restarted(pod, hourAgo, justNow)], 'delete'), [])
  assert.deepEqual(stepsOf(object, [restarted(pod, justNow, justNow)], 'delete'), ['chat-0-decode-0-0'])
})

test('B-36 the deadline of a restarted pod is a time that the pod tells: no restart of the controller moves it', () => {
  const object = told(serving({ template: { restartGracePeriodSeconds: 60, roles: [decode()] } }))
  const [pod] = running(object)
  assert.ok(pod !== undefined)
  const at = (agoMs: number) => new Date(nowMs - agoMs).toISOString()
  const within = [restarted(pod, at(50_000), at(50_000))]
  assert.deepEqual(stepsOf(object, within, 'delete'), [])
  assert.equal(plan(object, seen(within), nowMs).recheckAfterMs, 10_000)
  assert.deepEqual(stepsOf(object, [restarted(pod, at(60_000), at(60_000))], 'delete'), ['chat-0-decode-0-0'])
})

test('B-15 as long as anything is not ready, the plan asks to be made again without an event', () => {
  const object = serving({})
  const pods = running(object).map((pod) => is(pod, 'False'))
  const again = plan(object, seen(pods), nowMs).recheckAfterMs
  assert.equal(again, 15_000, 'and no sooner: what happens to a pod comes as an event')
})

test('B-16 a protected group is ready by its own template, not by the present one', () => {
  const roles = (workerReplicas: number) => [{ ...decode(), workerReplicas, workerTemplate: template() }]
  const pace = { rolloutStrategy: { rollingUpdateConfiguration: { partition: 1 } } }
  const before = serving({ ...pace, template: { roles: roles(1) } })
  const pods = running(before)
  const edited = told(serving({ ...pace, template: { roles: roles(3) } }), status(before, seen(pods), untouched, nowMs))
  const said = status(edited, seen(pods, { of: before }), untouched, nowMs)
  assert.deepEqual([said?.availableReplicas, said?.updatedReplicas], [1, 0])
  assert.equal(said?.conditions?.find(({ type }) => type === 'Available')?.status, 'True')
  assert.deepEqual(stepsOf(edited, pods, 'delete', { of: before }), [])
})

test('B-19 a condition that flips has a new time and reason; it names groups by ordinal, and only one tells of progress', () => {
  const object = serving({ replicas: 2 })
  const pods = running(object)
  const first = told(object, status(object, seen(pods), untouched, nowMs))
  const { spec } = serving({ replicas: 2, template: { roles: [decode('v2')] } })
  const edited = { ...first, spec, metadata: { ...first.metadata, generation: 2 } }
  const later = nowMs + 60_000
  const conditions = status(edited, seen(pods), untouched, later)?.conditions ?? []
  const [available, progressing, update] = ['Available', 'Progressing', 'UpdateInProgress'].map((type) =>
    conditions.find((condition) => condition.type === type),
  )
  assert.deepEqual([available?.status, available?.reason], ['False', 'GroupsNotReady'])
  assert.equal(Date.parse(available?.lastTransitionTime ?? ''), later)
  assert.deepEqual([progressing?.status, update?.status], ['False', 'True'])
  assert.match(progressing?.message ?? '', /see UpdateInProgress/)
  assert.match(update?.message ?? '', /: 0, 1$/)
})

test('B-20 the generation told is that of the object that was looked at', () => {
  const object = serving({})
  object.metadata.generation = 7
  assert.equal(status(object, seen(running(object)), untouched, nowMs)?.observedGeneration, 7)
})

test('B-26, B-27 labels and variables of a template take no pod out of its group, and no pod has them twice', () => {
  const sly = template('v1', { labels: { [servingLabels.roleId]: 'mine', app: 'x' } })
  const object = serving({
    template: { roles: [{ ...decode(), workerReplicas: 2, entryTemplate: sly, workerTemplate: sly }] },
  })
  const pods = running(object)
  assert.equal(pods.length, 3)
  for (const pod of pods) {
    assert.equal(pod.metadata.labels?.[servingLabels.roleId], 'decode-0')
    assert.equal(pod.metadata.labels?.['app'], 'x')
    const names = pod.spec?.containers[0]?.env?.map(({ name }) => name) ?? []
    assert.equal(names.length, new Set(names).size)
  }
})

test('B-30 the selector for autoscalers picks an instance that all groups have, also when the first has gone', () => {
  const object = serving({ replicas: 2, template: { roles: [{ ...decode(), replicas: 2 }] } })
  const pods = running(object).filter(({ metadata }) => metadata.name?.endsWith('-decode-0-0') !== true)
  const one = serving({ replicas: 2, template: { roles: [{ ...decode(), replicas: 1 }] } })
  const selector = status(one, seen(pods), untouched, nowMs)?.labelSelector ?? ''
  const wanted = selector.split(',').map((part) => part.split('='))
  const picked = pods.filter((pod) => wanted.every(([key = '', value]) => pod.metadata.labels?.[key] === value))
  assert.deepEqual(
    picked.map((pod) => pod.metadata.name),
    ['chat-0-decode-1-0', 'chat-1-decode-1-0'],
  )
})

test('B-30 groups on their way out are not counted as replicas', () => {
  const object = serving({ replicas: 1 })
  const [first, second] = running(serving({ replicas: 2 }))
  assert.ok(first !== undefined && second !== undefined)
  const leaving = { ...second, metadata: { ...second.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
  assert.equal(status(object, seen([first, leaving]), untouched, nowMs)?.replicas, 1)
})

test('a worker that is lost takes its instance along, also where another program put its container in front of ours', () => {
  const object = told(
    serving({ template: { roles: [{ ...decode(), workerReplicas: 1, workerTemplate: template() }] } }),
  )
  const meshed = running(object).map(
    (pod): Pod => ({
      ...pod,
      spec: { ...pod.spec, containers: [{ name: 'proxy', image: 'mesh' }, ...(pod.spec?.containers ?? [])] },
    }),
  )
  assert.equal(meshed.length, 2)
  assert.deepEqual(stepsOf(object, meshed.slice(0, 1), 'delete'), ['chat-0-decode-0-0'])
})

test('B-43 a name that another serving has is a condition with the name of that other', () => {
  const object = serving({})
  const step = plan(object, seen([]), nowMs)
    .stages.flat()
    .find(({ do: what }) => what === 'create')
  assert.ok(step !== undefined)
  const error = new Fault(
    'conflict',
    'NameConflict',
    'Pod ml/chat-0-decode-0-0 belongs to ModelServing other; rename it',
  )
  const failed = { failures: [{ step, error }], written: 0, complete: false }
  const conditions = status(object, seen([]), failed, nowMs)?.conditions
  const conflict = conditions?.find(({ type }) => type === 'NameConflict')
  assert.deepEqual([conflict?.status, conflict?.message], ['True', error.message])
  const after = told(object, { conditions })
  const mended = status(after, seen(running(object)), untouched, nowMs)?.conditions
  assert.equal(mended?.find(({ type }) => type === 'NameConflict')?.status, 'False')
})

test('B-44 a service whose selector somebody added to is made anew', () => {
  const object = told(
    serving({ template: { roles: [{ ...decode(), workerReplicas: 1, workerTemplate: template() }] } }),
  )
  const pods = running(object)
  const [rendered] = plan(object, seen([]), nowMs).stages[1] ?? []
  assert.ok(rendered?.do === 'apply')
  const service = rendered.object as unknown as Service
  const drifted: Service = {
    ...service,
    spec: { ...service.spec, selector: { ...service.spec?.selector, mine: 'too' } },
  }
  const deletes = (services: Service[]) =>
    plan(object, seen(pods, { services }), nowMs)
      .stages.flat()
      .filter(({ do: what }) => what === 'delete').length
  assert.equal(deletes([service]), 0)
  assert.equal(deletes([drifted]), 1)
})

test('a unit that is stuck on its way out keeps its name, and nothing else is done about it', () => {
  const object = told(serving({ replicas: 2 }))
  const pods = running(object).map((pod, at) =>
    at === 1 ? { ...ready(pod), metadata: { ...pod.metadata, deletionTimestamp: '2025-01-01T00:00:00Z' } } : pod,
  )
  assert.deepEqual(stepsOf(object, pods, 'create'), [])
  assert.deepEqual(stepsOf(object, pods, 'delete'), [])
  assert.equal(roleOf(status(object, seen(pods), untouched, nowMs), 1), 'Recreating')
})

test('B-27, S29 a plugin that no schema has refused is told by name, and no pod is made without it', () => {
  const plugins = [{ name: 'mine', type: 'BuiltIn' as const }]
  const object = { ...serving({}), spec: { ...serving({}).spec, plugins } }
  assert.deepEqual(stepsOf(object, [], 'create'), [])
  const conditions = status(object, seen([]), untouched, nowMs)?.conditions
  assert.match(conditions?.find(({ type }) => type === 'PluginsInvalid')?.message ?? '', /no plugin is called mine/)
  const env = [{ name: 'X', value: '1' }]
  const three = serving({
    plugins: [{ name: 'demo-pod-tweaks', config: { env } }],
    template: { roles: [{ ...decode(), workerReplicas: 3, workerTemplate: template() }] },
  })
  const counts = running(three).map((pod) => pod.spec?.containers[0]?.env?.filter(({ name }) => name === 'X').length)
  assert.deepEqual(counts, [1, 1, 1, 1])
})
