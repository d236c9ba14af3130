import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { parse } from 'yaml'
import { Fault } from '#base/fault.ts'
import { equalJson } from '#base/json.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { ConfigMap } from '#api/core/kinds.ts'
import { ModelBooster, type ModelBoosterStatus } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import { type Index, type Outcome, type Reader, type ReaderQuery, type Step, untouched } from '#controller/domain.ts'
import { controllerOf } from '#controller/owned.ts'
import { isOfKind, type Kind } from '#machinery/kind.ts'
import type { AnyResource, Condition, Resource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import { createBoosterController } from './controller.ts'
import { kthena } from '#api/dialects.ts'
import { familyOf, type FamilyKinds, kindsOf } from '#api/family-kinds.ts'
import { loraAnnotations } from '#api/labels.ts'

const controller = createBoosterController({ controllerNamespace: 'system' })
const { domain } = controller
const { signal } = new AbortController()

/** Just enough of an API server: names, uids, generations, apply, delete. No defaults, no other controllers. */
class World implements Reader {
  readonly objects = new Map<string, AnyResource>()
  nowMs = Date.parse('2026-01-01T00:00:00Z')
  statusWrites = 0
  readonly kinds: FamilyKinds
  #uid = 1

  constructor(kinds = kindsOf(kthena)) {
    this.kinds = kinds
  }

  get<T extends Resource>(kind: Kind<T>, { namespace, name }: { namespace?: string | undefined; name: string }) {
    const found = this.objects.get(`${kind.kind}/${namespace}/${name}`)
    return found !== undefined && isOfKind(found, kind) ? found : undefined
  }

  list<T extends Resource>(kind: Kind<T>, { controllerUid, labels = {} }: ReaderQuery = {}): T[] {
    return [...this.objects.values()]
      .filter((object) => isOfKind(object, kind))
      .filter(({ metadata }) => Object.entries(labels).every(([name, value]) => metadata.labels?.[name] === value))
      .filter((object) => controllerUid === undefined || controllerOf(object)?.uid === controllerUid)
  }

  find<T extends Resource>(kind: Kind<T>, { valuesOf }: Index<T>, value: string): T[] {
    return this.list(kind).filter((object) => valuesOf(object).includes(value))
  }

  put(object: AnyResource): AnyResource {
    const { namespace, name } = object.metadata
    const key = `${object.kind}/${namespace}/${name}`
    const live = this.objects.get(key)
    const uid = live?.metadata.uid ?? object.metadata.uid ?? `uid-${this.#uid++}`
    const former = live?.metadata.generation ?? 0
    const generation = equalJson(live?.spec, object.spec) ? former : former + 1
    const stored = { ...object, metadata: { ...object.metadata, uid, generation } }
    this.objects.set(key, stored)
    return stored
  }

  /** Changes an object by hand. */
  edit(ref: string, change: (object: AnyResource) => AnyResource): void {
    this.put(change(structuredClone(this.named(ref))))
  }

  remove(ref: string): void {
    assert.ok(this.objects.delete(this.#key(ref)), ref)
  }

  named(ref: string): AnyResource {
    const found = this.objects.get(this.#key(ref))
    assert.ok(found, `no ${ref}`)
    return found
  }

  has(ref: string): boolean {
    return this.objects.has(this.#key(ref))
  }

  #key(ref: string): string {
    return ref.replace('/', '/ml/')
  }

  do(step: Step): void {
    if (step.do === 'delete') {
      const live = this.get(step.ref.kind, step.ref)
      assert.equal(live?.metadata.uid, step.uid)
      this.objects.delete(`${step.ref.kind.kind}/${step.ref.namespace}/${step.ref.name}`)
      return
    }
    assert.equal(step.do, 'apply')
    const live = this.get(step.kind, { ...step.object.metadata, name: step.object.metadata.name ?? '' })
    const { metadata, spec } = (live ?? { metadata: {}, spec: {} }) as AnyResource
    const labels = { ...metadata.labels, ...step.object.metadata.labels }
    this.put({
      ...live,
      ...step.object,
      metadata: { ...metadata, ...step.object.metadata, labels },
      spec: { ...spec, ...step.object.spec },
    })
  }

  /** One pass over a booster; returns its writes as `apply Kind/name` and `delete Kind/name`. */
  pass(name = 'chat', fail?: (step: Step) => unknown): string[] {
    const booster = this.get(this.kinds.booster, { namespace: 'ml', name })
    assert.ok(booster)
    const observed = domain.observe(booster, this, signal)
    assert.ok(!(observed instanceof Promise))
    const plan = domain.plan(booster, observed, this.nowMs)
    const failures = []
    const written: string[] = []
    for (const stage of plan.stages) {
      for (const step of stage) {
        const error = fail?.(step)
        if (error === undefined) {
          this.do(step)
          written.push(describe(step))
        } else failures.push({ step, error })
      }
      if (failures.length > 0) break
    }
    const outcome: Outcome = { failures, written: written.length, complete: failures.length === 0 }
    const status = domain.status(booster, observed, outcome, this.nowMs)
    if (status !== undefined && !equalJson(status, booster.status)) {
      this.statusWrites++
      this.put({ ...this.named(`${this.kinds.booster.kind}/${name}`), status })
    }
    return written
  }

  /** What the serving controller tells of a serving. */
  serve(name: string, conditions: Partial<Condition>[], replicas = 1): void {
    const ref = `ModelServing/${name}`
    const { generation } = this.named(ref).metadata
    const status = { observedGeneration: generation, replicas, availableReplicas: replicas, conditions }
    this.edit(ref, (serving) => ({ ...serving, status }))
  }

  status(name = 'chat'): ModelBoosterStatus {
    return (this.named(`ModelBooster/${name}`) as AnyResource & { status?: ModelBoosterStatus }).status ?? {}
  }

  condition(type: string, name = 'chat'): Condition | undefined {
    return this.status(name).conditions?.find((condition) => condition.type === type)
  }

  /** `Initialized+ Active- …`: each condition with its status. */
  conditions(name = 'chat'): string {
    const signs = { True: '+', False: '-', Unknown: '?' }
    return (this.status(name).conditions ?? []).map(({ type, status }) => type + signs[status]).join(' ')
  }
}

function describe(step: Step): string {
  const object = step.do === 'apply' ? step.object : undefined
  const [kind, name] =
    object === undefined && 'ref' in step ? [step.ref.kind.kind, step.ref.name] : [object?.kind, object?.metadata.name]
  return `${step.do} ${kind}/${name}`
}

const available = [{ type: 'Available', status: 'True' as const }]

function chat(spec: Record<string, unknown>, name = 'chat'): AnyResource {
  return {
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelBooster',
    metadata: { name, namespace: 'ml' },
    spec,
  }
}
function backend(name: string, change: Record<string, unknown> = {}): Record<string, unknown> {
  const workers = [{ image: 'vllm/vllm-openai:latest' }]
  return { name, type: 'vLLM', modelURI: 'hf://o/m', minReplicas: 1, maxReplicas: 1, workers, ...change }
}
const policy = { metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }] }

function started(spec: Record<string, unknown>): World {
  const world = new World()
  world.put(chat(spec))
  world.pass()
  return world
}
function active(spec: Record<string, unknown>): World {
  const world = started(spec)
  for (const { metadata } of world.list(ModelServing)) world.serve(metadata.name ?? '', available)
  world.pass()
  assert.equal(world.condition('Active')?.status, 'True')
  return world
}
const setSpec = (world: World, spec: Record<string, unknown>) =>
  world.edit('ModelBooster/chat', (booster) => ({ ...booster, spec }))
const two = { backends: [backend('a', { routeWeight: 30 }), backend('b', { routeWeight: 70 })] }

test('C19, B-25, B-27, B-31, B-36: the life of one object', () => {
  const world = new World()
  world.put(chat(two))
  assert.deepEqual(world.pass(), [
    'apply ModelServing/chat-a',
    'apply ModelServing/chat-b',
    'apply ModelServer/chat-a',
    'apply ModelServer/chat-b',
    'apply ModelRoute/chat',
  ])
  assert.equal(world.conditions(), 'Initialized+ Active-')
  assert.equal(
    world.condition('Active')?.message,
    'ModelBooster not ready yet: 0/2 backends available, waiting for chat-a, chat-b',
  )
  assert.equal(world.status().observedGeneration, 1)
  assert.deepEqual(
    world.status().backendStatuses?.map(({ name, replicas }) => [name, replicas]),
    [
      ['chat-a', 0],
      ['chat-b', 0],
    ],
  )
  assert.equal(world.statusWrites, 1)

  world.serve('chat-a', [], 1)
  assert.deepEqual(world.pass(), [])
  world.serve('chat-a', available)
  world.pass()
  assert.equal(world.statusWrites, 1, 'progress alone is not worth a write')
  world.serve('chat-b', available)
  world.pass()
  assert.equal(world.conditions(), 'Initialized+ Active+')
  assert.equal(world.statusWrites, 2, 'two writes make a booster Active')
  assert.deepEqual(world.pass(), [])
  assert.equal(world.statusWrites, 2, 'a repeated pass writes nothing')

  setSpec(world, { backends: [backend('a', { routeWeight: 50 }), backend('b', { routeWeight: 70 })] })
  assert.deepEqual(world.pass(), ['apply ModelRoute/chat'])
  assert.equal(world.conditions(), 'Initialized+ Active+')
  assert.equal(world.status().observedGeneration, 2)

  const server = world.named('ModelServer/chat-b').spec
  world.remove('ModelServer/chat-b')
  assert.deepEqual(world.pass(), ['apply ModelServer/chat-b'])
  assert.deepEqual(world.named('ModelServer/chat-b').spec, server)

  world.edit('ModelRoute/chat', (route) => ({ ...route, spec: { ...route.spec, rules: [] } }))
  assert.deepEqual(world.pass(), ['apply ModelRoute/chat'])
  assert.equal(world.get(ModelRoute, { namespace: 'ml', name: 'chat' })?.spec.rules.length, 1)

  world.edit('ModelServer/chat-a', (one) => ({ ...one, metadata: { ...one.metadata, labels: {} } }))
  assert.deepEqual(world.pass(), ['apply ModelServer/chat-a'])
  assert.equal(
    world.named('ModelServer/chat-a').metadata.labels?.['workload.serving.volcano.sh/managed-by'],
    'workload.serving.volcano.sh',
  )

  setSpec(world, { backends: [backend('a', { routeWeight: 50 }), backend('c', { routeWeight: 70 })] })
  assert.deepEqual(world.pass(), ['apply ModelServing/chat-c', 'apply ModelServer/chat-c'])
  assert.equal(world.conditions(), 'Initialized+ Active-')
  assert.deepEqual(world.pass(), [], 'requests stay with b until c can answer them')
  world.serve('chat-c', available)
  assert.deepEqual(world.pass(), ['apply ModelRoute/chat'], 'routers hear of it before b goes')
  assert.deepEqual(world.pass(), ['delete ModelServer/chat-b', 'delete ModelServing/chat-b'])
  assert.equal(world.conditions(), 'Initialized+ Active+')
  assert.equal(world.status().observedGeneration, 3)

  setSpec(world, { backends: [backend('a', { type: 'MindIE' }), backend('c')] })
  assert.deepEqual(world.pass(), [], 'the children stay as they are')
  assert.equal(world.conditions(), 'Initialized+ Active- Failed+')
  assert.match(
    world.condition('Failed')?.message ?? '',
    /^spec\.backends\[0\]\.type: Unsupported value: "MindIE": .*use vLLM/,
  )
  setSpec(world, { backends: [backend('a', { routeWeight: 50 }), backend('c', { routeWeight: 70 })] })
  assert.deepEqual(world.pass(), [])
  assert.equal(world.conditions(), 'Initialized+ Active+ Failed-')
  assert.equal(world.condition('Failed')?.reason, 'ModelRecovered')

  const { statusWrites } = world
  world.edit('ModelBooster/chat', (booster) => ({
    ...booster,
    metadata: { ...booster.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
  }))
  world.remove('ModelServer/chat-a')
  assert.deepEqual(world.pass(), [], 'nothing is made anew while the booster is being deleted')
  assert.equal(world.statusWrites, statusWrites)
})

test('a handover ends when the user’s patience does, or at once where none is asked for', () => {
  const renamed = { backends: [backend('c')], updateStrategy: { timeout: '5m' } }
  const world = active({ backends: [backend('b')] })
  setSpec(world, renamed)
  assert.deepEqual(world.pass(), ['apply ModelServing/chat-c', 'apply ModelServer/chat-c'])
  const creationTimestamp = new Date(world.nowMs).toISOString()
  world.edit('ModelServing/chat-c', (one) => ({ ...one, metadata: { ...one.metadata, creationTimestamp } }))
  world.nowMs += 4 * 60_000
  assert.deepEqual(world.pass(), [])
  world.nowMs += 60_000
  assert.deepEqual(world.pass(), ['apply ModelRoute/chat'])
  assert.deepEqual(world.pass(), ['delete ModelServer/chat-b', 'delete ModelServing/chat-b'])

  const hasty = active({ backends: [backend('b')] })
  setSpec(hasty, { ...renamed, updateStrategy: { waitForReady: false } })
  assert.deepEqual(hasty.pass().slice(2), [
    'apply ModelRoute/chat',
    'delete ModelServer/chat-b',
    'delete ModelServing/chat-b',
  ])
})

test('a backend that leaves stays until routers have had time to hear of the route, also over a restart', () => {
  const world = active({ backends: [backend('a'), backend('b')] })
  setSpec(world, { backends: [backend('a')] })
  assert.deepEqual(world.pass(), ['apply ModelRoute/chat'])
  const time = new Date(world.nowMs).toISOString()
  const entry = {
    manager: kthena.controllerName,
    operation: 'Apply',
    time,
    apiVersion: 'v',
    fieldsType: 'FieldsV1',
    fieldsV1: {},
  }
  world.edit('ModelRoute/chat', (route) => ({
    ...route,
    metadata: { ...route.metadata, managedFields: [entry as never] },
  }))
  world.nowMs += 1_000
  assert.deepEqual(world.pass(), [])
  world.nowMs += 1_000
  assert.deepEqual(world.pass(), ['delete ModelServer/chat-b', 'delete ModelServing/chat-b'])
})

test('a backend that never served is not waited for', () => {
  const world = started({ backends: [backend('b')] })
  setSpec(world, { backends: [backend('c')] })
  assert.equal(world.pass().at(-1), 'delete ModelServing/chat-b')
})

test('B-25: a changed template keeps the booster from being Active until the serving has caught up', () => {
  const world = active({ backend: backend('a') })
  setSpec(world, { backend: backend('a', { workers: [{ image: 'vllm/vllm-openai:v2' }] }) })
  assert.deepEqual(world.pass(), ['apply ModelServing/chat-a'])
  assert.equal(world.conditions(), 'Initialized+ Active-')
  world.pass()
  assert.equal(world.conditions(), 'Initialized+ Active-', 'Available still speaks of the former generation')
  world.serve('chat-a', available)
  world.pass()
  assert.equal(world.conditions(), 'Initialized+ Active+')
})

test('progress is told when it takes long', () => {
  const world = started(two)
  world.serve('chat-a', available)
  world.nowMs += 31_000
  world.pass()
  assert.match(world.condition('Active')?.message ?? '', /1\/2 backends available, waiting for chat-b$/)
  assert.deepEqual(
    world.status().backendStatuses?.map(({ availableReplicas }) => availableReplicas),
    [1, 0],
  )
})

test('a wrong spec is told before anything is made, and nothing is initialized', () => {
  const world = started({ backends: [backend('a', { minReplicas: 3, maxReplicas: 2 })] })
  assert.equal(world.conditions(), 'Active- Failed+')
  assert.match(world.condition('Failed')?.message ?? '', /spec\.backends\[0\]\.minReplicas: .*; spec\.backends\[0\]: /)
  assert.equal(world.objects.size, 1)
})

test('pods that cannot start make the booster Failed, and their recovery clears it', () => {
  const world = started(two)
  const message = 'pod chat-b-0-leader-0-0, container engine: ImagePullBackOff: no such image; correct the image'
  world.serve('chat-b', [{ type: 'PodsFailing', status: 'True', reason: 'ImagePullBackOff', message }])
  world.pass()
  assert.equal(world.conditions(), 'Initialized+ Active- Failed+')
  assert.equal(world.condition('Failed')?.message, `chat-b: ${message}`)
  assert.ok(world.condition('Active')?.message.endsWith(`; chat-b: ${message}`))
  for (const name of ['chat-a', 'chat-b']) world.serve(name, [...available, { type: 'PodsFailing', status: 'False' }])
  world.pass()
  assert.equal(world.conditions(), 'Initialized+ Active+ Failed-')
})

test('a failed write is told, and what was Active stays so', () => {
  const world = active({ backend: backend('a') })
  world.remove('ModelServer/chat-a')
  const error = new Fault('unavailable', 'NoAnswer', 'the API server did not answer')
  world.pass('chat', () => error)
  assert.equal(world.conditions(), 'Initialized+ Active+ Failed+')
  assert.equal(world.condition('Failed')?.message, 'ModelServer chat-a: the API server did not answer')
  world.pass()
  assert.equal(world.conditions(), 'Initialized+ Active+ Failed-')
})

test('a server that does not know its kind as an owner yet is waited for, and no failure', () => {
  const world = new World()
  world.put(chat({ backend: backend('a') }))
  const error = new Fault(
    'unavailable',
    'OwnerKindUnknown',
    'the API server does not take a ModelBooster as an owner yet',
  )
  world.pass('chat', () => error)
  assert.equal(world.conditions(), 'Active-')
  assert.match(world.condition('Active')?.message ?? '', /does not take a ModelBooster as an owner yet/)
  world.pass()
  assert.equal(world.conditions(), 'Initialized+ Active-')
})

test('a write that lost against another is nothing to tell', () => {
  const world = new World()
  world.put(chat(two))
  world.pass('chat', () => new Fault('conflict', 'Conflict', 'changed in between'))
  assert.equal(world.statusWrites, 0)
})

test('a first apply that fails leaves the booster not initialized', () => {
  const world = new World()
  world.put(chat({ backend: backend('a') }))
  world.pass('chat', (step) => (describe(step).includes('Route') ? new Fault('invalid', 'Invalid', 'no') : undefined))
  assert.equal(world.conditions(), 'Active- Failed+')
  assert.equal(world.status().observedGeneration, undefined)
})

test('B-27: a name that is somebody else’s stops everything, and is named', () => {
  const world = new World()
  world.put({
    apiVersion: 'networking.serving.volcano.sh/v1alpha1',
    kind: 'ModelRoute',
    metadata: { name: 'chat', namespace: 'ml' },
    spec: { modelName: 'x', rules: [] },
  })
  world.put(chat({ backend: backend('a') }))
  assert.deepEqual(world.pass(), [])
  assert.equal(world.conditions(), 'Active- Failed+')
  assert.match(world.condition('Failed')?.message ?? '', /^ModelRoute chat: the name is taken/)
  world.remove('ModelRoute/chat')
  assert.equal(world.pass().length, 3)
  assert.equal(world.conditions(), 'Initialized+ Active- Failed-')
})

test('children of a former booster of the same name are waited for', () => {
  const world = active({ backend: backend('a') })
  world.remove('ModelBooster/chat')
  world.put({ ...chat({ backend: backend('a') }), metadata: { name: 'chat', namespace: 'ml', uid: 'another' } })
  assert.deepEqual(world.pass(), [])
  assert.equal(world.conditions(), 'Active-')
  assert.match(world.condition('Active')?.message ?? '', /waiting until the former ModelServing chat-a, .* is deleted/)
})

test('a child without its owner is adopted by its label', () => {
  const world = active({ backend: backend('a') })
  world.edit('ModelServer/chat-a', (server) => ({ ...server, metadata: { ...server.metadata, ownerReferences: [] } }))
  assert.deepEqual(world.pass(), ['apply ModelServer/chat-a'])
  assert.equal(controllerOf(world.named('ModelServer/chat-a'))?.name, 'chat')
})

test('another request name means another route, for its name cannot be changed', () => {
  const world = active({ backend: backend('a') })
  setSpec(world, { name: 'public', backend: backend('a') })
  assert.deepEqual(world.pass(), ['delete ModelRoute/chat'])
  assert.deepEqual(world.pass(), ['apply ModelRoute/chat'])
  assert.equal(world.get(ModelRoute, { namespace: 'ml', name: 'chat' })?.spec.modelName, 'public')
  assert.equal(world.conditions(), 'Initialized+ Active+')
})

const pool = { autoscalingPolicy: policy, backends: [backend('a', { scalingCost: 1, maxReplicas: 8 })] }
const own = { backends: [backend('a', { maxReplicas: 8, autoscalingPolicy: policy })] }

test('a policy is written, and whether it works is told once the booster is active', () => {
  const world = new World()
  world.put(chat(pool))
  assert.deepEqual(world.pass(), [
    'apply ModelServing/chat-a',
    'apply ModelServer/chat-a',
    'apply AutoscalingPolicy/chat',
    'apply ModelRoute/chat',
    'apply AutoscalingPolicyBinding/chat',
  ])
  assert.equal(world.conditions(), 'Initialized+ Active-')
})

test('B-29: a policy that moves to another level, or goes, takes its objects along', () => {
  const world = active(pool)
  setSpec(world, own)
  assert.deepEqual(world.pass(), [
    'apply AutoscalingPolicy/chat-a',
    'apply AutoscalingPolicyBinding/chat-a',
    'delete AutoscalingPolicyBinding/chat',
    'delete AutoscalingPolicy/chat',
  ])
  setSpec(world, { backends: [backend('a')] })
  assert.deepEqual(world.pass(), ['delete AutoscalingPolicyBinding/chat-a', 'delete AutoscalingPolicy/chat-a'])
  assert.equal(world.list(AutoscalingPolicyBinding).length, 0)
  assert.equal(world.conditions(), 'Initialized+ Active+')
})

/** What a scaler leaves behind. */
function scaledTo(world: World, replicas: number): void {
  world.edit('ModelServing/chat-a', (serving) => ({
    ...serving,
    metadata: {
      ...serving.metadata,
      managedFields: [
        {
          manager: 'scaler',
          operation: 'Update',
          apiVersion: serving.apiVersion,
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:spec': { 'f:replicas': {} } },
        },
      ],
    },
    spec: { ...serving.spec, replicas },
  }))
}

test('B-45: replicas that a scaler has set stay, and are not claimed', () => {
  const world = active(own)
  scaledTo(world, 5)
  setSpec(world, { backends: [{ ...own.backends[0], workers: [{ image: 'new' }] }] })
  const booster = world.get(ModelBooster, { namespace: 'ml', name: 'chat' })
  assert.ok(booster)
  const observed = domain.observe(booster, world, signal)
  assert.ok(!(observed instanceof Promise))
  const [step] = domain.plan(booster, observed, world.nowMs).stages[0] ?? []
  assert.ok(step?.do === 'apply')
  assert.ok(!('replicas' in (step.object.spec ?? {})))
  world.pass()
  assert.equal(world.get(ModelServing, { namespace: 'ml', name: 'chat-a' })?.spec.replicas, 5)
})

test('replicas beyond the bounds are brought back', () => {
  const world = active(own)
  scaledTo(world, 12)
  assert.deepEqual(world.pass(), ['apply ModelServing/chat-a'])
  assert.equal(world.get(ModelServing, { namespace: 'ml', name: 'chat-a' })?.spec.replicas, 8)
})

test('without a policy the replicas are ours', () => {
  const world = active({ backend: backend('a') })
  scaledTo(world, 5)
  assert.deepEqual(world.pass(), ['apply ModelServing/chat-a'])
  assert.equal(world.get(ModelServing, { namespace: 'ml', name: 'chat-a' })?.spec.replicas, 1)
})

test('B-24: a backend at zero does not keep the model from being Active; all at zero do', () => {
  const backends = [backend('a', { minReplicas: 0, maxReplicas: 2, scalingCost: 1 }), backend('b', { scalingCost: 1 })]
  const world = started({ autoscalingPolicy: policy, backends })
  world.serve('chat-b', available)
  world.pass()
  assert.equal(world.condition('Active')?.status, 'True')
  const none = started({ backend: backend('a', { minReplicas: 0, maxReplicas: 0 }) })
  assert.equal(none.condition('Active')?.reason, 'ModelScaledToZero')
})

test('other images of the platform reach new servings, and old ones only with another change', () => {
  const world = active({ backend: backend('a') })
  const data = { model_serving_runtime_image: 'mirror/runtime:2', model_serving_downloader_image: '' }
  const name = 'model-booster-controller-config'
  world.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'system' }, data })
  assert.deepEqual(world.pass(), [])
  setSpec(world, { backend: backend('a', { workers: [{ image: 'new' }] }) })
  world.pass()
  const pod = JSON.stringify(world.named('ModelServing/chat-a'))
  assert.match(pod, /"mirror\/runtime:2"/)
  assert.match(pod, /"kthena\/downloader:latest"/)
  assert.ok(world.list(ConfigMap).length === 1)
})

