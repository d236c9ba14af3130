import { ControllerRevision, Pod, Service } from '#api/core/kinds.ts'
import type { ModelServing } from '#api/model-serving.ts'
import { PodGroup } from '#api/volcano.ts'
import type { Plan, Step, Why } from '#controller/domain.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { nextNamingMs } from './failing.ts'
import { asksForGang, renderPodGroup } from './gang.ts'
import { askAgainMs, type Gated, gatesOf, gateStep, isExpected } from './gates.ts'
import { type Group, nextDeadlineMs } from './groups.ts'
import { type History, nextNumber, renderSnapshot } from './history.ts'
import { type Move, type MoveReason, rolesFor } from './moves.ts'
import { groupName, type PodPosition, positionOf, replicaName, serviceName } from './names.ts'
import type { Observed } from './observe.ts'
import { pluginErrors, readyAnnotations, tweakedPod } from './plugins/chain.ts'
import { renderPod, renderService } from './render-pod.ts'
import { lookAgainMs } from './volcano.ts'
import { graceMsOf, hasTemplate, type View, viewOf } from './view.ts'

/**
 * The snapshot of a template before all pods of it, so that none is ever without; services before pods, so that
 * `ENTRY_ADDRESS` resolves from the first moment on.
 */
export function plan(serving: ModelServing, observed: Observed, nowMs: number): Plan {
  if (serving.metadata.deletionTimestamp !== undefined || !hasTemplate(serving)) return { stages: [] }
  const view = viewOf(serving, observed, nowMs)
  const gates = gated(observed, view, nowMs)
  // Without its plugins a pod would be another than was asked for.
  const moves = pluginErrors(serving).length === 0 ? gates.moves : gates.moves.filter((move) => move.do === 'remove')
  const units = unitsWithService(serving, view, moves)
  return {
    stages: [
      snapshotSteps(serving, view.history),
      [...serviceSteps(serving, units), ...gangSteps({ serving, observed, view }, moves)],
      [
        ...gates.changes.map((change) => gateStep(change, serving.metadata.namespace ?? '', nowMs)),
        ...readySteps(serving, observed),
        ...moves.map((move) => podStep({ serving, observed, history: view.history }, move)),
        ...staleServices(serving, observed, units),
        ...staleGangs({ serving, observed, view }, moves),
      ],
      staleSnapshots(serving, observed, view),
    ],
    notes: phaseNotes(serving, view),
    ...(gates.waits ? { recheckAfterMs: askAgainMs } : recheck(serving, observed, view.groups, nowMs)),
  }
}

function gated({ pods, facts, routers, servers }: Observed, { moves }: View, nowMs: number): Gated {
  const labels = new Map(pods.map(({ metadata }) => [metadata.uid, metadata.labels]))
  return gatesOf({ pods: facts, moves, routers, nowMs, expected: ({ uid }) => isExpected(servers, labels.get(uid)) })
}

function snapshotSteps(serving: ModelServing, history: History): Step[] {
  const { update, snapshots } = history
  const kept = snapshots.find(({ revision }) => revision === update)
  if (kept === undefined) {
    const object = renderSnapshot(serving, history)
    const why = { reason: 'RevisionCreated', note: `template ${update} is revision ${nextNumber(history)}` }
    return [{ do: 'create', kind: ControllerRevision, object, why }]
  }
  if (kept === snapshots.at(-1)) return []
  const { name = '', namespace } = kept.object.metadata
  const number = nextNumber(history)
  return [
    {
      do: 'patch',
      ref: { kind: ControllerRevision, namespace, name },
      patch: [{ op: 'replace', path: '/revision', value: number }],
      why: {
        reason: 'RevisionReturned',
        note: `template ${update}, once revision ${kept.number}, is revision ${number}`,
      },
    },
  ]
}

/** Of the snapshots that nothing needs, the oldest beyond the limit. */
function staleSnapshots(serving: ModelServing, observed: Observed, { history, groups, wanted }: View): Step[] {
  const used = new Set([
    history.update,
    wanted.current,
    wanted.served,
    ...observed.facts.map((pod) => pod.revision),
    ...groups.flatMap((group) => [group.revision, ...group.replicas.map((replica) => replica.revision)]),
  ])
  const unused = history.snapshots.filter(({ revision }) => !used.has(revision))
  return unused.slice(0, Math.max(0, unused.length - serving.spec.revisionHistoryLimit)).map(({ object, number }) => ({
    do: 'delete',
    ref: { kind: ControllerRevision, namespace: object.metadata.namespace, name: object.metadata.name ?? '' },
    uid: object.metadata.uid ?? '',
    why: { reason: 'RevisionDeleted', note: `revision ${number} is beyond revisionHistoryLimit` },
  }))
}

