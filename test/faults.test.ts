/**
 * Controllers killed at every single write, or at a sample of them. A run is a scenario with one fault: at its k-th write the line breaks, either
 * before the request left or before its answer came; nothing gets through any more, the controllers are killed and new
 * ones started. Then k + 1, until a run ends before its fault. Every run must end as the undisturbed one, and make as
 * many pods: a pod made twice was lost in between.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { Pod, Service } from '#api/core/kinds.ts'
import { modelLabels, servingLabels } from '#api/labels.ts'
import { Fault } from '#base/fault.ts'
import { thorough } from '#base/thorough.testkit.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Kind } from '#machinery/kind.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { startSimulation } from '#simulator/simulation.ts'
import { backend, modelBooster, modelServing, podTemplate, role } from './builders.ts'
import { type Machine, startMachine } from './machine.ts'
import { podsMadeFromNow } from './pods-made.ts'

const simulation = startSimulation()
after(() => simulation[Symbol.asyncDispose]())

interface Scenario {
  /** Brings the machine, whose controllers run undisturbed, to where the scenario begins. */
  readonly before?: (machine: Machine) => Promise<unknown>
  /** What the user does. */
  readonly act: (machine: Machine) => Promise<unknown>
  /** Resolves when all is as it shall be. */
  readonly done: (machine: Machine) => Promise<unknown>
}

const policy = { metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }] }
const image = 'vllm/vllm-openai:v2'

const two = modelBooster('chat', {
  autoscalingPolicy: policy,
  backends: [backend('a', { scalingCost: 1 }), backend('b', { scalingCost: 2 })],
})
const active = (machine: Machine) => machine.condition(ModelBooster, 'chat', 'Active')

const roles = (overrides = {}) => [
  role('prefill', { entryTemplate: podTemplate(overrides), workerReplicas: 1, workerTemplate: podTemplate(overrides) }),
  role('decode', { entryTemplate: podTemplate(overrides) }),
]
const serving = (overrides = {}, spec = {}) =>
  modelServing('pd', { replicas: 1, template: { roles: roles(overrides) }, ...spec })
const available = (machine: Machine) => machine.condition(ModelServing, 'pd', 'Available')

const scenarios: Record<string, Scenario> = {
  'a booster of seven children': { act: (machine) => machine.apply(two), done: active },
  'an update: another image, another weight, a backend less': {
    before: (machine) => machine.apply(two).then(() => active(machine)),
    act: (machine) => {
      const kept = backend('a', { routeWeight: 60, workers: [{ type: 'server', image }] })
      return machine.apply(modelBooster('chat', { updateStrategy: { waitForReady: false }, backends: [kept] }))
    },
    done: active,
  },
  'a serving of two roles and a worker': { act: (machine) => machine.apply(serving()), done: available },
  'a rollout and one group more': {
    before: (machine) => machine.apply(serving()).then(() => available(machine)),
    act: (machine) => machine.apply(serving({ image }, { replicas: 2 })),
    done: available,
  },
}

const modes = { 'before it was sent': false, 'after it had landed': true }

/** Not thoroughly: every fourth write, one mode at the even ones of them and the other at the odd. */
const stride = thorough ? 1 : 8
const firstOf = (lands: boolean) => (thorough || !lands ? 0 : 4)

for (const [name, scenario] of Object.entries(scenarios)) {
  test(`${name}: killed at ${thorough ? 'every single' : 'every fourth'} write, the controllers come to the same end`, async (t) => {
    const wanted = await run(t, scenario)
    const breakAll = async ([when, lands]: [string, boolean]): Promise<void> => {
      let at = firstOf(lands)
      for (let struck = true; struck; at += stride) {
        const fault = breakAt(at, lands)
        const end = await run(t, scenario, fault)
        struck = end.struck
        assert.deepEqual(end, { ...wanted, struck }, `write ${at}, ${when}: ${fault.what}`)
      }
      t.diagnostic(`broken ${when} up to write ${at - 2 * stride}`)
    }
    for (const mode of Object.entries(modes)) await breakAll(mode)
  })
}

