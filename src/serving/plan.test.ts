import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, Service } from '#api/core/types.generated.ts'
import { ModelServing } from '#api/model-serving.ts'
import { type Outcome, type Step, untouched } from '#controller/domain.ts'
import { Fault } from '#base/fault.ts'
import { compileSchema } from '#machinery/schema.ts'
import type { Observed } from './observe.ts'
import { factsOf } from './pod-facts.ts'
import { plan } from './plan.ts'
import { status } from './status.ts'

const nowMs = Date.parse('2026-01-01T00:00:00Z')
const template = (image = 'vllm/vllm-openai:1') => ({
  spec: {
    containers: [
      {
        name: 'engine',
        image,
        env: [
          { name: 'A', value: '1' },
          { name: 'WORKER_INDEX', value: '9' },
        ],
      },
    ],
  },
})

function serving(spec: object): ModelServing {
  return compileSchema(ModelServing.schema()).default({
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelServing',
    metadata: { name: 'chat', namespace: 'ml', uid: 'u-1', generation: 3 },
    spec,
  }) as unknown as ModelServing
}

const one = (overrides: object = {}) =>
  serving({ template: { roles: [{ name: 'decode', entryTemplate: template() }] }, ...overrides })
const withWorkers = serving({
  template: { roles: [{ name: 'prefill', entryTemplate: template(), workerReplicas: 1, workerTemplate: template() }] },
})

function seen(pods: readonly Pod[], services: readonly Service[] = []): Observed {
  return {
    pods,
    services,
    revisions: [],
    routers: [],
    servers: [],
    volcano: 'absent',
    podGroups: [],
    facts: pods.map((pod) => factsOf('chat', pod)).filter((facts) => facts !== undefined),
  }
}

/** What the plan creates, made into pods that a cluster runs. */
function run(object: ModelServing, change: (pod: Pod) => Pod = (pod) => pod): Pod[] {
  return plan(object, seen([]), nowMs)
    .stages.flat()
    .filter((step) => step.do === 'create' && step.kind.kind === 'Pod')
    .map((step) => {
      const { object: pod } = step as Extract<Step, { do: 'create' }>
      const made = pod as unknown as Pod
      return change({
        ...made,
        metadata: { ...made.metadata, uid: `uid-${made.metadata.name}` },
        status: {
          phase: 'Running',
          conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }],
        },
      })
    })
}

const unready =
  (containers: object[]) =>
  (pod: Pod): Pod => ({
    ...pod,
    status: {
      phase: 'Pending',
      conditions: [{ type: 'Ready', status: 'False' }],
      containerStatuses: containers as never,
    },
  })

test('a pod carries the labels, the owner and the environment that its readers rely on', () => {
  const [entry, worker] = run(withWorkers)
  assert.equal(entry?.metadata.name, 'chat-0-prefill-0-0')
  const revision = entry.metadata.labels?.['modelserving.volcano.sh/revision']
  assert.match(revision ?? '', /^[b-df-hj-np-tv-xz2-9]{10}$/)
  assert.deepEqual(entry.metadata.labels, {
    'modelserving.volcano.sh/name': 'chat',
    'modelserving.volcano.sh/group-name': 'chat-0',
    'modelserving.volcano.sh/role': 'prefill',
    'modelserving.volcano.sh/role-id': 'prefill-0',
    'modelserving.volcano.sh/entry': 'true',
    'modelserving.volcano.sh/revision': revision,
    'modelserving.volcano.sh/role-template-hash': entry.metadata.labels?.['modelserving.volcano.sh/role-template-hash'],
  })
  assert.deepEqual(entry.metadata.ownerReferences, [
    {
      apiVersion: 'workload.serving.volcano.sh/v1alpha1',
      kind: 'ModelServing',
      name: 'chat',
      uid: 'u-1',
      controller: true,
      blockOwnerDeletion: true,
    },
  ])
  assert.deepEqual(worker?.spec?.containers[0]?.env, [
    { name: 'A', value: '1' },
    { name: 'GROUP_SIZE', value: '2' },
    { name: 'ENTRY_ADDRESS', value: 'chat-0-prefill-0-0.ml' },
    { name: 'WORKER_INDEX', value: '1' },
  ])
  assert.equal(worker.metadata.labels?.['modelserving.volcano.sh/entry'], undefined)
})

test('the headless service of a role with workers comes before its pods and points at the entry pod alone', () => {
  const [snapshot = [], services = [], pods = []] = plan(withWorkers, seen([]), nowMs).stages
  assert.equal(snapshot.length, 1)
  assert.deepEqual(
    services.map((step) => step.do === 'apply' && step.object.metadata.name),
    ['chat-0-prefill-0-0'],
  )
  assert.deepEqual(services[0]?.do === 'apply' && services[0].object.spec, {
    clusterIP: 'None',
    publishNotReadyAddresses: true,
    selector: {
      'modelserving.volcano.sh/group-name': 'chat-0',
      'modelserving.volcano.sh/role': 'prefill',
      'modelserving.volcano.sh/role-id': 'prefill-0',
      'modelserving.volcano.sh/entry': 'true',
    },
  })
  assert.equal(pods.length, 2)
  assert.equal(plan(one(), seen([]), nowMs).stages[1]?.length, 0)
})

test('the service of a replica that is gone goes too', () => {
  const service = { metadata: { name: 'chat-7-prefill-0-0', namespace: 'ml', uid: 's' }, spec: {} } as Service
  const deletes = plan(withWorkers, seen(run(withWorkers), [service]), nowMs)
    .stages.flat()
    .filter((step) => step.do === 'delete')
  assert.deepEqual(
    deletes.map((step) => step.ref.name),
    ['chat-7-prefill-0-0'],
  )
})