interface Seen {
  readonly serving: ModelServing
  readonly observed: Observed
  readonly history: History
}

function podStep({ serving, observed, history }: Seen, move: Move): Step {
  const name = serving.metadata.name ?? ''
  const { position } = move.do === 'create' ? move : move.pod
  const unit = `${replicaName(position.role, position.replica)} of ${groupName(name, position.group)}`
  if (move.do === 'remove') {
    const { uid } = move.pod
    const ref = { kind: Pod, namespace: serving.metadata.namespace, name: move.pod.name }
    return { do: 'delete', ref, uid, why: { reason: 'RoleDeleting', note: `removing ${unit}: ${causes[move.reason]}` } }
  }
  const { revision, incarnation } = move
  const role = history.rolesOf(revision)?.find((each) => each.name === position.role)
  if (role === undefined) throw new Error(`no role ${position.role} in revision ${revision}`)
  const gang = observed.volcano !== 'absent' && asksForGang(serving)
  const place = { serving, role, position, revision, incarnation, gang }
  const made = (gated: boolean) => tweakedPod(serving, position, renderPod({ ...place, gated }))
  const plain = made(false)
  const isGated = position.index === 0 && isExpected(observed.servers, plain.metadata.labels)
  const object = (isGated ? made(true) : plain) as AnyResource
  return { do: 'create', kind: Pod, object, why: { reason: 'RoleCreating', note: `creating ${unit}` } }
}

/** What plugins want of pods that are ready. */
function readySteps(serving: ModelServing, { pods, facts }: Observed): Step[] {
  if (serving.spec.plugins === undefined || pluginErrors(serving).length > 0) return []
  const annotated = new Map(pods.map(({ metadata }) => [metadata.uid, metadata.annotations ?? {}]))
  return facts
    .filter(({ ready }) => ready)
    .flatMap(({ name, uid, position }) => {
      const annotations = readyAnnotations(serving, position)
      const has = annotated.get(uid) ?? {}
      if (Object.entries(annotations).every(([key, value]) => has[key] === value)) return []
      const metadata = { name, namespace: serving.metadata.namespace ?? '', uid, annotations }
      const why = { reason: 'PodAnnotated', note: `${name} is ready, and has the annotations of its plugins` }
      return [{ do: 'apply', kind: Pod, object: { apiVersion: 'v1', kind: 'Pod', metadata }, why } as const]
    })
}

const causes: Record<MoveReason, string> = {
  scale: 'fewer are wanted',
  rollout: 'the template changed',
  recovery: 'it lost a pod, so the recovery policy makes it anew',
}

type Unit = Omit<PodPosition, 'index'>

/** Units with a headless service, by its name: those of roles with workers, that stay or are about to be made. */
function unitsWithService(serving: ModelServing, { history, groups }: View, moves: readonly Move[]): Map<string, Unit> {
  const name = serving.metadata.name ?? ''
  const leaving = new Set(
    moves.flatMap((move) =>
      move.do === 'remove' && move.reason === 'scale' ? [serviceName(name, move.pod.position)] : [],
    ),
  )
  const stay = groups
    .filter((group) => !group.deleting && !group.gone)
    .flatMap((group) => group.replicas.map((replica) => ({ ...replica, group: group.ordinal })))
    .filter((replica) => replica.phase !== 'Deleting')
    .map(({ group, role, ordinal, revision }) => ({ group, role, replica: ordinal, revision }))
    .filter((unit) => !leaving.has(serviceName(name, unit)))
  const made = moves.flatMap((move) => (move.do === 'create' ? [{ ...move.position, revision: move.revision }] : []))
  const hasWorkers = (unit: Unit & { readonly revision: string | undefined }) =>
    (history.rolesOf(unit.revision) ?? serving.spec.template.roles).some(
      (role) => role.name === unit.role && role.workerTemplate !== undefined,
    )
  return new Map([...stay, ...made].filter(hasWorkers).map((unit) => [serviceName(name, unit), unit]))
}

