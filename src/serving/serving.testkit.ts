/** A ModelServing and its pods, as the functions of this folder see them. */
import type { Pod, Service } from '#api/core/types.generated.ts'
import { ModelServing, type ModelServingStatus } from '#api/model-serving.ts'
import { untouched } from '#controller/domain.ts'
import { compileSchema } from '#machinery/schema.ts'
import { historyOf, renderSnapshot } from './history.ts'
import type { ModelServer } from '#api/model-server.ts'
import type { RouterAnswer } from './routers.ts'
import type { Observed } from './observe.ts'
import { plan } from './plan.ts'
import { factsOf } from './pod-facts.ts'
import { status } from './status.ts'
import type { Volcano } from './volcano.ts'

export const nowMs = Date.parse('2026-01-01T00:00:00Z')

export const template = (version = 'v1', metadata?: object) => ({
  ...(metadata !== undefined && { metadata }),
  spec: {
    containers: [{ name: 'engine', image: `vllm/vllm-openai:${version}`, env: [{ name: 'GROUP_SIZE', value: '9' }] }],
  },
})

export const decode = (version = 'v1') => ({ name: 'decode', entryTemplate: template(version) })

export function serving(spec: object): ModelServing {
  return compileSchema(ModelServing.schema()).default({
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelServing',
    metadata: { name: 'chat', namespace: 'ml', uid: 'u-1', generation: 1 },
    spec: { template: { roles: [decode()] }, ...spec },
  }) as unknown as ModelServing
}

interface Beside {
  readonly services?: readonly Service[]
  /** The serving as it was when the pods were made, whose template was kept. */
  readonly of?: ModelServing
  readonly routers?: readonly RouterAnswer[]
  readonly servers?: readonly ModelServer[]
  readonly volcano?: Volcano
}

export function seen(
  pods: readonly Pod[],
  { services = [], of, routers = [], servers = [], volcano = 'absent' }: Beside = {},
): Observed {
  const revisions = of === undefined ? [] : [renderSnapshot(of, historyOf(of, [])) as never]
  return {
    pods,
    services,
    revisions,
    routers,
    servers,
    volcano,
    podGroups: [],
    facts: pods.map((pod) => factsOf('chat', pod)).filter((facts) => facts !== undefined),
  }
}

/** What the plan creates, made into pods that a cluster runs. */
export function running(object: ModelServing): Pod[] {
  return plan({ ...object, status: {} }, seen([]), nowMs)
    .stages.flat()
    .flatMap((step) => (step.do === 'create' && step.kind.kind === 'Pod' ? [step.object as unknown as Pod] : []))
    .map((pod) => ready({ ...pod, metadata: { ...pod.metadata, uid: `uid-${pod.metadata.name}` } }))
}

export const ready = (pod: Pod): Pod => is(pod, 'True')

export function is(pod: Pod, ready: 'True' | 'False'): Pod {
  const condition = { type: 'Ready', status: ready, lastTransitionTime: '2026-01-01T00:00:00Z' }
  return { ...pod, status: { phase: 'Running', conditions: [condition] } }
}

/** With a status; by default the one it has when all of it runs. */
export function told(
  object: ModelServing,
  said: ModelServingStatus | undefined = status({ ...object, status: {} }, seen(running(object)), untouched, nowMs),
): ModelServing {
  return said === undefined ? object : { ...object, status: said }
}

/** Names of the pods that the plan creates or deletes. */
export function stepsOf(
  object: ModelServing,
  pods: readonly Pod[],
  what: 'create' | 'delete',
  beside: Beside = {},
): string[] {
  return plan(object, seen(pods, beside), nowMs)
    .stages.flat()
    .flatMap((step) => {
      if (step.do !== what) return []
      if (step.do === 'create') return step.kind.kind === 'Pod' ? [step.object.metadata.name ?? ''] : []
      return step.do === 'delete' && step.ref.kind.kind === 'Pod' ? [step.ref.name] : []
    })
}

/** Phase of the first instance of a group. */
export const roleOf = (said: ModelServingStatus | undefined, group: number): string | undefined =>
  said?.groups?.find(({ ordinal }) => ordinal === group)?.roles[0]?.phase
