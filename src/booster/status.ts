/**
 * What a booster tells of itself.
 *
 * | condition | True when |
 * |---|---|
 * | `Initialized` | all children were written once |
 * | `Active` | every serving of this generation is available, and one at least is not scaled to zero |
 * | `Failed` | the spec cannot be converted, a write failed, a name is taken, or pods cannot start |
 * | `LoraSynced` | every engine has the adapters that it should have; told where they change while engines run |
 * | `AutoscalingActive` | the autoscaler can tell the number of every binding; told once the booster was active |
 * | `Degraded` | it may serve, but not all that was asked for comes true: another route goes first, there is no Volcano |
 *
 * `Active` has the first thing that stands in the way in its message, whatever that is: `kubectl get` shows it.
 *
 * A new booster costs two writes, so counts that move while it comes up are not worth one until it takes long.
 */
import { timestamp } from '#base/clock.ts'
import { isFault, messageOf } from '#base/fault.ts'
import { equalJson } from '#base/json.ts'
import type { ModelBooster, ModelBoosterStatus } from '#api/model-booster.ts'
import type { NormalBooster } from '#api/model-booster-normal.ts'
import { dialectOf } from '#api/dialects.ts'
import { isBinding, isServing, partOf } from '#api/family-kinds.ts'
import type { Outcome, StepFailure } from '#controller/domain.ts'
import { formatFieldError } from '#machinery/field-error.ts'
import type { Condition } from '#machinery/meta.ts'
import { type HotBackends, unsynced } from './lora/observed.ts'
import { handoverOf } from './handover.ts'
import type { Observed } from './observe.ts'
import { type Child, settle } from './settle.ts'
import { shortcomingOf } from './shortcoming.ts'

type BoosterConditionType = 'Initialized' | 'Active' | 'Failed' | 'LoraSynced' | 'AutoscalingActive' | 'Degraded'

/** How long mere progress is kept back after `Active` was last flipped. */
const quietMs = 30_000

type Telling = Pick<Condition, 'status' | 'reason' | 'message'>
type Tellings = { readonly [type in BoosterConditionType]?: Telling | undefined }

/** `undefined` where there is nothing new to tell. */
export function status(
  booster: ModelBooster,
  observed: Observed,
  outcome: Outcome,
  nowMs: number,
): ModelBoosterStatus | undefined {
  if (booster.metadata.deletionTimestamp !== undefined) return undefined
  const next = nextStatus(booster, observed, outcome, nowMs)
  const quiet = quietMsLeft(booster, nowMs) !== undefined
  return next === undefined || (quiet && equalJson(facts(next), facts(booster.status))) ? undefined : next
}

/** Milliseconds for which progress is not told yet; `undefined` where it is, or where there is none to come. */
export function quietMsLeft({ status }: ModelBooster, nowMs: number): number | undefined {
  const active = status?.conditions?.find(({ type }) => type === 'Active')
  if (active?.status !== 'False') return undefined
  const left = Date.parse(active.lastTransitionTime) + quietMs - nowMs
  return left > 0 ? left : undefined
}

/** What is told at once: everything but counts and the words around them, which stand before the first hindrance. */
function facts(status: ModelBoosterStatus | undefined): unknown {
  const conditions = status?.conditions?.map((condition) =>
    condition.type === 'Active' ? { ...condition, message: condition.message.split('; ').slice(1) } : condition,
  )
  const backends = status?.backendStatuses?.map(({ name, backend }) => ({ name, backend }))
  return { ...status, conditions, backendStatuses: backends }
}