test('other images of the platform roll servings where the user wants that, and never an image that the user named', () => {
  const data = { model_serving_runtime_image: 'mirror/runtime:2' }
  const config = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'model-booster-controller-config', namespace: 'system' },
  }
  const following = active({ backend: backend('a'), updateStrategy: { followPlatformImages: true } })
  following.put({ ...config, data })
  assert.deepEqual(following.pass(), ['apply ModelServing/chat-a'])
  assert.match(JSON.stringify(following.named('ModelServing/chat-a')), /"mirror\/runtime:2"/)

  const own = active({ backend: backend('a', { runtime: { image: 'mine:1' } }) })
  own.put({ ...config, data })
  setSpec(own, { backend: backend('a', { runtime: { image: 'mine:2' } }) })
  assert.deepEqual(own.pass(), ['apply ModelServing/chat-a'])
  assert.match(JSON.stringify(own.named('ModelServing/chat-a')), /"mine:2"/)
  setSpec(own, { backend: backend('a') })
  own.pass()
  assert.match(JSON.stringify(own.named('ModelServing/chat-a')), /"mirror\/runtime:2"/)
})

test('B-08: another number of workers is applied, gang or not, and no rule of the serving stands against it', () => {
  const schema = compileSchema(ModelServing.schema())
  const serving = (world: World) => schema.default(world.named('ModelServing/chat-a'))
  for (const enabled of [true, false]) {
    const gang = { gangPolicy: { enabled } }
    const world = active({ backend: backend('a', gang) })
    const before = serving(world)
    setSpec(world, { backend: backend('a', { ...gang, workers: [{ image: 'vllm/vllm-openai:latest', replicas: 2 }] }) })
    assert.deepEqual(world.pass(), ['apply ModelServing/chat-a'])
    assert.deepEqual(schema.validate(serving(world), before), [])
    const { template } = world.get(ModelServing, { namespace: 'ml', name: 'chat-a' })?.spec ?? {}
    assert.deepEqual(template?.gangPolicy, enabled ? { minRoleReplicas: { leader: 2 } } : undefined)
  }
})

