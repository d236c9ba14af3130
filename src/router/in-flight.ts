import type { Endpoint, Pairing } from '#routing/snapshot.ts'

/** How many requests this router has under way at each pod: exact, and known without asking anybody. */
export class InFlight {
  readonly #counts = new Map<string, number>()

  of(endpoint: Endpoint): number {
    return this.#counts.get(endpoint.uid) ?? 0
  }

  /** Pods with requests under way, by uid. */
  all(): ReadonlyMap<string, number> {
    return this.#counts
  }

  add(endpoint: Endpoint): void {
    this.#counts.set(endpoint.uid, this.of(endpoint) + 1)
  }

  remove(endpoint: Endpoint): void {
    const count = this.of(endpoint) - 1
    if (count > 0) this.#counts.set(endpoint.uid, count)
    else this.#counts.delete(endpoint.uid)
  }
}

type Load = Pick<InFlight, 'of'>

/** The endpoint with the fewest requests under way; `random` in [0, 1) decides between equals. Excluded by uid. */
export function leastLoaded(
  endpoints: readonly Endpoint[],
  load: Load,
  random: number,
  excluded: ReadonlySet<string>,
): Endpoint | undefined {
  return least(endpoints, (endpoint) => (excluded.has(endpoint.uid) ? Infinity : load.of(endpoint)), random)
}

/** The pairing with the least loaded decode pod, and its least loaded prefill pod; neither of them an excluded one. */
export function leastLoadedPair(
  pairings: readonly Pairing[],
  load: Load,
  random: number,
  excluded: ReadonlySet<string>,
): { readonly decode: Endpoint; readonly prefill: Endpoint } | undefined {
  const loadOf = ({ decode, prefill }: Pairing) =>
    excluded.has(decode.uid) || prefill.every(({ uid }) => excluded.has(uid)) ? Infinity : load.of(decode)
  const pairing = least(pairings, loadOf, random)
  const prefill = pairing && leastLoaded(pairing.prefill, load, random, excluded)
  return prefill && { decode: pairing.decode, prefill }
}

/** Two walks and no allocation; a load of infinity is never chosen. */
function least<T>(items: readonly T[], loadOf: (item: T) => number, random: number): T | undefined {
  let lowest = Infinity
  let equals = 0
  for (const item of items) {
    const load = loadOf(item)
    if (load < lowest) {
      lowest = load
      equals = 0
    }
    if (load === lowest) equals++
  }
  if (lowest === Infinity) return undefined
  let skip = Math.floor(random * equals)
  return items.find((item) => loadOf(item) === lowest && skip-- === 0)
}