interface Gangs {
  readonly serving: ModelServing
  readonly observed: Observed
  readonly view: View
}

/** For each group that is there or is about to be, from before its first pod on. */
function gangSteps({ serving, observed: { volcano }, view }: Gangs, moves: readonly Move[]): Step[] {
  if (volcano === 'absent' || !asksForGang(serving)) return []
  const why = { reason: 'PodGroupApplied', note: 'the pods of a group are placed all or none' }
  const { history, groups, wanted } = view
  const revisions = new Map(
    groups.filter(({ deleting, gone }) => !deleting && !gone).map((each) => [each.ordinal, each.revision]),
  )
  for (const move of moves) if (move.do === 'create') revisions.set(move.position.group, move.revision)
  return [...revisions].map(([ordinal, revision]) => ({
    do: 'apply',
    kind: PodGroup,
    object: renderPodGroup({
      serving,
      ordinal,
      roles: rolesFor(revision ?? history.update, wanted),
      templates: history.rolesOf(revision) ?? serving.spec.template.roles,
      subGroups: volcano === 'subGroups',
    }),
    why,
  }))
}

/** Of groups that are not there and not coming; of all of them when no gang is asked for any more. */
function staleGangs({ serving, observed: { podGroups }, view }: Gangs, moves: readonly Move[]): Step[] {
  const name = serving.metadata.name ?? ''
  const ordinals = [
    ...view.groups.map(({ ordinal }) => ordinal),
    ...moves.flatMap((move) => (move.do === 'create' ? [move.position.group] : [])),
  ]
  const kept = new Set(asksForGang(serving) ? ordinals.map((ordinal) => groupName(name, ordinal)) : [])
  return podGroups
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined && !kept.has(metadata.name ?? ''))
    .map(({ metadata }) => ({
      do: 'delete',
      ref: { kind: PodGroup, namespace: metadata.namespace, name: metadata.name ?? '' },
      uid: metadata.uid ?? '',
      why: { reason: 'PodGroupDeleted', note: 'its group is gone, or is placed pod by pod' },
    }))
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
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .filter(({ metadata }) => positionOf(serving.metadata.name ?? '', metadata.name ?? '') !== undefined)
    .filter((service) => hasDrifted(serving, service, units))
    .map(({ metadata }) => ({
      do: 'delete',
      ref: { kind: Service, namespace: metadata.namespace, name: metadata.name ?? '' },
      uid: metadata.uid ?? '',
      why: { reason: 'ServiceDeleted', note: 'its role replica is gone, or it selects others' },
    }))
}

/** A selector that somebody added to selects other pods, and applying ours leaves the addition. */
function hasDrifted(serving: ModelServing, { metadata, spec }: Service, units: ReadonlyMap<string, Unit>): boolean {
  const unit = units.get(metadata.name ?? '')
  if (unit === undefined) return true
  const own = Object(renderService(serving, unit).spec?.['selector']) as object
  return Object.keys(spec?.selector ?? {}).some((key) => !Object.hasOwn(own, key))
}

/** A role replica that has become ready since the status was last told. */
function phaseNotes(serving: ModelServing, { groups, memory }: View): Why[] {
  const name = serving.metadata.name ?? ''
  return groups.flatMap((group) =>
    group.replicas
      .filter(({ phase }) => phase === 'Running')
      .map(({ role, ordinal }) => replicaName(role, ordinal))
      .filter((replica) => memory.get(group.ordinal)?.replicas.get(replica)?.phase !== 'Running')
      .map((replica) => ({
        reason: 'RoleRunning',
        note: `${replica} of ${groupName(name, group.ordinal)} is running`,
      })),
  )
}

/** What is not ready comes as an event; should one be lost, nobody waits for long. */
const unreadyRecheckMs = 15_000

function recheck(serving: ModelServing, observed: Observed, groups: readonly Group[], nowMs: number) {
  const unready = groups.some((group) => !group.ready)
  const delays = [
    nextDeadlineMs(groups, graceMsOf(serving), nowMs),
    ...(unready ? [nextNamingMs(observed.pods, nowMs), unreadyRecheckMs] : []),
    // Its kind may come and go, and is not watched for that.
    asksForGang(serving) ? lookAgainMs : undefined,
  ].filter((delayMs) => delayMs !== undefined)
  return delays.length === 0 ? {} : { recheckAfterMs: Math.min(...delays) }
}
