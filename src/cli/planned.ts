/**
 * What would happen to the children of a booster, by the planner of the controller: its steps are carried out in an
 * imagined cluster, pass after pass, until it has no more. Nothing here knows what children there are.
 */
import { Secret } from '#api/core/kinds.ts'
import { dialectOf } from '#api/dialects.ts'
import { isServing } from '#api/family-kinds.ts'
import type { ModelBooster } from '#api/model-booster.ts'
import type { ModelServing } from '#api/model-serving.ts'
import { isObject } from '#base/json.ts'
import type { FieldError } from '#machinery/field-error.ts'
import { type FieldChange, fieldChanges } from '#machinery/field-changes.ts'
import { type Kind, placeOf } from '#machinery/kind.ts'
import { withoutLastApplied } from '#machinery/last-applied.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { observe } from '#booster/observe.ts'
import { plan } from '#booster/plan.ts'
import { type Child, settle } from '#booster/settle.ts'
import type { Step, Why } from '#controller/domain.ts'
import { afterApply } from '#controller/would-change.ts'
import { revisionOf, templatesOf } from '#serving/revision.ts'
import type { ImaginedCluster } from './imagined-cluster.ts'

export interface PlannedChange {
  readonly do: 'create' | 'change' | 'delete'
  readonly kind: string
  readonly namespace: string | undefined
  readonly name: string
  readonly why: Why
  /** Of what changes. */
  readonly fields: readonly FieldChange[]
  /** Fields of the booster that it comes from; empty where it comes from something else, such as an edit by hand. */
  readonly because: readonly string[]
  /** Whether running pods give way to others. */
  readonly restartsPods: boolean
  /** As it will be, of what is new without the defaults of the server; of what goes, as it is. */
  readonly object: AnyResource
}

export interface PlannedChildren {
  /** Why the booster cannot be converted. */
  readonly errors: readonly FieldError[]
  readonly changes: readonly PlannedChange[]
  readonly notes: readonly Why[]
  /** What keeps the plan from being carried out, or carried out at once. */
  readonly obstacles: readonly string[]
}

/** More than any booster comes to, should a plan never end. */
const mostChanges = 1_000

/** Leaves `cluster` as the controller would; where that waits, time passes. `home` is where the ConfigMap with the platform's images is. */
export function planChildren(
  booster: ModelBooster,
  cluster: ImaginedCluster,
  home: string | undefined,
  nowMs: number,
): PlannedChildren {
  const changes: PlannedChange[] = []
  let atMs = nowMs
  let idlePasses = 0
  for (;;) {
    const observed = observe(booster, cluster, home)
    const { conversion, wanted, hot } = observed
    const { stages, notes = [], recheckAfterMs } = plan(booster, observed, atMs)
    if (!conversion.ok) return { errors: conversion.errors, changes, notes, obstacles: [] }
    const done = stages.flat().flatMap((step) => carryOut(step, cluster))
    changes.push(...done)
    idlePasses = done.length === 0 ? idlePasses + 1 : 0
    if ((done.length === 0 && recheckAfterMs === undefined) || idlePasses > 1 || changes.length > mostChanges)
      return { errors: [], changes, notes, obstacles: settle(conversion.desired, wanted, hot).flatMap(obstacleOf) }
    atMs += recheckAfterMs ?? 0
  }
}

/** What is made is taken to come up: what waits for that is part of the plan. */
function serving(object: ModelServing): ModelServing {
  const available = {
    type: 'Available',
    status: 'True',
    reason: 'Planned',
    message: '',
    lastTransitionTime: '',
  } as const
  const observedGeneration = object.metadata.generation ?? 0
  return { ...object, status: { ...object.status, observedGeneration, conditions: [available] } }
}

function obstacleOf({ kind, desired, state }: Child): string[] {
  const name = `${kind.kind} ${desired.metadata.name}`
  if (state === 'foreign')
    return [`${name}: the name is taken by an object of somebody else; rename or delete one of the two`]
  return state === 'leaving' ? [`${name}: waits until its predecessor of this name is deleted`] : []
}

/** Who writes the children of a booster, and is recorded for it. */
export function controllerOf(object: Resource): { readonly manager: string } {
  return { manager: dialectOf(object).controllerName }
}

/** What is new stands as the controller writes it: that saves the schema of its kind, which costs a start most. */
function carryOut(step: Step, cluster: ImaginedCluster): PlannedChange[] {
  if (step.do === 'delete') {
    const live = cluster.get(step.ref.kind, step.ref)
    cluster.remove(step.ref.kind, step.ref)
    return live === undefined ? [] : [changeOf('delete', step.ref.kind, { before: live, after: live }, step.why)]
  }
  if (step.do !== 'apply') throw new TypeError(`the planner of boosters has no ${step.do}`)
  const before = cluster.get(step.kind, placeOf(step.object))
  const after =
    before === undefined ? step.object : afterApply(step.kind, before, step.object, controllerOf(step.object))
  if (after === before) return []
  cluster.put(isServing(after) ? serving(after) : after)
  return [changeOf(before === undefined ? 'create' : 'change', step.kind, { before, after }, step.why)]
}

export function changeOf(
  what: PlannedChange['do'],
  { kind }: Kind,
  { before, after }: { readonly before: Resource | undefined; readonly after: Resource },
  why: Why,
): PlannedChange {
  const { namespace, name = '' } = after.metadata
  return {
    do: what,
    kind,
    namespace,
    name,
    why,
    fields: what === 'change' ? fieldChanges(shown(before), shown(after)).map((change) => masked(kind, change)) : [],
    because: [],
    restartsPods: what === 'change' && before !== undefined && replacesPods(before, after),
    object: kind === Secret.kind ? withoutValues(shown(after)) : shown(after),
  }
}

const hidden = '(hidden)'

/** That a value of a Secret changes is told, and no value. */
function masked(kind: string, change: FieldChange): FieldChange {
  if (kind !== Secret.kind || !/^(data|stringData)\b/.test(change.field)) return change
  const { field } = change
  return { field, ...('before' in change && { before: hidden }), ...('after' in change && { after: hidden }) }
}

function withoutValues(secret: AnyResource): AnyResource {
  const hide = (values: unknown) =>
    isObject(values) ? Object.fromEntries(Object.keys(values).map((name) => [name, hidden])) : undefined
  const [data, stringData] = [hide(secret['data']), hide(secret['stringData'])]
  return { ...secret, ...(data && { data }), ...(stringData && { stringData }) }
}

/** Without what only the server writes. */
function shown(object: Resource | undefined): AnyResource {
  const { metadata, status: _, ...rest } = withoutLastApplied(object as AnyResource)
  const { managedFields: _m, resourceVersion: _r, generation: _g, creationTimestamp: _c, uid: _u, ...told } = metadata
  return { ...rest, metadata: told }
}

function replacesPods(before: Resource, after: Resource): boolean {
  if (!isServing(before) || !isServing(after)) return false
  return revisionOf(templatesOf(before)) !== revisionOf(templatesOf(after))
}
