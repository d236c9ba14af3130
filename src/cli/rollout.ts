/** `fairlead rollout`: how far a change of a ModelServing has come, what there was before, and the ways to steer it. */
import { setTimeout as pause } from 'node:timers/promises'
import { ControllerRevision } from '#api/core/kinds.ts'
import { servingAnnotations } from '#api/labels.ts'
import { ModelServing } from '#api/model-serving.ts'
import { systemClock, timestamp } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { controllerOf } from '#controller/owned.ts'
import type { Client } from '#kube/client.ts'
import { isConditionTrue } from '#machinery/conditions.ts'
import { formatAge, printTable } from '#machinery/table.ts'
import { type History, historyOf, type Snapshot } from '#serving/history.ts'
import { snapshotToUndo, undoPatch } from '#serving/undo.ts'
import { type ConnectOptions, connect } from './connect.ts'
import { exitCodes, usage } from './exit.ts'
import type { Io } from './io.ts'
import { parseTarget } from './known-kinds.ts'
import { yamlOf } from './yaml.ts'

export const rolloutActions = ['status', 'history', 'undo', 'restart', 'pause', 'resume'] as const
export type RolloutAction = (typeof rolloutActions)[number]

export interface RolloutFlags {
  readonly revision?: number
  readonly toRevision?: number
  readonly timeout?: number
  readonly watch?: boolean
  readonly output?: 'json'
}

export interface RolloutOptions extends ConnectOptions, RolloutFlags {
  readonly action: RolloutAction
  readonly what: string
  readonly name?: string
}

export async function rollout(options: RolloutOptions, io: Io): Promise<void> {
  const { kind, names } = parseTarget(options.what, options.name === undefined ? [] : [options.name])
  const [name] = names
  if (kind !== ModelServing) throw usage(`rollouts are those of a ModelServing, not of a ${kind.kind}`)
  if (name === undefined) throw usage(`say which: fairlead rollout ${options.action} modelserving/NAME`)
  await using cluster = connect(options, io)
  await actions[options.action]({ client: cluster.client, namespace: cluster.namespace, name }, options, io)
}

export interface RolloutTarget {
  readonly client: Client
  readonly namespace: string
  readonly name: string
}

type Action = (target: RolloutTarget, flags: RolloutFlags, io: Io) => Promise<void>

export const actions: Readonly<Record<RolloutAction, Action>> = {
  async status(target, { watch = true, timeout = 0, output }, io) {
    const endMs = timeout === 0 ? Number.POSITIVE_INFINITY : systemClock.now() + timeout * 1000
    let said = ''
    for (;;) {
      const serving = await read(target)
      const { done, line } = progressOf(serving)
      if (output === 'json')
        return io.write(`${JSON.stringify({ done, message: line, status: serving.status }, null, 2)}\n`)
      if (line !== said) io.write(`${(said = line)}\n`)
      if (done || !watch) return
      if (systemClock.now() >= endMs) {
        io.error(`error: not done within ${timeout} s`)
        return io.exit(exitCodes.failed)
      }
      await pause(lookAgainMs) // not of the clock, whose timers keep no process running
    }
  },

  async history(target, { revision, output }, io) {
    const serving = await read(target)
    const history = await historyIn(target, serving)
    if (revision !== undefined) {
      const { number, revision: name, roles } = snapshotToUndo(history, revision)
      const shown = { number, revision: name, roles }
      return io.write(output === 'json' ? `${JSON.stringify(shown, null, 2)}\n` : yamlOf(shown))
    }
    const rows = history.snapshots.map((snapshot) => rowOf(serving, history, snapshot))
    if (output === 'json') return io.write(`${JSON.stringify(rows, null, 2)}\n`)
    const cells = rows.map(({ number, revision: name, age, state, images }) => [
      number,
      name,
      age,
      state,
      images.join(' '),
    ])
    io.write(
      printTable(
        ['Revision', 'Name', 'Age', 'State', 'Images'].map((name) => ({ name })),
        cells,
      ),
    )
  },

  async undo(target, { toRevision }, io) {
    const serving = await read(target)
    mustBeFree(serving)
    const history = await historyIn(target, serving)
    const snapshot = snapshotToUndo(history, toRevision)
    if (snapshot.revision === history.update)
      return io.write(`${labelOf(target)} has revision ${snapshot.number} already\n`)
    await patch(target, undoPatch(serving, snapshot))
    io.write(`${labelOf(target)} goes back to revision ${snapshot.number}\n`)
  },

  async restart(target, _, io) {
    await patch(target, {
      metadata: { annotations: { [servingAnnotations.restartedAt]: timestamp(systemClock.now()) } },
    })
    io.write(`${labelOf(target)} restarts, at the pace of its rolloutStrategy\n`)
  },

  pause: (target, _, io) => setPaused(target, true, io),
  resume: (target, _, io) => setPaused(target, false, io),
}