test('counts and settings that move no pod leave the revision alone, the template and workers change it', () => {
  const revisionOf = (object: ModelServing) => status(object, seen([]), untouched, nowMs)?.updateRevision
  const base = revisionOf(one())
  assert.equal(revisionOf(one({ replicas: 5, recoveryPolicy: 'None' })), base)
  assert.equal(
    revisionOf(
      one({ template: { roles: [{ name: 'decode', entryTemplate: template(), replicas: 4, maxUnavailable: 2 }] } }),
    ),
    base,
  )
  assert.notEqual(
    revisionOf(one({ template: { roles: [{ name: 'decode', entryTemplate: template('other') }] } })),
    base,
  )
  assert.notEqual(
    revisionOf(withWorkers),
    revisionOf(
      serving({
        template: {
          roles: [{ name: 'prefill', entryTemplate: template(), workerReplicas: 2, workerTemplate: template() }],
        },
      }),
    ),
  )
})

test('nothing is made for an object that is being deleted', () => {
  const object = one()
  object.metadata.deletionTimestamp = '2026-01-01T00:00:00Z'
  assert.deepEqual(plan(object, seen([]), nowMs).stages, [])
  assert.equal(status(object, seen([]), untouched, nowMs), undefined)
})

function conditionOf(object: ModelServing, pods: readonly Pod[], type: string, outcome: Outcome = untouched) {
  return status(object, seen(pods), outcome, nowMs)?.conditions?.find((condition) => condition.type === type)
}

test('Available when all groups of the present template are ready, with the generation that was looked at', () => {
  const object = one()
  const available = conditionOf(object, run(object), 'Available')
  assert.equal(available?.status, 'True')
  assert.equal(available.observedGeneration, 3)
  assert.equal(conditionOf(object, [], 'Available')?.status, 'False')
})

test('ready pods of an earlier template are counted but make nothing Available', () => {
  const pods = run(one())
  const edited = one({ template: { roles: [{ name: 'decode', entryTemplate: template('other') }] } })
  const said = status(edited, seen(pods), untouched, nowMs)
  assert.equal(said?.availableReplicas, 1)
  assert.equal(said.updatedReplicas, 0)
  assert.equal(conditionOf(edited, pods, 'Available')?.status, 'False')
  assert.equal(conditionOf(edited, pods, 'UpdateInProgress')?.status, 'True')
})

test('zero replicas are Available', () => {
  assert.equal(conditionOf(one({ replicas: 0 }), [], 'Available')?.status, 'True')
})

const failures: Record<string, { container: object; want: RegExp; definite: boolean }> = {
  'a crash loop': {
    container: {
      name: 'engine',
      restartCount: 3,
      ready: false,
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      lastState: { terminated: { exitCode: 2, reason: 'Error' } },
    },
    want: /pod chat-0-decode-0-0, container engine: CrashLoopBackOff: back-off 10s; last exit code 2; see its log/,
    definite: true,
  },
  'a missing secret': {
    container: {
      name: 'engine',
      restartCount: 0,
      ready: false,
      state: { waiting: { reason: 'CreateContainerConfigError', message: 'secret "keys" not found' } },
    },
    want: /CreateContainerConfigError: secret "keys" not found; create what is missing/,
    definite: true,
  },
  'an image nobody can run': {
    container: {
      name: 'engine',
      restartCount: 0,
      ready: false,
      state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } },
    },
    want: /ImagePullBackOff: no such image; correct the image name/,
    definite: true,
  },
  'a probe that does not pass': {
    container: {
      name: 'engine',
      restartCount: 0,
      ready: false,
      started: true,
      state: { running: { startedAt: '2025-12-31T23:59:50Z' } },
    },
    want: /ProbeFailing: runs for less than a minute, but its readiness does not pass/,
    definite: false,
  },
}
for (const [name, { container, want, definite }] of Object.entries(failures)) {
  test(`${name} is told with object, container, reason and mend, and clears`, () => {
    const object = one()
    const pods = run(object, unready([container]))
    assert.match(conditionOf(object, pods, 'Available')?.message ?? '', want)
    assert.equal(conditionOf(object, pods, 'PodsFailing')?.status, definite ? 'True' : 'Unknown')
    assert.equal(conditionOf(object, run(object), 'PodsFailing')?.status, 'False')
  })
}

test('a refused write is told with the object and the server’s words', () => {
  const object = one()
  const [step] = plan(object, seen([]), nowMs).stages[2] ?? []
  assert.ok(step !== undefined)
  const error = new Fault('denied', 'Forbidden', 'exceeded quota: pods=1')
  const outcome: Outcome = { failures: [{ step, error }], written: 0, complete: false }
  assert.match(
    conditionOf(object, [], 'Available', outcome)?.message ?? '',
    /cannot create Pod chat-0-decode-0-0: exceeded quota/,
  )
  assert.equal(conditionOf(object, [], 'Progressing', outcome)?.status, 'False')
})

test('gang scheduling without Volcano is said to be missing', () => {
  const object = one({ template: { gangPolicy: {}, roles: [{ name: 'decode', entryTemplate: template() }] } })
  assert.equal(conditionOf(object, run(object), 'GangUnavailable')?.status, 'True')
  assert.equal(conditionOf(one(), run(one()), 'GangUnavailable'), undefined)
})

test('the scale selector picks one pod of each group', () => {
  const object = one({ replicas: 2 })
  const selector = status(object, seen([]), untouched, nowMs)?.labelSelector ?? ''
  const wanted = selector.split(',').map((part) => part.split('='))
  const picked = run(object).filter((pod) => wanted.every(([key = '', value]) => pod.metadata.labels?.[key] === value))
  assert.deepEqual(
    picked.map((pod) => pod.metadata.name),
    ['chat-0-decode-0-0', 'chat-1-decode-0-0'],
  )
})
