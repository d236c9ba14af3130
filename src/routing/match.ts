import {
  isReady,
  type RouteEntry,
  type RoutingSnapshot,
  type RuleEntry,
  type ServerEntry,
  type TargetEntry,
  type TokenLimit,
} from './snapshot.ts'

/** What of a request decides on its way. */
export interface MatchRequest {
  readonly model: string
  /** Without the query. */
  readonly path: string
  /** First value of a header by its name in lower case; empty when absent. */
  header(name: string): string
}

interface OnRoute {
  readonly route: string
  readonly limit?: TokenLimit
}

export type Match =
  /** `adapter` when the name is a LoRA adapter's, which must reach the engine unchanged. */
  | (OnRoute & { readonly found: 'server'; readonly server: ServerEntry; readonly adapter: boolean })
  /** A rule matched, and none of its targets can take a request. */
  | (OnRoute & { readonly found: 'unready'; readonly target: string; readonly dangling: boolean })
  /** Routes have the name, but no rule of theirs matched. */
  | { readonly found: 'no-rule' }
  | { readonly found: 'no-route' }

/**
 * Oldest route first, its first rule that matches, then one of that rule's targets by weight. `random` is in [0, 1).
 * Targets without a ready pod give their share to the others.
 */
export function match(snapshot: RoutingSnapshot, request: MatchRequest, random: number): Match {
  const routes = snapshot.byModel.get(request.model)
  const adapter = routes === undefined
  const candidates: readonly RouteEntry[] | undefined = routes ?? snapshot.byAdapter.get(request.model)
  if (candidates === undefined) return { found: 'no-route' }
  for (const route of candidates) {
    const rule = route.rules.find((candidate) => matches(candidate, request))
    const target = rule && pickBest(rule.targets, random)
    if (target === undefined) continue
    const { server } = target
    const on = { route: route.key, ...(route.limit !== undefined && { limit: route.limit }) }
    return server !== undefined && isReady(server)
      ? { found: 'server', ...on, server, adapter }
      : { found: 'unready', ...on, target: target.key, dangling: server === undefined }
  }
  return { found: 'no-rule' }
}

function matches(rule: RuleEntry, request: MatchRequest): boolean {
  return (
    (rule.bodyModel === undefined || rule.bodyModel === request.model) &&
    rule.headers.every(({ name, test }) => test(request.header(name))) &&
    (rule.uri === undefined || rule.uri(request.path))
  )
}

/** One that can answer; else one that exists, for there a request may wait for a pod; else one that dangles. */
function pickBest(targets: readonly TargetEntry[], random: number): TargetEntry | undefined {
  return (
    pickTarget(targets, random, ({ server }) => server !== undefined && isReady(server)) ??
    pickTarget(targets, random, ({ server }) => server !== undefined) ??
    pickTarget(targets, random, () => true)
  )
}

/** Undefined when the weights of the targets that qualify add up to nothing. */
function pickTarget(
  targets: readonly TargetEntry[],
  random: number,
  qualifies: (target: TargetEntry) => boolean,
): TargetEntry | undefined {
  let total = 0
  for (const target of targets) if (qualifies(target)) total += target.weight
  let left = random * total
  for (const target of targets) {
    if (!qualifies(target) || target.weight === 0) continue
    if (left < target.weight) return target
    left -= target.weight
  }
  return undefined
}