interface Break {
  readonly between: (fetch: Fetch) => Fetch
  readonly struck: Promise<true>
  what: string
}

/** Breaks the line for ever at write `at`, which the server has seen if it `lands`. Events are no writes here. */
function breakAt(at: number, lands: boolean): Break {
  const { promise: struck, resolve } = Promise.withResolvers<true>()
  let writes = 0
  let broken = false
  const fault: Break = {
    struck,
    what: 'no fault',
    between: (fetch) => async (request) => {
      if (broken) throw new Fault('unavailable', 'ConnectionLost', 'the line is broken')
      const { pathname } = new URL(request.url)
      if (request.method === 'GET' || /\/events(\/|$)/.test(pathname) || writes++ !== at) return fetch(request)
      broken = true
      fault.what = `${request.method} ${pathname}`
      if (lands) await fetch(request)
      resolve(true)
      throw new Fault('unavailable', 'ConnectionLost', 'the line is broken')
    },
  }
  return fault
}

async function run(t: Parameters<typeof startMachine>[0], { before, act, done }: Scenario, fault?: Break) {
  await using machine = await startMachine(t, { simulation })
  if (before !== undefined) {
    await using _undisturbed = machine.start()
    await before(machine)
    await machine.settled()
  }
  using made = await podsMadeFromNow(machine)
  const first = machine.start(fault?.between)
  await act(machine)
  const arrived = done(machine).then(() => machine.settled())
  const struck = await Promise.race([fault?.struck ?? new Promise<never>(() => {}), arrived.then(() => false)])
  if (struck) {
    await first.kill()
    machine.start()
    await arrived
    await machine.settled()
  }
  // Nodes end pods in their own time, which no controller waits for.
  await machine.until('all that goes to be gone', async () => {
    const objects = (await Promise.all(kinds.map((kind) => machine.list(kind)))).flat()
    return objects.every(({ metadata }) => metadata.deletionTimestamp === undefined)
  })
  return { struck, objects: await objectsOf(machine), podsMade: await made.count() }
}

const kinds: readonly Kind[] = [
  ModelServing,
  ModelServer,
  ModelRoute,
  AutoscalingPolicy,
  AutoscalingPolicyBinding,
  Pod,
  Service,
] as readonly Kind[]

/** Everything there is, by kind and name, without what differs from run to run: uids, and the hashes of what has them. */
async function objectsOf(machine: Machine): Promise<Record<string, unknown>> {
  const objects = (await Promise.all(kinds.map((kind) => machine.list(kind)))).flat()
  const owners = [...(await machine.list(ModelBooster)), ...(await machine.list(ModelServing))]
  const names = new Map(owners.map(({ kind, metadata }) => [metadata.uid ?? '', `<uid of ${kind} ${metadata.name}>`]))
  const hashes = [servingLabels.revision, servingLabels.roleTemplateHash, modelLabels.revision]
  for (const { metadata } of objects) for (const hash of hashes) names.set(metadata.labels?.[hash] ?? '', `<${hash}>`)
  names.delete('')
  const steady = (value: unknown): unknown =>
    JSON.parse(
      [...names]
        .reduce((text, [varying, name]) => text.replaceAll(varying, name), JSON.stringify(value))
        .replaceAll(/(?<=kube-api-access-)\w{5}/g, '<random>'), // the volume that a cluster gives every pod
    ) as unknown
  return Object.fromEntries(
    objects.map((object) => [`${object.kind} ${object.metadata.name}`, steady(essence(object))]),
  )
}

function essence(object: Resource): unknown {
  const { metadata, spec } = object as AnyResource
  const { nodeName: _, ...rest } = spec ?? {}
  const { labels, ownerReferences, deletionTimestamp } = metadata
  return { labels, ownerReferences, deletionTimestamp, spec: rest }
}
