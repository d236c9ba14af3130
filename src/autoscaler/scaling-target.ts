/**
 * What a policy scales, in the one shape that all of its spellings come to: pools of members.
 *
 *     one ModelServing        → one pool of one member
 *     several, by their cost  → one pool of several members
 *     the roles of one        → a pool of one member for each role, perhaps tied by a ratio
 */
import type { Requirement } from '#machinery/selector.ts'
import type { Behavior } from './behavior.ts'

export interface ScalingTarget {
  readonly shape: 'homogeneous' | 'heterogeneous' | 'disaggregated'
  /** Deviation from a metric's target that changes nothing: 0.1 is ten percent. */
  readonly toleranceRatio: number
  readonly behavior: Behavior
  readonly pools: readonly Pool[]
  /** Block growth of the cost order, in percent; see `cost-order.ts`. */
  readonly costExpansionRatePercent: number
  readonly ratio?: RatioConstraint
}

/** Members that take the same load, with the windows and the pace of one. */
export interface Pool {
  /** Name of the ModelServing or of the role; `pool` where there are several members. */
  readonly name: string
  readonly members: readonly Member[]
}

export interface Member extends Bounds {
  /** Unique among the members of the target: the name of the object, or of the role. */
  readonly name: string
  readonly ref: ScaleRef
  /** The role whose instances are counted; absent where it is the replicas of the whole object. */
  readonly role?: string
  /** Of one instance, compared with the other members. */
  readonly cost: number
  /** Of one instance, in instances of the weakest member. */
  readonly capacity: number
  /** Idle time before the last instance goes. */
  readonly zeroGraceMs: number
  readonly metrics: readonly MetricSpec[]
}

export interface Bounds {
  readonly min: number
  readonly max: number
}

/** An object with replicas, in the namespace of the policy. */
export interface ScaleRef {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
}

export interface MetricSpec {
  readonly name: string
  /** What one answering pod should have; above 0. */
  readonly target: number
  /** Undefined: nobody said where it comes from. */
  readonly source: MetricSource | undefined
}

export type MetricSource =
  | {
      readonly kind: 'pod'
      /** Name of the family in the exposition. */
      readonly metric: string
      readonly path: string
      readonly port: number
      /** Which of the target's pods to ask; all when empty. */
      readonly selector: readonly Requirement[]
      /** What one pod's series of the family come to. */
      readonly merge: SeriesMerge
    }
  | {
      readonly kind: 'prometheus'
      readonly serverUrl: string
      readonly query: string
      /** `AverageValue`: the query yields the total. `Value`: it yields an average or a ratio. */
      readonly type: 'Value' | 'AverageValue'
    }
  | { readonly kind: 'router'; readonly load: RouterLoadKind }

export type SeriesMerge = 'Sum' | 'Mean' | 'Max'
/** Requests at pods and held back, or held back alone. */
export type RouterLoadKind = 'requests' | 'waiting'

export interface RatioConstraint {
  readonly numerator: string
  readonly denominator: string
  readonly min: number
  readonly max: number
}