test('B-26: another target value reaches the policy, and nothing else', () => {
  const scaled = (targetValue: number) => ({
    backend: backend('a', { maxReplicas: 2, autoscalingPolicy: { metrics: [{ metricName: 'm', targetValue }] } }),
  })
  const world = active(scaled(10))
  setSpec(world, scaled(20))
  assert.deepEqual(world.pass(), ['apply AutoscalingPolicy/chat-a'])
})

test('B-07, B-30: other adapters of a hot backend are another route at most, and no serving goes or changes', () => {
  const env = [{ name: 'VLLM_ALLOW_RUNTIME_LORA_UPDATING', value: 'true' }]
  const hot = (name: string) => backend('a', { env, loraAdapters: [{ name, artifactURL: 'hf://o/l' }] })
  const world = active({ backends: [hot('sql'), backend('b')] })
  setSpec(world, { backends: [hot('fr'), backend('b')] })
  assert.deepEqual(world.pass(), ['apply ModelRoute/chat'])
  assert.ok(world.has('ModelServing/chat-a') && world.has('ModelServing/chat-b'))
})

test('B-34: an adapter that no engine could load is in no route, and is told with its pod', () => {
  const env = [{ name: 'VLLM_ALLOW_RUNTIME_LORA_UPDATING', value: 'true' }]
  const hot = (...names: string[]) => ({
    backend: backend('a', { env, loraAdapters: names.map((name) => ({ name, artifactURL: `hf://o/${name}` })) }),
  })
  const world = active(hot('sql'))
  setSpec(world, hot('sql', 'fr'))
  const loaded = { restarts: 0, adapters: { sql: 'hf://o/sql' }, failed: { fr: 'load fr: 500 no such source' } }
  world.put({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'p',
      namespace: 'ml',
      labels: { ...world.named('ModelServing/chat-a').metadata.labels, [kthena.podLabels.entry]: 'true' },
      annotations: { [loraAnnotations.loaded]: JSON.stringify(loaded) },
    },
    status: { phase: 'Running', conditions: [{ type: 'ContainersReady', status: 'True' }] },
  })
  assert.deepEqual(world.pass(), [])
  const { status, reason, message } = world.condition('LoraSynced') ?? {}
  assert.deepEqual([status, reason, message], ['False', 'AdaptersFailing', 'pod p: load fr: 500 no such source'])
})

