/** Asks registries for what the filters of a source name. */
import { eachOf } from '#base/each-of.ts'
import { type Fault, isFault } from '#base/fault.ts'
import type { Listing } from '#oci/listing.ts'
import type { RepositoryName } from '#oci/registries.ts'
import { type Filter, isExact, ownerIn, takesRepository, takesTag } from './filter.ts'

/** What registries tell; both reject with a `Fault`. */
export interface ImageLists {
  tags(repository: RepositoryName, signal: AbortSignal): Promise<Listing>
  repositories(registry: string, owner: string | undefined, signal: AbortSignal): Promise<Listing>
}

export interface FoundImage extends RepositoryName {
  readonly tag: string | undefined
  readonly digest: string | undefined
}

export interface FilterResult {
  readonly filter: Filter
  readonly images: readonly FoundImage[]
  /** What could not be asked or was not told to the end, and why. */
  readonly problems: readonly string[]
  /** What the registries ask us to wait before the next time. */
  readonly retryAfterMs: number
}

/** Repositories whose tags are asked for side by side; the registries' own bounds are narrower. */
const atOnce = 10
const mostRepositories = 1000

/** Never rejects but with the signal's reason: what one filter cannot have is none of the others' business. */
export function search(filters: readonly Filter[], lists: ImageLists, signal: AbortSignal): Promise<FilterResult[]> {
  return eachOf(filters, 1, async (filter) => {
    try {
      return await searchFilter(filter, lists, signal)
    } catch (error) {
      if (signal.aborted || !isFault(error)) throw error
      return { filter, images: [], ...failure(error) }
    }
  })
}

async function searchFilter(filter: Filter, lists: ImageLists, signal: AbortSignal): Promise<FilterResult> {
  const { registry, repository, tag, digest } = filter
  if (isExact(filter)) return { filter, images: [{ registry, repository, tag, digest }], problems: [], retryAfterMs: 0 }
  const { names, problems } = await repositoriesOf(filter, lists, signal)
  const parts = await eachOf(names, atOnce, (name) => tagsOf(filter, { registry, repository: name }, lists, signal))
  return {
    filter,
    images: parts.flatMap(({ images }) => images),
    problems: [...problems, ...parts.flatMap((part) => part.problems)],
    retryAfterMs: Math.max(0, ...parts.map(({ retryAfterMs }) => retryAfterMs)),
  }
}

async function repositoriesOf(filter: Filter, lists: ImageLists, signal: AbortSignal) {
  if (!filter.repository.includes('*')) return { names: [filter.repository], problems: [] }
  const listed = await lists.repositories(filter.registry, ownerIn(filter), signal)
  const names = listed.names.filter((name) => takesRepository(filter, name))
  const isAll = listed.isComplete && names.length <= mostRepositories
  const problems = isAll ? [] : [`${filter.text}: more repositories than we look at`]
  return { names: names.slice(0, mostRepositories), problems }
}

type Part = Omit<FilterResult, 'filter'>

async function tagsOf(
  filter: Filter,
  repository: RepositoryName,
  lists: ImageLists,
  signal: AbortSignal,
): Promise<Part> {
  try {
    const { names, isComplete } = await lists.tags(repository, signal)
    const tags = names.filter((name) => takesTag(filter, name))
    return {
      images: tags.map((tag) => ({ ...repository, tag, digest: undefined })),
      problems: isComplete ? [] : [`${repository.repository}: more tags than we look at`],
      retryAfterMs: 0,
    }
  } catch (error) {
    if (signal.aborted || !isFault(error)) throw error
    return { images: [], ...failure(error) }
  }
}

function failure({ message, retryAfterMs = 0 }: Fault) {
  return { problems: [message], retryAfterMs }
}
