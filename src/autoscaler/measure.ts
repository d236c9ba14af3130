import type { MeasuredMetric, Reading, Sample } from './recommend.ts'
import type { Member, MetricSpec, Pool, RouterLoadKind } from './scaling-target.ts'

/** What one member was found to be. */
export interface MemberFacts {
  /** Instances that are asked for now. */
  readonly current: number
  /** Pods of one instance that give metrics; 1 or more. */
  readonly podsEach: number
  /** By the name of the metric. */
  readonly readings: Readonly<Record<string, MemberReading>>
  /** What routers have for the ModelServers of this member, by `namespace/name`; undefined when nobody could tell. */
  readonly demand: Readonly<Record<string, Demand>> | undefined
}

export type MemberReading =
  | {
      readonly kind: 'pods'
      readonly values: readonly number[]
      /** Whether twice the pods would show half of it each; a latency or a usage is not so. */
      readonly additive: boolean
      readonly missing: number
      readonly unready: number
      /** Why pods gave no value. */
      readonly why?: string
    }
  | { readonly kind: 'total'; readonly value: number }
  | { readonly kind: 'ratio'; readonly value: number }
  | { readonly kind: 'none'; readonly why: string }

export interface Demand {
  /** Requests at pods. */
  readonly inFlight: number
  /** Requests that no pod was there for. */
  readonly waiting: number
}

export type PoolFacts = Readonly<Record<string, MemberFacts>>

interface Measured {
  readonly member: Member
  readonly facts: MemberFacts
  readonly reading: MemberReading
}

/** The metrics of a whole pool, in units of its weakest member. */
export function measure(pool: Pool, facts: PoolFacts): MeasuredMetric[] {
  const specs = pool.members[0]?.metrics ?? []
  return specs.map((spec) => ({ name: spec.name, target: spec.target, reading: readingOf(spec, pool, facts) }))
}

/** What is asked of a pool, each ModelServer once; undefined when nobody could tell. */
export function demandOf(pool: Pool, facts: PoolFacts): Demand | undefined {
  const all = pool.members.map(({ name }) => facts[name]?.demand)
  if (all.includes(undefined)) return undefined
  const servers = new Map(all.flatMap((demand) => Object.entries(demand ?? {})))
  if (servers.size === 0) return undefined
  return sumOf([...servers.values()])
}

export function sumOf(demands: readonly Demand[]): Demand {
  return {
    inFlight: demands.reduce((sum, { inFlight }) => sum + inFlight, 0),
    waiting: demands.reduce((sum, { waiting }) => sum + waiting, 0),
  }
}

function readingOf({ name, source }: MetricSpec, pool: Pool, facts: PoolFacts): Reading {
  if (source?.kind === 'router') return routerReading(source.load, pool, facts)
  const measured = pool.members.flatMap((member): Measured[] => {
    const found = facts[member.name]
    return found === undefined ? [] : [{ member, facts: found, reading: found.readings[name] ?? notSaid }]
  })
  const kinds = new Set(measured.map(({ reading }) => reading.kind))
  if (kinds.has('pods')) return podsReading(measured)
  const silent = measured.find(({ reading }) => reading.kind === 'none')
  if (silent?.reading.kind === 'none') return silent.reading
  if (kinds.size !== 1) return { kind: 'none', why: 'the members of the pool measure it in different ways' }
  return kinds.has('total') ? { kind: 'total', value: valuesOf(measured).reduce((a, b) => a + b, 0) } : meanOf(measured)
}

const notSaid: MemberReading = { kind: 'none', why: 'no source is given for it' }

function routerReading(load: RouterLoadKind, pool: Pool, facts: PoolFacts): Reading {
  const demand = demandOf(pool, facts)
  if (demand === undefined) return { kind: 'none', why: 'no router could tell' }
  return { kind: 'total', value: demand.waiting + (load === 'requests' ? demand.inFlight : 0) }
}

function podsReading(measured: readonly Measured[]): Reading {
  const samples: Sample[] = []
  let missing = 0
  let unready = 0
  for (const { member, facts, reading } of measured) {
    const weight = member.capacity / facts.podsEach
    const wanted = facts.current * facts.podsEach
    if (reading.kind !== 'pods') {
      missing += wanted * weight
      continue
    }
    const factor = reading.additive ? 1 / facts.podsEach : weight
    for (const value of reading.values) samples.push({ value: value * factor, weight })
    const seen = reading.values.length + reading.missing + reading.unready
    missing += reading.missing * weight
    unready += (reading.unready + Math.max(wanted - seen, 0)) * weight
  }
  const [silence] = measured.flatMap(({ reading }) =>
    'why' in reading && reading.why !== undefined ? [reading.why] : [],
  )
  if (samples.length === 0) return { kind: 'none', why: silence ?? 'no pod is ready' }
  return { kind: 'pods', samples, missing, unready, ...(silence !== undefined && { silence }) }
}

/** Weighted by instances, for the more there are, the more of the load is theirs. */
function meanOf(measured: readonly Measured[]): Reading {
  const weights = measured.map(({ facts }) => facts.current)
  const whole = weights.reduce((a, b) => a + b, 0)
  const values = valuesOf(measured)
  const value = values.reduce((sum, each, i) => sum + each * (whole === 0 ? 1 : (weights[i] ?? 0)), 0)
  return { kind: 'ratio', value: value / (whole === 0 ? values.length : whole) }
}

function valuesOf(measured: readonly Measured[]): number[] {
  return measured.map(({ reading }) => ('value' in reading ? reading.value : 0))
}
