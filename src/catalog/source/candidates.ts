/** The images that filters found, as models to be: each once, in an order that does not depend on who answered first. */
import { canonicalReference, dockerHub, nameOf, versionOf } from '#oci/reference.ts'
import { derivedName } from '../names.ts'
import type { FilterResult, FoundImage } from './search.ts'
import { compareTags } from './versions.ts'

export interface Candidate {
  /** Name of its model. */
  readonly name: string
  /** As it stands in the model. */
  readonly image: string
  readonly canonical: string
  readonly found: FoundImage
}

/** The newest versions first, so that a limit keeps those. */
export function candidatesOf(results: readonly FilterResult[]): readonly Candidate[] {
  const found = results.flatMap(({ images }) => images)
  const unique = new Map(found.map((image) => [canonicalReference(image), image]))
  return [...unique].map(([canonical, image]) => candidate(canonical, image)).toSorted(newestFirst)
}

function candidate(canonical: string, found: FoundImage): Candidate {
  const { registry, repository, digest } = found
  const version = versionOf(found)
  const place = registry === dockerHub ? repository : nameOf(found)
  return {
    name: derivedName([repository, version], { inputs: [registry, repository, version], hashLength: 6 }),
    image: `${place}${digest === undefined ? ':' : '@'}${version}`,
    canonical,
    found,
  }
}

function newestFirst(a: Candidate, b: Candidate): number {
  return compareTags(a.found.tag ?? '', b.found.tag ?? '') || (a.canonical < b.canonical ? -1 : 1)
}
