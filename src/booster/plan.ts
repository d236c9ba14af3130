/**
 * The writes that bring the children of a booster to what it wants, in an order in which requests keep being served:
 *
 *     servings, servers, policies → route, bindings → gone: bindings → policies, servers → servings
 *
 * The route is switched when what it points to is there, and before anything that it pointed to goes. Backends in place of
 * others are waited for in between, and so are routers that have yet to hear of it: `handover.ts`.
 */
import type { DialectKind } from '#api/dialects.ts'
import { partOf } from '#api/family-kinds.ts'
import type { ModelBooster } from '#api/model-booster.ts'
import { warnModelBooster } from '#api/model-booster-rules.ts'
import type { Plan, Step, Why } from '#controller/domain.ts'
import { formatFieldError } from '#machinery/field-error.ts'
import { type Kind, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { farewellMs, handoverOf, mayServe } from './handover.ts'
import type { Observed, Owned } from './observe.ts'
import { type Child, settle } from './settle.ts'
import { quietMsLeft } from './status.ts'

const applyStages: readonly (readonly DialectKind[])[] = [
  ['serving', 'server', 'policy'],
  ['route', 'binding'],
]
const deleteStages: readonly (readonly DialectKind[])[] = [['route', 'binding'], ['policy', 'server'], ['serving']]

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
  const stayMs = handover?.leftMs ?? farewellMs(observed, children, nowMs)
  const waits = children.some(({ state }) => state === 'leaving' || state === 'replaced')
  const stages = [
    ...applyStages.map((parts) =>
      inOrder(parts, children)
        .filter(({ live }) => handover?.routes.has(live?.metadata.uid ?? '') !== true)
        .flatMap(stepOf),
    ),
    ...(waits
      ? []
      : deleteStages.map((parts) =>
          inOrder(parts, unwanted(observed))
            .filter((owned) => stayMs === undefined || !mayServe(owned))
            .map((owned) => deleteStep(owned, 'no longer wanted')),
        )),
  ]
  const recheckAfterMs = waits ? takenRecheckMs : least(quietMsLeft(booster, nowMs), stayMs)
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

function inOrder<T extends { readonly kind: Kind }>(parts: readonly DialectKind[], items: readonly T[]): T[] {
  return parts.flatMap((part) => items.filter(({ kind }) => partOf(kind) === part))
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
