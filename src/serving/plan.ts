import { Pod, Service } from '#api/core/kinds.ts'
import type { ModelServing } from '#api/model-serving.ts'
import type { Plan, Step, Why } from '#controller/domain.ts'
import { failingOf, probePatienceMs } from './failing.ts'
import { type Group, groupsOf, type Memory, nextDeadlineMs, type Rules } from './groups.ts'
import { type Move, type MoveReason, movesOf, type Wanted } from './moves.ts'
import { groupName, type PodPosition, positionOf, replicaName, serviceName } from './names.ts'
import type { Observed } from './observe.ts'
import { renderPod, renderService } from './render-pod.ts'
import { revisionOf } from './revision.ts'

/** Services before pods, so that `ENTRY_ADDRESS` resolves from the first moment on. */
export function plan(serving: ModelServing, observed: Observed, nowMs: number): Plan {
  if (serving.metadata.deletionTimestamp !== undefined) return { stages: [] }
  const groups = groupsIn(serving, observed, nowMs)
  const moves = movesOf(groups, wantedBy(serving))
  const units = unitsWithService(serving, groups, moves)
  return {
    stages: [
      serviceSteps(serving, units),
      [...moves.map((move) => podStep(serving, move)), ...staleServices(serving, observed, units)],
    ],
    notes: phaseNotes(serving, groups),
    ...recheck(serving, observed, groups, nowMs),
  }
}

export function groupsIn(serving: ModelServing, observed: Observed, nowMs: number): Group[] {
  return groupsOf(observed.facts, memoryOf(serving), rulesOf(serving), nowMs)
}

/** Roles without any replica make a group without pods, and of such there are none. */
export const wantedBy = ({ spec }: ModelServing): Wanted => ({
  replicas: spec.template.roles.some((role) => role.replicas > 0) ? spec.replicas : 0,
  roles: spec.template.roles,
  revision: revisionOf(spec.template.roles),
})

const rulesOf = ({ spec }: ModelServing): Rules => ({
  roles: spec.template.roles,
  recoveryPolicy: spec.recoveryPolicy,
  graceMs: Math.max(0, spec.template.restartGracePeriodSeconds) * 1000,
})

function memoryOf(serving: ModelServing): Memory {
  const groups = serving.status?.groups ?? []
  return new Map(groups.map(({ ordinal, roles }) => [ordinal, new Map(roles.map(({ name, phase }) => [name, phase]))]))
}

function podStep(serving: ModelServing, move: Move): Step {
  const name = serving.metadata.name ?? ''
  const { position } = move.do === 'create' ? move : move.pod
  const unit = `${replicaName(position.role, position.replica)} of ${groupName(name, position.group)}`
  if (move.do === 'remove') {
    const { uid } = move.pod
    const ref = { kind: Pod, namespace: serving.metadata.namespace, name: move.pod.name }
    return { do: 'delete', ref, uid, why: { reason: 'RoleDeleting', note: `removing ${unit}: ${causes[move.reason]}` } }
  }
  const role = serving.spec.template.roles.find((each) => each.name === position.role)
  if (role === undefined) throw new Error(`no role ${position.role}`)
  const object = renderPod({ serving, role, position, revision: revisionOf(serving.spec.template.roles) })
  return { do: 'create', kind: Pod, object, why: { reason: 'RoleCreating', note: `creating ${unit}` } }
}

const causes: Record<MoveReason, string> = {
  scale: 'fewer are wanted',
  rollout: 'the template changed',
  recovery: 'it lost a pod, so the recovery policy makes it anew',
}

type Unit = Omit<PodPosition, 'index'>

/** Units with a headless service, by its name: those of roles with workers, that stay or are about to be made. */
function unitsWithService(serving: ModelServing, groups: readonly Group[], moves: readonly Move[]): Map<string, Unit> {
  const name = serving.metadata.name ?? ''
  const { roles } = serving.spec.template
  const leaving = new Set(
    moves.flatMap((move) =>
      move.do === 'remove' && move.reason === 'scale' ? [serviceName(name, move.pod.position)] : [],
    ),
  )
  const stay = groups
    .filter((group) => !group.deleting)
    .flatMap((group) => group.replicas.map((replica) => ({ ...replica, group: group.ordinal })))
    .filter((replica) => replica.phase !== 'Deleting')
    .map(({ group, role, ordinal }): Unit => ({ group, role, replica: ordinal }))
    .filter((unit) => !leaving.has(serviceName(name, unit)))
  const made = moves.flatMap((move) => (move.do === 'create' ? [move.position] : []))
  return new Map(
    [...stay, ...made]
      .filter((unit) => roles.some((role) => role.name === unit.role && role.workerTemplate !== undefined))
      .map((unit) => [serviceName(name, unit), unit]),
  )
}

function serviceSteps(serving: ModelServing, units: ReadonlyMap<string, Unit>): Step[] {
  const why = { reason: 'ServiceApplied', note: 'the address of the entry pod' }
  return [...units.values()].map((unit) => ({
    do: 'apply',
    kind: Service,
    object: renderService(serving, unit),
    why,
  }))
}

function staleServices(serving: ModelServing, observed: Observed, units: ReadonlyMap<string, Unit>): Step[] {
  return observed.services
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined && !units.has(metadata.name ?? ''))
    .filter(({ metadata }) => positionOf(serving.metadata.name ?? '', metadata.name ?? '') !== undefined)
    .map(({ metadata }) => ({
      do: 'delete',
      ref: { kind: Service, namespace: metadata.namespace, name: metadata.name ?? '' },
      uid: metadata.uid ?? '',
      why: { reason: 'ServiceDeleted', note: 'its role replica is gone' },
    }))
}

/** A role replica that has become ready since the status was last told. */
function phaseNotes(serving: ModelServing, groups: readonly Group[]): Why[] {
  const memory = memoryOf(serving)
  const name = serving.metadata.name ?? ''
  return groups.flatMap((group) =>
    group.replicas
      .filter(({ phase }) => phase === 'Running')
      .map(({ role, ordinal }) => replicaName(role, ordinal))
      .filter((replica) => memory.get(group.ordinal)?.get(replica) !== 'Running')
      .map((replica) => ({
        reason: 'RoleRunning',
        note: `${replica} of ${groupName(name, group.ordinal)} is running`,
      })),
  )
}

function recheck(serving: ModelServing, observed: Observed, groups: readonly Group[], nowMs: number) {
  // A container that runs without becoming ready is named after a moment; from then on the time is told by minutes.
  const patienceMs = failingOf(observed.pods, nowMs) === undefined ? probePatienceMs : 60_000
  const delays = [
    nextDeadlineMs(groups, rulesOf(serving).graceMs, nowMs),
    groups.every((group) => group.ready) ? undefined : patienceMs,
  ].filter((delayMs) => delayMs !== undefined)
  return delays.length === 0 ? {} : { recheckAfterMs: Math.min(...delays) }
}
