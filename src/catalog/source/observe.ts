import { hash } from 'node:crypto'
import type { AIMClusterModelSource } from '#api/aim-cluster-model-source.ts'
import { AIMClusterModel, type AIMModel } from '#api/aim-model.ts'
import type { Clock } from '#base/clock.ts'
import { isFault } from '#base/fault.ts'
import { canonicalJson } from '#base/json.ts'
import type { Reader } from '#controller/domain.ts'
import { controllerOf } from '#controller/owned.ts'
import { canonicalImage } from '../image.ts'
import { missingMessage, missingOf, secretReferences, secretVersions } from '../references.ts'
import type { Problem } from '../rollup.ts'
import { type Candidate, candidatesOf } from './candidates.ts'
import { type Filter, readFilters } from './filter.ts'
import { type FilterResult, type ImageLists, search } from './search.ts'

/** What a pass over a model source decides from. */
export interface Observed {
  /** Stands for what is asked, and with which secrets. */
  readonly request: string
  /** Why nobody can be asked. */
  readonly problem: Problem | undefined
  /** What registries said; undefined when it was not the time to ask them. */
  readonly sync: Sync | undefined
  /** The source's own. */
  readonly models: readonly AIMModel[]
}

export interface Sync {
  readonly results: readonly FilterResult[]
  /** All that match, but for what other people's models have already. */
  readonly available: readonly Candidate[]
  /** Those of them that have no model yet. */
  readonly missing: readonly Candidate[]
}

export interface SourceMeans {
  readonly clock: Clock
  /** Of the pull secrets. */
  readonly systemNamespace: string
  readonly listsFor: (pullSecrets: readonly string[]) => ImageLists
}

/** Asks the registries where it is time to; else this reads the caches alone. */
export async function observe(
  source: AIMClusterModelSource,
  means: SourceMeans & { readonly read: Reader; readonly signal: AbortSignal },
): Promise<Observed> {
  const { clock, systemNamespace, listsFor, read, signal } = means
  const secrets = secretReferences(source.spec.imagePullSecrets)
  const names = secrets.map(({ name }) => name)
  const request = requestOf(source, secretVersions(names, systemNamespace, read))
  const models = read.list(AIMClusterModel, { controllerUid: source.metadata.uid ?? '' })
  const { filters, problem: wrong } = filtersOf(source)
  const missing = missingOf(secrets, systemNamespace, read).map((each) => missingMessage(each, systemNamespace))
  const problem = wrong ?? problemOf(missing)
  if (problem !== undefined || !isDue(source, request, clock.now()))
    return { request, problem, models, sync: undefined }
  const results = await search(filters, listsFor(names), signal)
  return { request, problem, models, sync: syncOf(source, results, read) }
}

function problemOf(missing: readonly string[]): Problem | undefined {
  return missing.length === 0 ? undefined : { category: 'reference', message: missing.join('; ') }
}

function requestOf({ spec }: AIMClusterModelSource, secrets: readonly string[]): string {
  return hash('sha256', canonicalJson([spec, secrets]), 'hex').slice(0, 16)
}

function isDue({ status = {} }: AIMClusterModelSource, request: string, nowMs: number): boolean {
  return status.request !== request || nowMs >= (Date.parse(status.nextSyncTime ?? '') || 0)
}

function filtersOf({ spec }: AIMClusterModelSource): { filters: readonly Filter[]; problem?: Problem } {
  try {
    return { filters: readFilters(spec) }
  } catch (error) {
    if (!isFault(error, 'invalid')) throw error
    return { filters: [], problem: { category: 'invalid', message: error.message } }
  }
}

function syncOf(source: AIMClusterModelSource, results: readonly FilterResult[], read: Reader): Sync {
  const all = read.list(AIMClusterModel)
  const isOurs = (model: AIMModel): boolean => controllerOf(model)?.uid === source.metadata.uid
  const [ours, others] = [all.filter(isOurs), all.filter((model) => !isOurs(model))].map(
    (models) => new Set(models.flatMap(({ metadata, spec }) => [`name ${metadata.name}`, canonicalImage(spec.image)])),
  )
  const isIn = (taken: ReadonlySet<string> | undefined, { name, canonical }: Candidate): boolean =>
    taken?.has(canonical) === true || taken?.has(`name ${name}`) === true
  const available = candidatesOf(results).filter((candidate) => !isIn(others, candidate))
  return { results, available, missing: available.filter((candidate) => !isIn(ours, candidate)) }
}
