/**
 * What is known of a model's image, and whether its registry has to be asked. All of it is read off the status, so that a
 * restart forgets neither what is known nor how often asking has failed.
 */
import { hash } from 'node:crypto'
import { timestamp } from '#base/clock.ts'
import type { FaultKind } from '#base/fault.ts'
import type { ImageMetadata } from '#api/aim-fields.ts'
import { aimAnnotations } from '#api/aim-labels.ts'
import type { AIMModel, Inspection } from '#api/aim-model.ts'
import type { ImageAnswer, ImageFacts } from './image-answer.ts'

export interface Failure {
  /** Reason of conditions. */
  readonly reason: string
  readonly message: string
}

/** What a pass goes by. */
export interface Inspected {
  /**
   * - `given`: in the spec
   * - `known`: the registry has told
   * - `off`: nobody wants to know
   * - `unknown`: not known, or not known yet; `failure` says why
   */
  readonly state: 'given' | 'known' | 'off' | 'unknown'
  /** Of the present image. */
  readonly metadata: ImageMetadata | undefined
  readonly failure: Failure | undefined
  /** For the status. */
  readonly inspection: Inspection | undefined
  /** When the registry is to be asked next; `undefined` where only a change helps. */
  readonly nextAttemptMs: number | undefined
}

export interface Circumstances {
  readonly extract: boolean
  /** Stands for all that an attempt depends on beside the model. */
  readonly request: string
  /** What is missing before anybody can be asked. */
  readonly hindrance: Failure | undefined
  readonly nowMs: number
}

export const formatError = 'MetadataFormatError'

/** What is known without asking; `undefined` where the registry has to be asked now. */
export function knownOf(model: AIMModel, circumstances: Circumstances): Inspected | undefined {
  const { spec, status } = model
  const { extract, request, hindrance, nowMs } = circumstances
  const former = status?.inspection
  if (spec.imageMetadata !== undefined) {
    const inspection: Inspection = { source: 'Spec', image: spec.image }
    return inspected({ state: 'given', metadata: spec.imageMetadata, inspection })
  }
  if (isCached(model)) {
    const { lastErrorClass: reason, lastErrorMessage: message = '' } = former ?? {}
    const failure = reason === undefined ? undefined : { reason, message }
    return inspected({ state: 'known', metadata: status?.imageMetadata, inspection: former, failure })
  }
  if (!extract) return inspected({ state: 'off' })
  if (hindrance !== undefined) {
    const { reason: lastErrorClass, message: lastErrorMessage } = hindrance
    const inspection = { image: spec.image, request, lastErrorClass, lastErrorMessage }
    return inspected({ state: 'unknown', failure: hindrance, inspection })
  }
  if (former?.request !== request || former.lastErrorClass === undefined) return undefined
  const nextAttemptMs = former.nextAttemptTime === undefined ? undefined : Date.parse(former.nextAttemptTime)
  if (nextAttemptMs !== undefined && nextAttemptMs <= nowMs) return undefined
  return inspected({ state: 'unknown', failure: failureOf(former), inspection: former, nextAttemptMs })
}

/** While the registry is being asked: what is told meanwhile is what was known before. */
export function asking({ status, spec }: AIMModel): Inspected {
  const former = status?.inspection
  const isSame = former?.image === spec.image
  return inspected({
    state: 'unknown',
    ...(isSame && { failure: failureOf(former) }),
    ...(former !== undefined && { inspection: former }),
  })
}

export function answered(model: AIMModel, answer: ImageAnswer, { request }: Circumstances): Inspected {
  const { result, atMs } = answer
  if (result.ok) return told(model, result.image, { request, atMs })
  const { fault } = result
  const former = model.status?.inspection
  const attempts = former?.request === request ? (former.attempts ?? 0) + 1 : 1
  const waitMs = retryDelayMs(fault, attempts, `${model.metadata.uid}`)
  const nextAttemptMs = waitMs === undefined ? undefined : atMs + waitMs
  const since = former?.image === model.spec.image ? former.firstFailureTime : undefined
  const failure = { reason: fault.code, message: fault.message }
  return inspected({
    state: 'unknown',
    failure,
    nextAttemptMs,
    inspection: {
      image: model.spec.image,
      request,
      lastAttemptTime: timestamp(atMs),
      firstFailureTime: since ?? timestamp(atMs),
      attempts,
      lastErrorClass: failure.reason,
      lastErrorMessage: failure.message,
      ...(nextAttemptMs !== undefined && { nextAttemptTime: timestamp(nextAttemptMs) }),
    },
  })
}

