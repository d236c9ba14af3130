/**
 * Capacity that users can reach. An entry pod is ready only when all routers send it requests, and it goes only when none
 * does any more and all of its answers are out:
 *
 *     Waiting ──all routers send it requests──► Open ──shall go──► Closed ──none does, no request under way──► deleted
 *        ▲                                                           │
 *        └───────────────────────shall stay after all────────────────┘
 *
 * Where no router answers there is nobody to wait for. The state is a condition of the pod, so a restart loses nothing.
 */
import { Pod } from '#api/core/kinds.ts'
import type { ModelServer } from '#api/model-server.ts'
import { roleOf, selectsLabels } from '#api/model-server-selector.ts'
import { routableGate } from '#api/labels.ts'
import { timestamp } from '#base/clock.ts'
import type { Step, Why } from '#controller/domain.ts'
import type { Move } from './moves.ts'
import type { PodFacts } from './pod-facts.ts'
import type { RouterAnswer } from './routers.ts'

/** How long answers that are under way may keep a pod from going. */
const longestDrainMs = 5 * 60_000
/** How soon to ask routers again. */
export const askAgainMs = 200

export interface GateView {
  readonly pods: readonly PodFacts[]
  readonly moves: readonly Move[]
  readonly routers: readonly RouterAnswer[]
  /** Whether routers shall ever send the pod requests. */
  expected(pod: PodFacts): boolean
  readonly nowMs: number
}

export interface GateChange {
  readonly pod: PodFacts
  readonly to: 'True' | 'False' | 'Unknown'
}

export interface Gated {
  /** Without those that wait for routers. */
  readonly moves: readonly Move[]
  readonly changes: readonly GateChange[]
  /** Somebody is waited for. */
  readonly waits: boolean
}

export function gatesOf(view: GateView): Gated {
  const leaving = new Set<string>()
  for (const move of view.moves) if (move.do === 'remove' && move.reason !== 'recovery') leaving.add(move.pod.uid)
  const changes: GateChange[] = []
  const held = new Set<number>()
  let waits = false
  for (const pod of view.pods) {
    if (pod.gate === undefined || pod.deleting) continue
    if (leaving.has(pod.uid)) {
      if (isEmpty(pod, view)) continue
      held.add(pod.position.group)
      if (pod.gate.state !== 'Closed') changes.push({ pod, to: 'False' })
    } else if (pod.gate.state === 'Closed') {
      changes.push({ pod, to: 'Unknown' })
    } else if (pod.gate.state === 'Waiting' && pod.gate.containersReady) {
      if (isRouted(pod, view)) changes.push({ pod, to: 'True' })
      else waits = true
    }
  }
  const moves = view.moves.filter(
    (move) => move.do === 'create' || !leaving.has(move.pod.uid) || !held.has(move.pod.position.group),
  )
  return { moves, changes, waits: waits || held.size > 0 }
}

/** Whether nothing is lost when the pod goes now. */
function isEmpty(pod: PodFacts, { routers, expected, nowMs }: GateView): boolean {
  const { gate } = pod
  if (gate === undefined || !gate.containersReady || !expected(pod)) return true
  if (routers.length === 0) return true
  if (gate.state !== 'Closed') return false
  if (nowMs - gate.sinceMs >= longestDrainMs) return true
  return routers.every(
    ({ routable, inFlight, silent }) => !silent && !routable.has(pod.uid) && (inFlight.get(pod.uid) ?? 0) === 0,
  )
}

function isRouted(pod: PodFacts, { routers, expected }: GateView): boolean {
  return !expected(pod) || routers.every(({ routable }) => routable.has(pod.uid))
}

/** Whether a ModelServer selects pods with these labels; in groups of prefill and decode only as one of both. */
export function isExpected(servers: readonly ModelServer[], labels: Readonly<Record<string, string>> = {}): boolean {
  return servers.some(
    (server) =>
      selectsLabels(server, labels) &&
      (server.spec.workloadSelector.pdGroup === undefined || roleOf(server, labels) !== undefined),
  )
}

const whys: Record<GateChange['to'], Why> = {
  True: { reason: 'PodRoutable', note: 'all routers send it requests' },
  False: { reason: 'PodDraining', note: 'it gets no more requests, and goes when its answers are out' },
  Unknown: { reason: 'PodKept', note: 'it stays after all' },
}

export function gateStep({ pod, to }: GateChange, namespace: string, nowMs: number): Step {
  const { reason, note } = whys[to]
  const condition = { type: routableGate, status: to, reason, message: note, lastTransitionTime: timestamp(nowMs) }
  return {
    do: 'apply',
    kind: Pod,
    subresource: 'status',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: pod.name, namespace, uid: pod.uid },
      status: { conditions: [condition] },
    },
    why: { reason, note: `${pod.name}: ${note}` },
  }
}
