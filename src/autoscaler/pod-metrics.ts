import type { Pod } from '#api/core/kinds.ts'
import type { Clock } from '#base/clock.ts'
import { eachOf } from '#base/each-of.ts'
import { isFault, messageOf } from '#base/fault.ts'
import { podAddress } from '#kube/pod-address.ts'
import type { Fetch } from '#machinery/http.ts'
import { matchesLabels } from '#machinery/selector.ts'
import type { Family } from './exposition.ts'
import { readExposition } from './exposition.ts'
import { fetchText } from './http-text.ts'
import { type Gains, observedOf, quantile, rateOf, withCounts } from './increments.ts'
import type { MemberReading } from './measure.ts'
import type { MetricSource, MetricSpec, SeriesMerge } from './scaling-target.ts'

export interface ScrapeParts {
  readonly fetch: Fetch
  readonly clock: Clock
  /** Told of every pod that was asked. */
  readonly onScrape?: (scrape: { readonly ok: boolean; readonly durationMs: number }) => void
}

type PodSource = Extract<MetricSource, { kind: 'pod' }>

const scrapeTimeoutMs = 3_000
/** Pods of one target asked at the same time. */
const scrapesAtOnce = 8
/** Of latencies: what most requests have to wait. */
const percent = 95

/** What counters had when they were last read, by pod and metric. Kept between passes, and lost with the process. */
export type GainsByPod = Map<string, Map<string, Gains>>

/**
 * Asks each ready pod once for each address that its metrics are at. A pod that does not answer is a missing one, whatever
 * the reason; pods that end are no pods at all, and a container that was restarted once is as good as any.
 */
export async function readPodMetrics(
  parts: ScrapeParts,
  {
    pods,
    specs,
    gains,
    signal,
  }: {
    readonly pods: readonly Pod[]
    readonly specs: readonly MetricSpec[]
    readonly gains: GainsByPod
    readonly signal: AbortSignal
  },
): Promise<Record<string, MemberReading>> {
  const living = pods.filter(isAlive)
  const wanted = specs.flatMap(({ name, source }) => (source?.kind === 'pod' ? [{ name, source }] : []))
  const places = [...Map.groupBy(wanted, ({ source }) => `${source.port}${source.path}`).values()]
  const calls = places.flatMap((group) =>
    living
      .filter(isReady)
      .map((pod) => ({ pod, group: group.filter(({ source }) => selects(source, pod)) }))
      .filter((call) => call.group.length > 0),
  )
  const scrapes = await eachOf(calls, scrapesAtOnce, ({ pod, group }) => scrape(parts, pod, group, signal))
  for (const uid of gains.keys()) if (!living.some(({ metadata }) => metadata.uid === uid)) gains.delete(uid)
  return Object.fromEntries(
    wanted.map(({ name, source }) => {
      const own = calls.flatMap(({ pod, group }, i) => {
        const asked = group.some((each) => each.name === name)
        return asked ? [{ pod, scraped: scrapes[i] ?? { families: new Map(), atMs: 0, why: 'not asked' } }] : []
      })
      const unready = living.filter((pod) => !isReady(pod) && selects(source, pod)).length
      return [name, readingOf(source, name, own, unready, gains)]
    }),
  )
}

function isAlive({ metadata, status }: Pod): boolean {
  return metadata.deletionTimestamp === undefined && status?.phase !== 'Failed' && status?.phase !== 'Succeeded'
}

function isReady({ status }: Pod): boolean {
  return (
    status?.phase === 'Running' &&
    status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true
  )
}

function selects({ selector }: PodSource, { metadata }: Pod): boolean {
  return matchesLabels(selector, metadata.labels)
}

interface Scraped {
  readonly families: ReadonlyMap<string, Family>
  readonly atMs: number
  /** Why there are none. */
  readonly why?: string
}

type Wanted = readonly { readonly name: string; readonly source: PodSource }[]