function told(
  model: AIMModel,
  { digest, mediaType, platform, metadata, malformed }: ImageFacts,
  { request, atMs }: { readonly request: string; readonly atMs: number },
): Inspected {
  const message = malformed === undefined ? undefined : `image ${model.spec.image}: ${malformed}`
  return inspected({
    state: 'known',
    metadata,
    failure: message === undefined ? undefined : { reason: formatError, message },
    inspection: {
      source: 'Registry',
      image: model.spec.image,
      request,
      ...reinspectOf(model),
      resolvedDigest: digest,
      mediaType,
      platform,
      lastAttemptTime: timestamp(atMs),
      lastSuccessTime: timestamp(atMs),
      ...(message !== undefined && { lastErrorClass: formatError, lastErrorMessage: message }),
    },
  })
}

/** A status that another operator left has no word of how it was found; it is taken for that of the present image. */
function isCached(model: AIMModel): boolean {
  const { imageMetadata, inspection } = model.status ?? {}
  if (imageMetadata === undefined) return false
  if (inspection === undefined) return true
  const { source, image, reinspect } = inspection
  return source === 'Registry' && image === model.spec.image && reinspect === reinspectOf(model).reinspect
}

function reinspectOf({ metadata }: AIMModel): { reinspect?: string } {
  const reinspect = metadata.annotations?.[aimAnnotations.reinspect]
  return reinspect === undefined ? {} : { reinspect }
}

/** Stands for the image, the wish to look at it again, and the credentials. */
export function requestOf(model: AIMModel, credentials: readonly string[]): string {
  const facts = [model.spec.image, reinspectOf(model).reinspect ?? '', ...credentials]
  return hash('sha256', JSON.stringify(facts), 'hex').slice(0, 16)
}

function failureOf({ lastErrorClass, lastErrorMessage = '' }: Inspection): Failure | undefined {
  return lastErrorClass === undefined ? undefined : { reason: lastErrorClass, message: lastErrorMessage }
}

function inspected(known: Pick<Inspected, 'state'> & { readonly [K in keyof Inspected]?: Inspected[K] }): Inspected {
  return { metadata: undefined, failure: undefined, inspection: undefined, nextAttemptMs: undefined, ...known }
}

interface Backoff {
  readonly firstMs: number
  readonly longestMs: number
}

const minuteMs = 60_000
const transient: Backoff = { firstMs: 5_000, longestMs: 300_000 }
const backoffs: Readonly<Record<FaultKind, Backoff | undefined>> = {
  denied: { firstMs: minuteMs, longestMs: 30 * minuteMs },
  missing: { firstMs: 2 * minuteMs, longestMs: 30 * minuteMs },
  unavailable: transient,
  conflict: transient,
  exhausted: { firstMs: 4 * transient.firstMs, longestMs: 4 * transient.longestMs },
  invalid: undefined,
}
/** An image may be mended under its name, though nobody says so. */
const slowlyRetried: ReadonlySet<string> = new Set(['UnsupportedImage', 'PlatformNotFound'])

/** Until the next attempt; `undefined` where only a change helps. Models that fail together do not come back together. */
function retryDelayMs(
  { kind, code, retryAfterMs }: Pick<ImageFault, 'kind' | 'code' | 'retryAfterMs'>,
  attempts: number,
  seed: string,
): number | undefined {
  // A registry that says "at once", or names a moment that has passed, is not asked without end.
  if (retryAfterMs !== undefined) return Math.max(retryAfterMs, transient.firstMs)
  if (slowlyRetried.has(code)) return 60 * minuteMs
  const backoff = backoffs[kind]
  if (backoff === undefined) return undefined
  const delayMs = Math.min(backoff.firstMs * 2 ** Math.min(attempts - 1, 20), backoff.longestMs)
  if (kind !== 'unavailable') return delayMs
  const spread = Number.parseInt(hash('sha256', `${seed} ${attempts}`, 'hex').slice(0, 4), 16) / 0xffff
  return Math.round(delayMs * (0.8 + 0.4 * spread))
}

interface ImageFault {
  readonly kind: FaultKind
  readonly code: string
  readonly retryAfterMs?: number | undefined
}
