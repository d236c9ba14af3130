import type { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { dialectOf } from '#api/dialects.ts'
import type { ScalingHistory } from '#api/schemas/autoscaling-status.ts'
import type { Clock } from '#base/clock.ts'
import { eachOf } from '#base/each-of.ts'
import type { Reader } from '#controller/domain.ts'
import type { Client } from '#kube/client.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Resource } from '#machinery/meta.ts'
import { decide, type Decision, type Memories } from './decide.ts'
import { memoriesIn } from './history.ts'
import type { Demand, MemberFacts, MemberReading, PoolFacts } from './measure.ts'
import { type MemberProblem, type MemberState, memberState, type ReplicasField } from './members.ts'
import type { Normalised } from './normalise.ts'
import { Passes } from './passes.ts'
import { type GainsByPod, readPodMetrics, type ScrapeParts } from './pod-metrics.ts'
import { type PrometheusParts, queryPrometheus } from './prometheus-query.ts'
import { type RouterLoad, RouterLoads, type RouterLoadParts } from './router-load.ts'
import { ScaleReader } from './scale-reader.ts'
import type { Member, ScalingTarget } from './scaling-target.ts'

export interface AutoscalerParts extends ScrapeParts, PrometheusParts, RouterLoadParts {
  readonly client: Client
  readonly fetch: Fetch
  readonly clock: Clock
  /** How often a target is looked at. */
  readonly tickMs: number
  /** Told of every decision, whether it changes a number or not. */
  readonly onDecision?: (subject: Resource, decision: Decision) => void
}

/** How often a target without any instance is looked at: somebody may be waiting. */
export const wakeTickMs = 1_000
const membersAtOnce = 4

export type Observed =
  /** A policy without a target: a binding may use it. */
  | { readonly kind: 'idle' }
  /** Looked at a moment ago: the same numbers again would only be taken for new ones. */
  | { readonly kind: 'not-due'; readonly waitMs: number }
  | { readonly kind: 'refused'; readonly problem: Problem; readonly tickMs: number }
  | Measured

export interface Problem {
  readonly reason: string
  readonly message: string
}

export interface Measured {
  readonly kind: 'measured'
  readonly target: ScalingTarget
  readonly facts: PoolFacts
  readonly fields: Readonly<Record<string, ReplicasField>>
  readonly memories: Memories
  readonly tickMs: number
  /** When it is to be looked at again. */
  readonly nextInMs: number
  /** Whether this is the first look of this process. */
  readonly returning: boolean
}

export interface Subject {
  /** The policy or the binding. */
  readonly object: Resource & { readonly status?: { readonly history?: readonly ScalingHistory[] | undefined } }
  readonly policy: AutoscalingPolicy
  readonly normalised: Normalised
}

/** Reads all that a decision needs. What it remembers of counters and of its last look is no more than a cache. */
export class Observer {
  readonly #parts: AutoscalerParts
  readonly #loads: RouterLoads
  readonly #scales: ScaleReader
  readonly #passes: Passes

  constructor(parts: AutoscalerParts) {
    this.#parts = parts
    this.#loads = new RouterLoads(parts)
    this.#scales = new ScaleReader(parts.client, parts.clock)
    this.#passes = new Passes(parts.clock, parts.tickMs)
  }

  refuse(problem: Problem): Observed {
    return { kind: 'refused', problem, tickMs: this.#parts.tickMs }
  }

  async observe({ object, policy, normalised }: Subject, read: Reader, signal: AbortSignal): Promise<Observed> {
    if (!normalised.ok) return this.refuse(normalised)
    const { target } = normalised
    const { namespace = '', uid = '' } = object.metadata
    const members = target.pools.flatMap((pool) => pool.members)
    const around = { dialect: dialectOf(object), namespace, read }
    const states: MemberState[] = []
    for (const member of members) {
      const state = await memberState(member, { ...around, scales: this.#scales, signal })
      if (isProblem(state)) return this.refuse(state)
      states.push(state)
    }
    const load = states.some(needsLoad) ? await this.#loads.read() : undefined
    const pass = this.#passes.of(uid)
    const waitMs = pass.dueInMs(`${object.metadata.generation} ${policy.metadata.uid} ${policy.metadata.generation}`)
    if (waitMs > 0 && !states.some((state) => isWaitedFor(state, load))) {
      const asleep = states.some(({ current }) => current === 0)
      return { kind: 'not-due', waitMs: asleep ? Math.min(waitMs, wakeTickMs) : waitMs }
    }
    const { returning, nextInMs, gains } = pass.begin()
    const facts = await eachOf(states, membersAtOnce, async (state) => this.#factsOf(state, load, gains, signal))
    const measured: Measured = {
      kind: 'measured',
      target,
      facts: Object.fromEntries(states.map(({ member }, i) => [member.name, facts[i] as MemberFacts])), // one for each
      fields: Object.fromEntries(states.map(({ member, write }) => [member.name, write])),
      memories: memoriesIn(object.status?.history),
      tickMs: this.#parts.tickMs,
      nextInMs,
      returning,
    }
    const { onDecision, clock } = this.#parts
    if (onDecision !== undefined) {
      for (const decision of decide({ ...measured, nowMs: clock.now() }).decisions) onDecision(object, decision)
    }
    return measured
  }

  async #factsOf(
    state: MemberState,
    load: RouterLoad | undefined,
    gains: (member: string) => GainsByPod,
    signal: AbortSignal,
  ): Promise<MemberFacts> {
    const { member, current, podsEach, pods } = state
    const specs = member.metrics
    const own = { pods, specs, gains: gains(member.name), signal }
    const [fromPods, fromServers] = await Promise.all([readPodMetrics(this.#parts, own), this.#query(member, signal)])
    return { current, podsEach, readings: { ...fromPods, ...fromServers }, demand: demandFor(state, load) }
  }

  async #query({ metrics }: Member, signal: AbortSignal): Promise<Record<string, MemberReading>> {
    const queries = metrics.flatMap(({ name, source }) => (source?.kind === 'prometheus' ? [{ name, source }] : []))
    const readings = await Promise.all(queries.map(({ source }) => queryPrometheus(this.#parts, source, signal)))
    return Object.fromEntries(queries.map(({ name }, i) => [name, readings[i] as MemberReading])) // one for each
  }
}

function isProblem(state: MemberState | MemberProblem): state is MemberProblem {
  return 'reason' in state
}

function needsLoad({ member, current }: MemberState): boolean {
  return current === 0 || member.min === 0 || member.metrics.some(({ source }) => source?.kind === 'router')
}

function isWaitedFor({ current, servers }: MemberState, load: RouterLoad | undefined): boolean {
  return current === 0 && servers.some((server) => (load?.servers.get(server)?.waiting ?? 0) > 0)
}

/** Undefined when it cannot be told: a router that does not answer may have requests, unless others have some anyway. */
function demandFor(
  { servers }: MemberState,
  load: RouterLoad | undefined,
): Readonly<Record<string, Demand>> | undefined {
  if (load === undefined) return undefined
  const demand = Object.fromEntries(
    servers.flatMap((server) => {
      const found = load.servers.get(server)
      return found === undefined ? [] : [[server, found] as const]
    }),
  )
  const asked = Object.values(demand).some(({ inFlight, waiting }) => inFlight + waiting > 0)
  return load.complete || asked ? demand : undefined
}