test('a rollout strategy that is given up is given up in the serving', () => {
  const world = active({ backend: backend('a', { rolloutStrategy: { type: 'RoleRollingUpdate' } }) })
  setSpec(world, { backend: backend('a') })
  assert.deepEqual(world.pass(), ['apply ModelServing/chat-a'])
})

test('pods of a hot backend keep the adapters they start with until something else makes them anew', () => {
  const env = [{ name: 'VLLM_ALLOW_RUNTIME_LORA_UPDATING', value: 'true' }]
  const hot = (name: string, change: Record<string, unknown> = {}) => ({
    backend: backend('a', { env, loraAdapters: [{ name, artifactURL: 'hf://o/l' }], ...change }),
  })
  const started = (world: World) =>
    /lora-template":"\{\\"(\w+)/.exec(JSON.stringify(world.named('ModelServing/chat-a')))?.[1]
  const world = active(hot('sql'))
  const image = 'vllm/vllm-openai:latest'
  for (const change of [
    { rolloutStrategy: { type: 'RoleRollingUpdate' } },
    { workers: [{ image, replicas: 2 }] },
    { minReplicas: 2, maxReplicas: 2 },
  ]) {
    setSpec(world, hot('fr', change))
    world.pass()
    assert.equal(started(world), 'sql', JSON.stringify(change))
  }
  setSpec(world, hot('fr', { workers: [{ image: 'new' }] }))
  world.pass()
  assert.equal(started(world), 'fr')
})

test('a field given up in the spec is given up in the child', () => {
  const worker = { image: 'i', tolerations: [{ key: 't', operator: 'Exists' }] }
  const world = active({ backend: backend('a', { workers: [worker] }) })
  setSpec(world, { backend: backend('a', { workers: [{ image: 'i' }] }) })
  assert.deepEqual(world.pass(), ['apply ModelServing/chat-a'])
})

test('what the server fills in, and others add, is no drift', () => {
  const world = active({ backend: backend('a') })
  world.edit('ModelServing/chat-a', (serving) => {
    const pods = serving.spec?.['template'] as { roles: Record<string, unknown>[] }
    for (const role of pods.roles) role['maxUnavailable'] = 1
    return { ...serving, metadata: { ...serving.metadata, annotations: { by: 'hand' } } }
  })
  assert.deepEqual(world.pass(), [])
})

test('warnings are told once in one event', () => {
  const world = new World()
  world.put(chat({ backend: backend('a', { workers: [{ config: { maxModelLen: 1 } }] }) }))
  const booster = world.get(ModelBooster, { namespace: 'ml', name: 'chat' })
  assert.ok(booster)
  const observed = domain.observe(booster, world, signal)
  assert.ok(!(observed instanceof Promise))
  const { notes } = domain.plan(booster, observed, 0)
  assert.deepEqual(
    notes?.map(({ type, reason }) => [type, reason]),
    [['Warning', 'SpecWarning']],
  )
})

test('B-38: children wake their booster by owner or by label, and strangers wake nobody', () => {
  const world = active({ backend: backend('a') })
  const watch = controller.watches.find(({ kind }) => kind === ModelServer)
  assert.ok(watch)
  const server = world.named('ModelServer/chat-a')
  const { labels, ownerReferences } = server.metadata
  const wakes = (metadata: Resource['metadata']) =>
    watch.keysOf({ ...server, metadata: { namespace: 'ml', ...metadata } }, world)
  assert.deepEqual(wakes(server.metadata), ['ml/chat'])
  assert.deepEqual(wakes(labels === undefined ? {} : { labels }), ['ml/chat'])
  assert.deepEqual(wakes(ownerReferences === undefined ? {} : { ownerReferences }), ['ml/chat'])
  const foreign = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'chat', uid: 'x', controller: true }
  assert.deepEqual(wakes({ ownerReferences: [foreign] }), [])
  assert.deepEqual(wakes({ ownerReferences: [{ ...foreign, kind: 'ModelBooster' }] }), [])
  const beside = { ...foreign, controller: false, name: 'other' }
  assert.deepEqual(wakes({ ownerReferences: [beside, ...(ownerReferences ?? [])] }), ['ml/chat'])
  const config = controller.watches.find(({ kind }) => kind === ConfigMap)
  const map = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'system', name: 'model-booster-controller-config' },
  }
  assert.deepEqual(config?.keysOf(map, world), ['ml/chat'])
  assert.deepEqual(config?.keysOf({ ...map, metadata: { ...map.metadata, name: 'other' } }, world), [])
})

