/** A filter of a model source, read once: which repositories, and which of their tags. Pure. */
import type { AIMClusterModelSourceSpec, ModelFilter } from '#api/aim-cluster-model-source.ts'
import { Fault } from '#base/fault.ts'
import { matchesWildcard } from '#base/wildcard.ts'
import { parseReference, type ImageReference, splitRegistry } from '#oci/reference.ts'
import { type AcceptsTag, acceptedTags } from './versions.ts'

export interface Filter {
  /** As it was written. */
  readonly text: string
  /** The registry of what it names, in canonical form. */
  readonly registry: string
  /** `*` in it stands for anything, slashes too. */
  readonly repository: string
  readonly digest: string | undefined
  /** A pattern too; undefined where the constraints alone decide. */
  readonly tag: string | undefined
  readonly excluded: ReadonlySet<string>
  readonly accepts: AcceptsTag
}

/** Throws `invalid` with the filter and what is wrong with it. */
export function readFilters({ filters, registry, versions }: AIMClusterModelSourceSpec): readonly Filter[] {
  return filters.map((filter, index) => {
    try {
      return readFilter(filter, registry, versions ?? [])
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      throw new Fault('invalid', 'InvalidSpec', `spec.filters[${index}]: ${error.message}`, { cause: error })
    }
  })
}

/** Whether it names one image, so that no registry need be asked. */
export function isExact({ repository, tag, digest }: Filter): boolean {
  return !repository.includes('*') && (digest !== undefined || (tag !== undefined && !tag.includes('*')))
}

export function takesRepository({ repository, excluded }: Filter, name: string): boolean {
  return matchesWildcard(repository, name) && !excluded.has(name)
}

export function takesTag({ tag, accepts }: Filter, name: string): boolean {
  if (isSignature(name)) return false
  return tag === undefined ? accepts(name) : matchesWildcard(tag, name)
}

/** First part of the repositories that it names, where that is one. */
export function ownerIn({ repository }: Filter): string | undefined {
  const [owner, ...rest] = repository.split('/')
  return rest.length === 0 || owner?.includes('*') === true ? undefined : owner
}

function readFilter(filter: ModelFilter, defaultRegistry: string, versions: readonly string[]): Filter {
  const text = withRegistry(filter.image, defaultRegistry)
  const { registry, repository } = sampleOf(text)
  const { rest } = splitRegistry(text)
  const [named = '', digest] = rest.split('@')
  const [path = '', tag] = named.split(':')
  const excluded = (filter.exclude ?? []).map((each) => sampleOf(withRegistry(each, defaultRegistry)).repository)
  return {
    text: filter.image,
    registry,
    // Only the official images of Docker Hub have a part put before them.
    repository: repository.startsWith('library/') && !path.includes('/') ? `library/${path}` : path,
    tag,
    digest,
    excluded: new Set(excluded),
    accepts: acceptedTags(filter.versions?.length ? filter.versions : versions),
  }
}

function withRegistry(text: string, registry: string): string {
  return splitRegistry(text).registry === undefined ? `${registry}/${text}` : text
}

/** One that it may stand for: whether it is well written shows by that. */
function sampleOf(text: string): ImageReference {
  const { registry } = splitRegistry(text)
  if (registry === undefined) throw new Fault('invalid', 'InvalidSpec', `"${text}" names no registry`)
  if (registry.includes('*'))
    throw new Fault('invalid', 'InvalidSpec', `the registry of "${text}" must be named without "*"`)
  return parseReference(text.replaceAll('*', 'x'))
}

/** Where signatures and the like of an image are kept by those who know nothing better. */
function isSignature(tag: string): boolean {
  return /^sha256-[0-9a-f]{64}(?:\.\w+)?$/.test(tag)
}
