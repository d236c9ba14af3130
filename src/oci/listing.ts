/** Lists in pages: tags of a repository, and repositories of a registry or of an owner. */
import { isObject } from '#base/json.ts'
import { nonsense } from './failure.ts'
import type { Answer } from './http.ts'

export interface Listing {
  /** As whoever keeps the list orders them. */
  readonly names: readonly string[]
  /** False when there are more than we look at. */
  readonly isComplete: boolean
}

/** Gets a page, by a path or an address of the same host; rejects with what a refusal means. */
export type GetPage = (address: string, limitBytes: number) => Promise<Answer>

const mostNames = 10_000
const pageSize = 100
const pageLimitBytes = 4 << 20

/** OCI's own way. */
export function listNames(get: GetPage, path: string, key: 'tags' | 'repositories'): Promise<Listing> {
  return listPages(get, `${path}?n=${pageSize}`, (document, answer) => {
    const names = isObject(document) ? (document[key] ?? []) : undefined // null when there are none
    return { names: textsIn(names, answer), next: linkedNext(answer) }
  })
}

/** Docker Hub's. */
export function listDockerHub(get: GetPage, path: string, namespace: string): Promise<Listing> {
  const first = `${path}/namespaces/${encodeURIComponent(namespace)}/repositories?page_size=${pageSize}`
  return listPages(get, first, (document, answer) => {
    const { results, next } = isObject(document) ? document : {}
    return { names: below(namespace, namesIn(results, answer)), next: typeof next === 'string' ? next : undefined }
  })
}

/** GitHub's, of an organisation's packages or of a person's. */
export function listGitHub(get: GetPage, path: string, owner: string): Promise<Listing> {
  const first = `${path}/${encodeURIComponent(owner)}/packages?package_type=container&per_page=${pageSize}`
  return listPages(get, first, (document, answer) => ({
    names: below(owner, namesIn(document, answer)),
    next: linkedNext(answer),
  }))
}

interface Page {
  readonly names: readonly string[]
  readonly next: string | undefined
}

async function listPages(
  get: GetPage,
  first: string,
  read: (document: unknown, answer: Answer) => Page,
): Promise<Listing> {
  let names: readonly string[] = []
  let next: string | undefined = first
  while (next !== undefined && names.length < mostNames) {
    const answer = await get(next, pageLimitBytes)
    const page = read(parse(answer), answer)
    names = [...names, ...page.names] // a registry that heeds no page size may send more than a call takes arguments
    // Pages of nothing could go on for ever.
    next = page.names.length === 0 || page.next === undefined ? undefined : URL.parse(page.next, answer.url.href)?.href
  }
  return { names: names.slice(0, mostNames), isComplete: next === undefined && names.length <= mostNames }
}

function parse(answer: Answer): unknown {
  try {
    return JSON.parse(answer.body.toString())
  } catch {
    throw noList(answer)
  }
}

function textsIn(value: unknown, answer: Answer): readonly string[] {
  if (!Array.isArray(value)) throw noList(answer)
  return value.filter((each) => typeof each === 'string')
}

function namesIn(value: unknown, answer: Answer): readonly string[] {
  if (!Array.isArray(value)) throw noList(answer)
  return textsIn(
    value.map((each: unknown) => (isObject(each) ? each['name'] : undefined)),
    answer,
  )
}

function below(owner: string, names: readonly string[]): readonly string[] {
  return names.map((name) => `${owner}/${name}`.toLowerCase())
}

function linkedNext({ headers }: Answer): string | undefined {
  const link = [headers.link ?? []].flat().join(',')
  return /<([^<>]*)>\s*;\s*rel="?next"?/.exec(link)?.[1]
}

function noList({ url }: Answer) {
  return nonsense(url, 'something that is no list')
}
