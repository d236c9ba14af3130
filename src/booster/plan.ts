/**
 * The writes that bring the children of a booster to what it wants, in an order in which requests keep being served:
 *
 *     servings, servers, policies → route, bindings → gone: bindings → policies, servers → servings
 *
 * The route is switched when what it points to is there, and before anything that it pointed to goes. Backends in place of
 * others are waited for in between: `handover.ts`.
 */
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import type { ModelBooster } from '#api/model-booster.ts'
import { warnModelBooster } from '#api/model-booster-rules.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { Plan, Step, Why } from '#controller/domain.ts'
import { formatFieldError } from '#machinery/field-error.ts'
import { type Kind, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { handoverOf, mayServe } from './handover.ts'
import type { Observed, Owned } from './observe.ts'
import { type Child, settle } from './settle.ts'
import { quietMsLeft } from './status.ts'

const applyStages: readonly (readonly Kind[])[] = [
  [ModelServing, ModelServer, AutoscalingPolicy],
  [ModelRoute, AutoscalingPolicyBinding],
]
const deleteStages: readonly (readonly Kind[])[] = [
  [ModelRoute, AutoscalingPolicyBinding],
  [AutoscalingPolicy, ModelServer],
  [ModelServing],
]

/** Until a name that is taken is looked at again, should no event tell that it is free. */
const takenRecheckMs = 30_000

export function plan(booster: ModelBooster, observed: Observed, nowMs: number): Plan {
  const { conversion, wanted } = observed
  if (booster.metadata.deletionTimestamp !== undefined) return { stages: [] }
  const notes = warnings(booster)
  if (!conversion.ok) return { stages: [], notes }
  const children = settle(conversion.desired, wanted, observed.hot)
  if (children.some(({ state }) => state === 'foreign')) return { stages: [], notes, recheckAfterMs: takenRecheckMs }
  const handover = handoverOf(observed, nowMs)
  const waits = children.some(({ state }) => state === 'leaving' || state === 'replaced')
  const stages = [
    ...applyStages.map((kinds) =>
      inOrder(kinds, children)
        .filter(({ live }) => handover?.routes.has(live?.metadata.uid ?? '') !== true)
        .flatMap(stepOf),
    ),
    ...(waits
      ? []
      : deleteStages.map((kinds) =>
          inOrder(kinds, unwanted(observed))
            .filter((owned) => handover === undefined || !mayServe(owned))
            .map((owned) => deleteStep(owned, 'no longer wanted')),
        )),
  ]
  const recheckAfterMs = waits ? takenRecheckMs : least(quietMsLeft(booster, nowMs), handover?.leftMs)
  return {
    stages: stages.filter((steps) => steps.length > 0),
    notes,
    ...(recheckAfterMs === undefined ? {} : { recheckAfterMs }),
  }
}

function least(...values: readonly (number | undefined)[]): number | undefined {
  const given = values.filter((value) => value !== undefined)
  return given.length === 0 ? undefined : Math.min(...given)
}

function inOrder<T extends { readonly kind: Kind }>(kinds: readonly Kind[], items: readonly T[]): T[] {
  return kinds.flatMap((kind) => items.filter((item) => item.kind === kind))
}

function stepOf({ kind, desired, live, state }: Child): Step[] {
  if (state === 'replaced' && live !== undefined) {
    return [deleteStep({ kind, object: live }, 'its model name cannot be changed')]
  }
  if (state !== 'missing' && state !== 'differs') return []
  const note = `${state === 'missing' ? 'created' : 'updated'} ${nameOf(kind, desired)}`
  return [{ do: 'apply', kind, object: desired, why: why(kind, 'Applied', note) }]
}

function unwanted({ owned, wanted }: Observed) {
  const uids = new Set(wanted.map(({ live }) => live?.metadata.uid))
  return owned.filter(({ object: { metadata } }) => metadata.deletionTimestamp === undefined && !uids.has(metadata.uid))
}

function deleteStep({ kind, object }: Owned, cause: string): Step {
  const note = `deleted ${nameOf(kind, object)}: ${cause}`
  return {
    do: 'delete',
    ref: { kind, ...placeOf(object) },
    uid: object.metadata.uid ?? '',
    why: why(kind, 'Deleted', note),
  }
}

function why(kind: Kind, verb: 'Applied' | 'Deleted', note: string): Why {
  return { reason: `${kind.kind.replace(/^Model|^Autoscaling/, '')}${verb}`, note }
}

function nameOf(kind: Kind, object: Resource): string {
  return `${kind.kind} ${object.metadata.name}`
}

function warnings(booster: ModelBooster): Why[] {
  const note = warnModelBooster(booster).map(formatFieldError).join('; ')
  return note === '' ? [] : [{ type: 'Warning', reason: 'SpecWarning', note }]
}