function nextStatus(
  booster: ModelBooster,
  observed: Observed,
  outcome: Outcome,
  nowMs: number,
): ModelBoosterStatus | undefined {
  const { kind } = booster
  const { conversion, wanted } = observed
  const former = new Map(booster.status?.conditions?.map((condition) => [condition.type, condition]))
  const { observedGeneration, backends, backendStatuses } = booster.status ?? {}
  const build = (tellings: Tellings, rest: Omit<ModelBoosterStatus, 'conditions'>): ModelBoosterStatus => ({
    ...rest,
    conditions: conditionsOf(booster, former, tellings, nowMs),
  })
  const seen = observedGeneration === undefined ? {} : { observedGeneration }
  const before = {
    ...seen,
    ...(backends === undefined ? {} : { backends }),
    ...(backendStatuses === undefined ? {} : { backendStatuses }),
  }
  if (!conversion.ok) {
    const message = conversion.errors.map(formatFieldError).join('; ')
    return build({ Active: notReady(kind, message), Failed: failure(message) }, before)
  }
  const { desired } = conversion
  const children = settle(desired, wanted, observed.hot)
  const known = desired.policies.length > 0 ? former.get('AutoscalingActive') : undefined
  const scaling = known === undefined ? {} : { AutoscalingActive: known }
  const foreign = children.filter(({ state }) => state === 'foreign').map(nameOf)
  if (foreign.length > 0) {
    const message = `${foreign.join(', ')}: the name is taken by an object of somebody else; rename or delete one of the two`
    return build({ Active: notReady(kind, message), Failed: failure(message), ...scaling }, before)
  }
  const failures = outcome.failures.filter(({ error }) => !isFault(error, 'conflict') || error.code === 'NameConflict')
  if (failures.length > 0) {
    const active = former.get('Active')
    const message = failures.map(textOf).join('; ')
    const current = active?.observedGeneration === booster.metadata.generation ? active : notReady(kind, message)
    // A server that has just got our kinds: it learns of them by itself.
    const passes = failures.every(({ error }) => isFault(error) && error.code === 'OwnerKindUnknown')
    return build(
      { Active: current, ...(passes ? recovered(kind, former) : { Failed: failure(message) }), ...scaling },
      before,
    )
  }
  if (!outcome.complete) return undefined // someone wrote first; the next pass is on its way
  const leaving = children.filter(({ state }) => state === 'leaving' || state === 'replaced').map(nameOf)
  if (leaving.length > 0) {
    const waiting = notReady(kind, `waiting until the former ${leaving.join(', ')} is deleted`)
    return build({ Active: waiting, ...recovered(kind, former), ...scaling }, before)
  }
  const servings = children
    .filter(({ kind }) => partOf(kind) === 'serving')
    .map((child) => servingFacts(child, outcome))
  const hindrances = servings.flatMap(({ satisfied, hindrance }) => (satisfied || !hindrance ? [] : [hindrance]))
  const broken = hindrances.filter(({ definite }) => definite)
  const active = activity(kind, servings, hindrances)
  const written = handoverOf(observed, nowMs) === undefined
  return build(
    {
      Initialized: { status: 'True', reason: 'ModelCreating', message: `${kind} initialized` },
      Active: active,
      ...(broken.length > 0 ? { Failed: failure(textsOf(broken).join('; ')) } : recovered(kind, former)),
      LoraSynced: adaptersTold(desired.booster, observed.hot),
      ...(active.status === 'True' ? { AutoscalingActive: scalingOf(children) } : scaling),
      ...degradation(children, former),
    },
    {
      ...(written ? { observedGeneration: booster.metadata.generation ?? 0 } : seen),
      backends: servings.length,
      backendStatuses: servings.map((serving, i) => ({
        name: serving.name,
        backend: desired.backends[i]?.backend.name ?? '',
        replicas: serving.replicas,
        desiredReplicas: serving.desiredReplicas,
        availableReplicas: serving.availableReplicas,
        revision: serving.revision,
      })),
    },
  )
}

interface ServingFacts {
  readonly name: string
  readonly revision: string
  readonly replicas: number
  readonly desiredReplicas: number
  readonly availableReplicas: number
  /** Available in its present form, or scaled to zero. */
  readonly satisfied: boolean
  readonly hindrance: Hindrance | undefined
}

/** What keeps pods from starting; for certain, or perhaps for want of time only. */
interface Hindrance {
  readonly message: string
  readonly definite: boolean
}

function servingFacts({ desired, live, state }: Child, outcome: Outcome): ServingFacts {
  const serving = isServing(live) ? live : undefined
  const conditions = serving?.status?.conditions ?? []
  const find = (type: string) => conditions.find((condition) => condition.type === type)
  const desiredReplicas = serving?.spec.replicas ?? Number(desired.spec?.['replicas'] ?? 0)
  // What this pass has written is not in the observation: whatever it says is about the former spec.
  const written = state !== 'current' && outcome.written > 0
  const seen = (serving?.status?.observedGeneration ?? 0) >= (serving?.metadata.generation ?? 0)
  const available = serving !== undefined && !written && seen && find('Available')?.status === 'True'
  const failing = [find('PodsFailing'), find('NameConflict'), writeFailure(find('Progressing'))].find(isTrouble)
  return {
    name: desired.metadata.name ?? '',
    revision: desired.metadata.labels?.[dialectOf(desired).labels.revision] ?? '',
    replicas: serving?.status?.replicas ?? 0,
    desiredReplicas,
    availableReplicas: serving?.status?.availableReplicas ?? 0,
    satisfied: available || desiredReplicas === 0,
    hindrance:
      failing === undefined
        ? undefined
        : { message: `${desired.metadata.name}: ${failing.message}`, definite: failing.status === 'True' },
  }
}

function isTrouble(condition: Condition | undefined): condition is Condition {
  return condition !== undefined && condition.status !== 'False'
}

/** Pods that the API server refuses: a quota, a policy, a right that is missing. */
function writeFailure(progressing: Condition | undefined): Condition | undefined {
  return progressing?.reason === 'WriteFailed' ? { ...progressing, status: 'True' } : undefined
}

