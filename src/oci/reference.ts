import { Fault } from '#base/fault.ts'
import { registryFaults } from './faults.ts'

/** What an image is called, every default filled in. */
export interface ImageReference {
  /** `host[:port]`; `docker.io` for Docker Hub. */
  readonly registry: string
  /** Without the registry; `library/x` for an official image of Docker Hub. */
  readonly repository: string
  /** As written, or `latest` where neither tag nor digest is. */
  readonly tag: string | undefined
  /** `sha256:…`. It decides; a tag beside it says nothing. */
  readonly digest: string | undefined
}

export const dockerHub = 'docker.io'
/** Other names that Docker Hub goes by. */
const dockerHubNames: ReadonlySet<string> = new Set([dockerHub, 'index.docker.io', 'registry-1.docker.io'])

const longestReference = 512
const longestRepository = 255
const host = /^(?:\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)(?::\d{1,5})?$/i
/** A part may hold dots, one or two underscores and dashes, between letters and digits alone. */
const repository = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/
const tag = /^\w[\w.-]{0,127}$/
const digest = /^sha256:[0-9a-f]{64}$/

/** Throws `invalid` with what is wrong. The grammar is that of Docker's references. */
export function parseReference(text: string): ImageReference {
  const wrong = (why: string) =>
    new Fault('invalid', registryFaults.invalidReference, `"${text.slice(0, longestReference)}" names no image: ${why}`)
  if (text.length > longestReference) throw wrong(`it is longer than ${longestReference} characters`)
  const [named = '', digestPart, ...more] = text.split('@')
  if (more.length > 0) throw wrong('it has more than one "@"')
  if (digestPart !== undefined && !digest.test(digestPart))
    throw wrong(`the digest "${digestPart}" is not "sha256:" and 64 of 0-9 and a-f`)
  const { registry, rest } = splitRegistry(named)
  if (registry !== undefined && !host.test(registry)) throw wrong(`"${registry}" is no host`)
  const [path = '', tagPart, ...tags] = rest.split(':')
  if (tags.length > 0) throw wrong('it has more than one tag')
  if (tagPart !== undefined && !tag.test(tagPart))
    throw wrong(`the tag "${tagPart}" is not 1 to 128 letters, digits, "_", "." and "-"`)
  if (path === '') throw wrong('it has no repository')
  if (path !== path.toLowerCase()) throw wrong(`the repository "${path}" must be in lower case`)
  if (!repository.test(path)) throw wrong(`"${path}" is no repository`)
  if (path.length > longestRepository) throw wrong(`its repository is longer than ${longestRepository} characters`)
  return complete(registry, path, tagPart, digestPart)
}

/** How equal images are written equally. */
export function canonicalReference(reference: ImageReference): string {
  return `${nameOf(reference)}${reference.digest === undefined ? ':' : '@'}${versionOf(reference)}`
}

export function nameOf({ registry, repository: path }: Pick<ImageReference, 'registry' | 'repository'>): string {
  return `${registry}/${path}`
}

/** What a registry finds the image by. */
export function versionOf({ tag: tagPart, digest: digestPart }: ImageReference): string {
  return digestPart ?? tagPart ?? 'latest'
}

/** The first part is a registry when it looks like one: with a dot or a port, or this machine's own name. */
export function splitRegistry(named: string): { readonly registry: string | undefined; readonly rest: string } {
  const slash = named.indexOf('/')
  const first = named.slice(0, Math.max(slash, 0))
  const isRegistry = /[.:]/.test(first) || first === 'localhost'
  return isRegistry ? { registry: first, rest: named.slice(slash + 1) } : { registry: undefined, rest: named }
}

function complete(
  registry: string | undefined,
  path: string,
  tagPart: string | undefined,
  digestPart: string | undefined,
): ImageReference {
  const known = registry === undefined ? dockerHub : canonicalRegistry(registry)
  return {
    registry: known,
    repository: known === dockerHub && !path.includes('/') ? `library/${path}` : path,
    tag: tagPart ?? (digestPart === undefined ? 'latest' : undefined),
    digest: digestPart,
  }
}

/** Hosts are the same in either case; Docker Hub has several. */
export function canonicalRegistry(registry: string): string {
  const known = registry.toLowerCase()
  return dockerHubNames.has(known) ? dockerHub : known
}
