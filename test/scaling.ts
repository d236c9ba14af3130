/** A world whose autoscaler goes by a clock and by metrics that the test makes up. */
import type { TestContext } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import { Fault } from '#base/fault.ts'
import { type ManualClock, manualClock } from '#base/manual-clock.testkit.ts'
import type { AutoscalingOptions } from '#cli/autoscaling.ts'
import type { Fetch } from '#machinery/http.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { modelServing, podTemplate } from './builders.ts'
import { type Machine, startMachine } from './machine.ts'

/** What the pod at an address exposes as `load`: undefined when it does not answer. */
export type PodLoad = (ip: string) => number | undefined

export interface ScalingWorld extends Machine {
  readonly clock: ManualClock
  /** Every pod asked, by its address. */
  readonly asked: string[]
  expose(load: PodLoad): void
  /** The same total, spread over the ready pods. */
  load(total: number): void
  /** One look at the metrics, and all that follows. */
  tick(seconds?: number): Promise<void>
  /** Starts the controllers. */
  boot(options?: AutoscalingOptions, between?: (fetch: Fetch) => Fetch): ReturnType<Machine['start']>
  replicas(name: string): Promise<number | undefined>
}

export async function startScalingWorld(t: Pick<TestContext, 'after'>): Promise<ScalingWorld> {
  const machine = await startMachine(t)
  const clock = manualClock(Date.now())
  const asked: string[] = []
  let exposed: PodLoad = () => undefined
  let total: number | undefined

  async function readyPods(): Promise<number> {
    const pods = await machine.list(Pod)
    return pods.filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined &&
        status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true,
    ).length
  }

  return {
    ...machine,
    clock,
    asked,
    expose(load) {
      total = undefined
      exposed = load
    },
    load(wanted) {
      total = wanted
    },
    async tick(seconds = 15) {
      await machine.settled()
      const ready = await readyPods()
      if (total !== undefined) {
        const each = total / Math.max(ready, 1)
        exposed = () => each
      }
      clock.advance(seconds * 1000)
      await machine.settled()
    },
    boot: (options = {}, between) =>
      machine.start(between, {
        clock,
        async fetch(request) {
          const { hostname, pathname } = new URL(request.url)
          if (pathname === '/debug/load') return fetch(request.url)
          asked.push(hostname)
          const value = exposed(hostname)
          if (value === undefined) throw new Fault('unavailable', 'ConnectionFailed', 'nothing listens there')
          return new Response(`# TYPE load gauge\nload ${value}\n`, { headers: { 'content-type': 'text/plain' } })
        },
        ...options,
      }),
    async replicas(name) {
      return (await machine.find(ModelServing, { namespace: 'default', name }))?.spec.replicas
    },
  }
}

type Loose = Record<string, unknown>

export function scalingPolicy(name: string, spec: Loose = {}): AnyResource {
  return object(AutoscalingPolicy, name, { metrics: [{ metricName: 'load', targetValue: 10 }], ...spec })
}

/** Follows what is asked for at once. */
export const atOnce: Loose = {
  scaleUp: { stablePolicy: { period: '0s' } },
  scaleDown: { period: '0s', stabilizationWindow: '0s' },
}

export function scalingBinding(name: string, change: Loose = {}, target: Loose = {}): AnyResource {
  const scalingConfiguration = {
    target: { targetRef: { name }, metricEndpoint: { port: 8000 }, ...target },
    minReplicas: 1,
    maxReplicas: 10,
    ...change,
  }
  return object(AutoscalingPolicyBinding, name, { policyRef: { name }, scalingConfiguration })
}

export function object(kind: Kind, name: string, spec: Loose, metadata: Loose = {}): AnyResource {
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name, namespace: 'default', ...metadata },
    spec,
  }
}

/** What requests for `name` need: a server over the serving of this name, and a route to it. */
export function routeTo(name: string, hold?: Loose): readonly AnyResource[] {
  const selector = { matchLabels: { 'modelserving.volcano.sh/name': name, 'modelserving.volcano.sh/entry': 'true' } }
  return [
    object(ModelServer, name, {
      model: 'tiny',
      inferenceEngine: 'vLLM',
      workloadSelector: selector,
      workloadPort: { port: 8000 },
      ...(hold !== undefined && { trafficPolicy: { hold } }),
    }),
    object(ModelRoute, name, {
      modelName: name,
      rules: [{ name: 'default', targetModels: [{ modelServerName: name }] }],
    }),
  ]
}

/** An engine that is ready as soon as it answers. */
export function engineServing(
  name: string,
  spec: Loose = {},
  roles: readonly Loose[] = [{ name: 'engine' }],
): AnyResource {
  const readinessProbe = { httpGet: { path: '/health', port: 8000 }, periodSeconds: 1 }
  return modelServing(name, {
    template: {
      roles: roles.map((role) => ({ entryTemplate: podTemplate({ readinessProbe }), workerReplicas: 0, ...role })),
    },
    ...spec,
  })
}
