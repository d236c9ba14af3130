/**
 * Who may lead, decided by everybody for themselves from a Lease that all of them see. The times written in it are for
 * people: clocks of different machines say nothing about each other. What counts is for how long *we* have seen the
 * lease unchanged, by our own clock.
 *
 *     holder        renews ──────x (dies)
 *     its fence     ▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒┤ renewDeadline after the last renewal was *sent*
 *     a candidate           sees it ─────────────────────┤ leaseDuration after it was *seen*: takes it
 *
 * It was seen after it was sent, so between the fence and the successor lies at least the difference of the two.
 */
import { microTimestamp } from '#base/clock.ts'
import type { Lease } from '#api/core/kinds.ts'

export interface ElectionTimings {
  /** For how long candidates wait for a holder who says nothing. */
  readonly leaseDurationMs: number
  /** A holder who could not renew for so long writes no more. */
  readonly renewDeadlineMs: number
  /** Between two renewals. */
  readonly retryPeriodMs: number
}

/** The lease as one candidate has seen it. */
export interface Sighting {
  /** As it last was; undefined when there never was one. */
  readonly lease: Lease | undefined
  /** Since when it has been so, by the candidate's own clock. */
  readonly sinceMs: number
  /** It was deleted: by whom, and whether its holder knows, nobody can tell. */
  readonly isGone: boolean
}

export type Verdict =
  /** Write a claim: for the first time, again as its holder, or in place of one who has gone silent. */
  | { readonly do: 'claim' }
  /** Somebody else may hold it until then. */
  | { readonly do: 'wait'; readonly untilMs: number; readonly holder: string }

export function judge({ lease, sinceMs }: Sighting, self: string, nowMs: number): Verdict {
  const { holderIdentity: holder = '', leaseDurationSeconds = 0 } = lease?.spec ?? {}
  if (holder === '' || holder === self) return { do: 'claim' }
  const untilMs = sinceMs + leaseDurationSeconds * 1000
  return nowMs >= untilMs ? { do: 'claim' } : { do: 'wait', untilMs, holder }
}

export interface LeasePlace {
  readonly namespace: string
  readonly name: string
}

export interface Claim {
  readonly place: LeasePlace
  readonly identity: string
  readonly leaseDurationMs: number
  /** The time of day. */
  readonly nowMs: number
}

/** The lease with this claim in it. The resourceVersion of `lease` stays, so that of two claims one fails. */
export function claimed(lease: Lease | undefined, { place, identity, leaseDurationMs, nowMs }: Claim): Lease {
  const now = microTimestamp(nowMs)
  const { holderIdentity, leaseTransitions = 0, acquireTime = now } = lease?.spec ?? {}
  const isRenewal = holderIdentity === identity
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: lease?.metadata ?? { ...place },
    spec: {
      ...lease?.spec,
      holderIdentity: identity,
      leaseDurationSeconds: Math.ceil(leaseDurationMs / 1000),
      acquireTime: isRenewal ? acquireTime : now,
      renewTime: now,
      leaseTransitions: isRenewal || lease === undefined ? leaseTransitions : leaseTransitions + 1,
    },
  }
}

/** The lease without a holder: whoever sees it takes it at once. */
export function released(lease: Lease, nowMs: number): Lease {
  return { ...lease, spec: { ...lease.spec, holderIdentity: '', renewTime: microTimestamp(nowMs) } }
}

/** What is wrong with these timings; undefined when nothing is. */
export function timingsError({ leaseDurationMs, renewDeadlineMs, retryPeriodMs }: ElectionTimings): string | undefined {
  if (retryPeriodMs <= 0) return 'the retry period must be longer than 0s'
  if (renewDeadlineMs < 2 * retryPeriodMs) return 'the renew deadline must be at least twice the retry period'
  if (leaseDurationMs <= renewDeadlineMs) return 'the lease duration must be longer than the renew deadline'
  return undefined
}