const lookAgainMs = 200

const labelOf = ({ name }: RolloutTarget): string => `modelserving/${name}`

const read = ({ client, namespace, name }: RolloutTarget): Promise<ModelServing> =>
  client.get(ModelServing, { namespace, name })

function patch({ client, namespace, name }: RolloutTarget, change: Record<string, unknown>): Promise<ModelServing> {
  return client.patch(ModelServing, { namespace, name }, { type: 'merge', patch: change }, { fieldManager: 'fairlead' })
}

async function historyIn({ client, namespace }: RolloutTarget, serving: ModelServing): Promise<History> {
  const { items } = await client.list(ControllerRevision, { namespace })
  return historyOf(
    serving,
    items.filter((item) => controllerOf(item)?.uid === serving.metadata.uid),
  )
}

async function setPaused(target: RolloutTarget, paused: boolean, io: Io): Promise<void> {
  const { spec } = await read(target)
  const state = paused ? 'paused' : 'resumed'
  if ((spec.rolloutStrategy?.paused ?? false) === paused) return io.write(`${labelOf(target)} is ${state} already\n`)
  await patch(target, { spec: { rolloutStrategy: { paused: paused ? true : null } } })
  io.write(`${labelOf(target)} is ${state}\n`)
}

/** What owns it would put the template back at once. */
function mustBeFree(serving: ModelServing): void {
  const owner = controllerOf(serving)
  if (owner === undefined) return
  const message = `modelserving/${serving.metadata.name} belongs to ${owner.kind} ${owner.name}, which would put its template back; change the ${owner.kind} instead`
  throw new Fault('invalid', 'Owned', message)
}

interface HistoryRow {
  readonly number: number
  readonly revision: string
  readonly age: string
  readonly state: string
  readonly images: readonly string[]
}

function rowOf({ status }: ModelServing, history: History, { object, number, revision, roles }: Snapshot): HistoryRow {
  const created = Date.parse(object.metadata.creationTimestamp ?? '')
  const groups = status?.groups?.filter((group) => group.revision === revision).length ?? 0
  const state = [revision === history.update ? 'present' : '', groups > 0 ? `${groups} groups` : ''].filter(Boolean)
  const images = roles.flatMap(({ entryTemplate, workerTemplate }) =>
    [entryTemplate, workerTemplate].flatMap((each) => each?.spec.containers.map(({ image }) => image ?? '') ?? []),
  )
  return {
    number,
    revision,
    age: Number.isNaN(created) ? '' : formatAge(systemClock.now() - created),
    state: state.join(', '),
    images: [...new Set(images)],
  }
}

/** One line on how far it has come, for people. */
export function progressOf({ metadata, spec, status }: ModelServing): {
  readonly done: boolean
  readonly line: string
} {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    return { done: false, line: 'waiting for the change to be looked at' }
  }
  const counts = `${status?.updatedReplicas ?? 0} of ${spec.replicas} groups have the present template, ${status?.availableReplicas ?? 0} serve`
  if (isConditionTrue(status?.conditions, 'Available')) return { done: true, line: `done: ${counts}` }
  const trouble = status?.conditions?.find(({ type, status: is }) => type === 'PodsFailing' && is === 'True')?.message
  const paused = spec.rolloutStrategy?.paused === true ? '; paused, `fairlead rollout resume` lets it go on' : ''
  return { done: false, line: `${counts}${paused}${trouble === undefined ? '' : `; ${trouble}`}` }
}