const testdata = join(import.meta.dirname, 'testdata')
for (const file of readdirSync(testdata).filter((name) => name.endsWith('.input.yaml'))) {
  test(`${file.slice(0, 3)}: what was planned and written plans nothing more`, () => {
    const booster = parse(readFileSync(join(testdata, file), 'utf8'), { version: '1.1' }) as AnyResource
    const world = new World(familyOf(booster))
    world.put(booster)
    const name = booster.metadata.name ?? ''
    assert.ok(world.pass(name).length >= 3)
    assert.deepEqual(world.pass(name), [])
    assert.equal(world.statusWrites, 1)
  })
}

/** Paths of all members below `value`, lists included. */
function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  const below = typeof value === 'object' && value !== null ? Object.entries(value) : []
  return [...(path.length === 0 ? [] : [[...path]]), ...below.flatMap(([key, one]) => pathsOf(one, [...path, key]))]
}

test('no JSON in any place makes a planner throw', () => {
  const specs = ['c01', 'c04', 'c05', 'c08', 'c10', 'c12', 'c13', 'c15', 'c17'].map((name) => {
    const text = readFileSync(join(testdata, `${name}.input.yaml`), 'utf8')
    return (parse(text, { version: '1.1' }) as AnyResource).spec ?? {}
  })
  const damage = fc.constantFrom(...specs).chain((spec) => {
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('vLLM', 'prefill', 'pvc://x', -1, 1e9))
    const place = fc.tuple(fc.constantFrom(...pathsOf(spec)), value)
    return fc.tuple(fc.constant(spec), fc.array(place, { minLength: 1, maxLength: 3 }))
  })
  fc.assert(
    fc.property(damage, ([spec, places]) => {
      const damaged = structuredClone(spec)
      for (const [path, value] of places) {
        const last = path.at(-1) ?? ''
        const holder = path
          .slice(0, -1)
          .reduce<unknown>((at, key) => (at as Record<string, unknown> | null)?.[key], damaged)
        if (typeof holder === 'object' && holder !== null) (holder as Record<string, unknown>)[last] = value
      }
      const world = new World()
      world.put(chat(damaged))
      world.pass()
      assert.deepEqual(world.pass(), [])
    }),
    { numRuns: 1000 },
  )
})