const textsOf = (hindrances: readonly Hindrance[]): string[] => hindrances.map(({ message }) => message)

function activity(kind: string, servings: readonly ServingFacts[], hindrances: readonly Hindrance[]): Telling {
  const waiting = servings.filter(({ satisfied }) => !satisfied).map(({ name }) => name)
  if (waiting.length > 0) {
    const count = `${servings.length - waiting.length}/${servings.length} backends available`
    return notReady(kind, [`${count}, waiting for ${waiting.join(', ')}`, ...textsOf(hindrances)].join('; '))
  }
  if (servings.every(({ desiredReplicas }) => desiredReplicas === 0)) {
    return { status: 'False', reason: 'ModelScaledToZero', message: 'all backends are scaled to zero' }
  }
  return { status: 'True', reason: 'ModelAvailable', message: `${kind} is ready` }
}

/** Told only while it is so, or was. */
function degradation(children: readonly Child[], former: ReadonlyMap<string, Condition>): Tellings {
  const shortcoming = shortcomingOf(children)
  if (shortcoming !== undefined) return { Degraded: { status: 'True', ...shortcoming } }
  if (!former.has('Degraded')) return {}
  return { Degraded: { status: 'False', reason: 'AsAsked', message: 'all that was asked for comes true' } }
}

/** `kind` is what the user wrote. */
function notReady(kind: string, detail?: string): Telling {
  const message = `${kind} not ready yet${detail === undefined ? '' : `: ${detail}`}`
  return { status: 'False', reason: 'ModelProcessing', message }
}

function failure(message: string): Telling {
  return { status: 'True', reason: 'ModelAbnormal', message }
}

/** As the bindings tell it: the first that is not scaled, if there is one. */
function scalingOf(children: readonly Child[]): Telling | undefined {
  const bindings = children.flatMap(({ live }) => (isBinding(live) ? [live] : []))
  const told = bindings.flatMap(({ metadata, status: { conditions = [] } = {} }) =>
    conditions.filter(({ type }) => type === 'ScalingActive').map((condition) => ({ name: metadata.name, condition })),
  )
  const idle = told.find(({ condition }) => condition.status !== 'True')
  if (idle === undefined) {
    return told.length === 0
      ? undefined
      : { status: 'True', reason: 'Scaling', message: 'replicas follow the autoscaling policy' }
  }
  const { reason, message } = idle.condition
  return { status: 'False', reason, message: `AutoscalingPolicyBinding ${idle.name}: ${message}` }
}

function adaptersTold(booster: NormalBooster, hot: HotBackends): Telling | undefined {
  if (hot.size === 0) return undefined
  const open = unsynced(booster, hot).toSorted((a, b) => Number(b.failed) - Number(a.failed))
  if (open.length === 0) return { status: 'True', reason: 'AdaptersLoaded', message: 'every engine has its adapters' }
  const reason = open.some(({ failed }) => failed) ? 'AdaptersFailing' : 'AdaptersLoading'
  return { status: 'False', reason, message: open.map(({ message }) => message).join('; ') }
}

/** A failure that is over is told as such; one that never was is not. */
function recovered(kind: string, former: ReadonlyMap<string, Condition>): Tellings {
  const failed = former.get('Failed')
  if (failed === undefined) return {}
  if (failed.status !== 'True') return { Failed: failed }
  return { Failed: { status: 'False', reason: 'ModelRecovered', message: `${kind} recovered` } }
}

const conditionOrder: readonly BoosterConditionType[] = [
  'Initialized',
  'Active',
  'Failed',
  'LoraSynced',
  'AutoscalingActive',
  'Degraded',
]

/** Of a condition that is not told anew, only `Initialized` stays: it speaks of the past. */
function conditionsOf(
  { metadata }: ModelBooster,
  former: ReadonlyMap<string, Condition>,
  tellings: Tellings,
  nowMs: number,
): Condition[] {
  return conditionOrder.flatMap((type) => {
    const before = former.get(type)
    const telling = tellings[type]
    if (telling === undefined) return type === 'Initialized' && before !== undefined ? [before] : []
    const { status, reason, message } = telling
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : timestamp(nowMs)
    const observedGeneration = metadata.generation ?? 0
    return [{ type, status, observedGeneration, lastTransitionTime, reason, message }]
  })
}

function nameOf({ kind, desired }: Child): string {
  return `${kind.kind} ${desired.metadata.name}`
}

function textOf({ step, error }: StepFailure): string {
  const name =
    'ref' in step ? `${step.ref.kind.kind} ${step.ref.name}` : `${step.kind.kind} ${step.object.metadata.name}`
  return `${name}: ${messageOf(error)}`
}