async function scrape(
  { fetch, clock, onScrape }: ScrapeParts,
  pod: Pod,
  wanted: Wanted,
  signal: AbortSignal,
): Promise<Scraped> {
  const startMs = clock.now()
  const [{ source } = { source: undefined }] = wanted
  const address = source === undefined ? undefined : podAddress(pod, source.port)
  if (address === undefined || source === undefined)
    return { families: new Map(), atMs: startMs, why: 'it has no address' }
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  const url = `http://${host}:${address.port}${source.path}`
  const tell = (ok: boolean) => onScrape?.({ ok, durationMs: clock.now() - startMs })
  try {
    const request = { fetch, clock, url, accept: 'text/plain', timeoutMs: scrapeTimeoutMs, signal }
    const families = readExposition(await fetchText(request), new Set(wanted.map((each) => each.source.metric)))
    tell(true)
    return { families, atMs: clock.now() }
  } catch (error) {
    if (signal.aborted || !isFault(error)) throw error
    tell(false)
    return { families: new Map(), atMs: startMs, why: messageOf(error) }
  }
}

function readingOf(
  source: PodSource,
  name: string,
  scrapes: readonly { readonly pod: Pod; readonly scraped: Scraped }[],
  unready: number,
  gains: GainsByPod,
): MemberReading {
  const values: number[] = []
  const silent: string[] = []
  let additive = source.merge === 'Sum'
  for (const { pod, scraped } of scrapes) {
    const family = scraped.families.get(source.metric)
    if (family?.type === 'histogram') additive = false
    const value =
      family === undefined
        ? (scraped.why ?? `it does not expose ${source.metric}`)
        : valueOf(family, source.merge, (counts, layout) =>
            gained(gains, pod, name, { counts, layout, atMs: scraped.atMs }),
          )
    if (typeof value === 'number') values.push(value)
    else silent.push(`pod ${pod.metadata.name}: ${value}`)
  }
  const more = silent.length > 1 ? ` (and ${silent.length - 1} more)` : ''
  const why = silent[0] === undefined ? undefined : `${silent[0]}${more}`
  return { kind: 'pods', values, additive, missing: silent.length, unready, ...(why !== undefined && { why }) }
}

function gained(byPod: GainsByPod, { metadata: { uid = '' } }: Pod, metric: string, counted: Gains['last']): Gains {
  let own = byPod.get(uid)
  if (own === undefined) byPod.set(uid, (own = new Map()))
  const gains = withCounts(own.get(metric), counted)
  own.set(metric, gains)
  return gains
}

/** One pod's number, or why there is none. */
function valueOf(
  { type, values, buckets }: Family,
  merge: SeriesMerge,
  gain: (counts: readonly number[], layout: string) => Gains,
): number | string {
  switch (type) {
    case 'summary':
      return 'it exposes a summary, whose quantiles cannot be put together; use a histogram or a gauge'
    case 'histogram': {
      if (buckets === undefined) return 'its histogram has no buckets'
      if (!buckets.counts.every(Number.isFinite)) return 'its histogram counts what is no number'
      const observed = observedOf(gain(buckets.counts, buckets.bounds.join()), buckets.bounds)
      if (observed === undefined) return 'it was looked at once only: what is new, the next look tells'
      return quantile(observed, percent) ?? 'it has observed nothing of late'
    }
    case 'counter': {
      const total = values.reduce((sum, each) => sum + each, 0)
      if (!Number.isFinite(total)) return 'its counter is no number'
      return rateOf(gain([total], 'counter')) ?? 'it was looked at once only: the next look tells the rate'
    }
    case 'gauge':
    case 'untyped': {
      const value = merged(values, merge)
      return Number.isFinite(value) && value >= 0 ? value : `its value is ${value}`
    }
  }
}

function merged(values: readonly number[], merge: SeriesMerge): number {
  if (merge === 'Max') return Math.max(...values)
  const sum = values.reduce((total, each) => total + each, 0)
  return merge === 'Mean' ? sum / values.length : sum
}