test('any mix of valid backends settles after one pass', () => {
  const one = fc.record({
    pods: fc.integer({ min: 1, max: 3 }),
    replicas: fc.integer({ min: 0, max: 3 }),
    adapters: fc.uniqueArray(fc.constantFrom('fr', 'sql', 'de')),
    cacheURI: fc.constantFrom(undefined, 'pvc://c', 'pvc://c/d', 'hostpath:///x'),
    scaled: fc.boolean(),
    paired: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 3 }), (mix) => {
      const backends = mix.map(({ pods, replicas, adapters, cacheURI, scaled, paired }, i) =>
        backend(`b${i}`, {
          type: paired ? 'vLLMDisaggregated' : 'vLLM',
          cacheURI,
          ...(scaled
            ? { minReplicas: 1, maxReplicas: 3, autoscalingPolicy: policy }
            : { minReplicas: replicas, maxReplicas: replicas }),
          workers: (paired ? ['prefill', 'decode'] : ['server']).map((type) => ({ type, image: 'i', pods })),
          loraAdapters: adapters.map((name) => ({ name, artifactURL: `hf://o/${name}` })),
        }),
      )
      const world = new World()
      world.put(
        chat({
          backends: backends.map((one) => ({
            ...one,
            maxReplicas: Math.max(1, Number(one['maxReplicas'])),
            minReplicas: one['maxReplicas'] === 0 ? 1 : one['minReplicas'],
          })),
        }),
      )
      assert.ok(world.pass().length >= 3, JSON.stringify(world.condition('Failed')))
      assert.deepEqual(world.pass(), [])
    }),
    { numRuns: 60 },
  )
})

test('a preview needs no outcome of writes', () => {
  const world = active({ backend: backend('a') })
  const booster = world.get(ModelBooster, { namespace: 'ml', name: 'chat' })
  assert.ok(booster)
  const observed = domain.observe(booster, world, signal)
  assert.ok(!(observed instanceof Promise))
  assert.deepEqual(domain.status(booster, observed, untouched, world.nowMs), booster.status)
  assert.equal(controller.name, kthena.controllerName)
})
