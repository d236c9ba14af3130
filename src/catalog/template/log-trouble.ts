/**
 * What the log of a dry run that failed says went wrong, by the words that download tools are known to use. No line of
 * it is told on, for it may hold a token: only its kind, and the repository where one is named.
 */
import type { PodTrouble } from './job-state.ts'

interface Kind {
  readonly reason: string
  readonly pattern: RegExp
  readonly says: (repository: string) => string
}

/** In this order: a repository that is not there is told of with a hint that it may be gated. */
const kinds: readonly Kind[] = [
  {
    reason: 'SourceNotFound',
    pattern: /RepositoryNotFoundError|Repository Not Found|RevisionNotFoundError|NoSuchBucket|NoSuchKey/,
    says: (repository) => `${repository} is not there, or hidden from the credentials of the template`,
  },
  {
    reason: 'AuthError',
    pattern:
      /GatedRepoError|gated repo|Access to model \S+ is restricted|\b40[13] Client Error|AccessDenied|InvalidAccessKeyId/i,
    says: (repository) =>
      `${repository} may not be read with the credentials of the template: it is gated, or they are wrong; ` +
      'set env HF_TOKEN from a Secret with a token of somebody who was let in',
  },
  {
    reason: 'StorageFull',
    pattern: /No space left on device|Disk quota exceeded/i,
    says: () => 'its disk is full',
  },
]

/** The cause is near the end. */
const linesLookedAt = 50
const named = /(?:huggingface\.co\/(?:api\/models\/)?|\bmodel )([\w.-]{1,96}\/[\w.-]{0,95}\w)/i

export function logTroubleOf(pod: string, log: string): PodTrouble | undefined {
  const tail = log.trimEnd().split('\n').slice(-linesLookedAt).join('\n')
  const kind = kinds.find(({ pattern }) => pattern.test(tail))
  if (kind === undefined) return undefined
  const repository = named.exec(tail)?.[1]
  const source = repository === undefined ? 'what it loads' : `repository ${repository}`
  return { reason: kind.reason, message: `the log of pod ${pod}: ${kind.says(source)}` }
}
