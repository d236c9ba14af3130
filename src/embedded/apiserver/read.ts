import { isFault, messageOf } from '#base/fault.ts'
import { badRequest, expired, faultOfStatus, notFound, unreasoned } from '#machinery/status.ts'
import type { Entry } from '#embedded/store/store.ts'
import type { Call, Context } from './context.ts'
import { type Continuation, decodeToken, encodeToken } from './continue-token.ts'
import { encodeList, encodeObject } from './encode.ts'
import { tooLargeResourceVersion } from './failures.ts'
import { type ListOptions, listOptions } from './list-options.ts'
import { keyIn, servedObject, servedText } from './stored-object.ts'

export function get({ store, clock }: Context, call: Call): Response {
  const { served, namespace, name } = call.target
  checkNotFuture(revisionOf(call.query.get('resourceVersion')), store.revision)
  const entry = store.get(keyIn(served, namespace, name))
  if (entry === undefined) throw notFound(served.kind, name)
  return encodeObject(call, { text: () => servedText(entry, served), object: () => servedObject(entry, served) }, clock)
}

/**
 * A page of objects, all of one revision. The tokens of later pages name that revision, so what changed in between is
 * not seen; once it is compacted the client is told how to go on with what there is.
 * @see https://kubernetes.io/docs/reference/using-api/api-concepts/#retrieving-large-results-sets-in-chunks
 */
export async function list({ store, clock }: Context, call: Call): Promise<Response> {
  const { served, namespace } = call.target
  const options = listOptions(call.query, served, false)
  const { wants, limit } = options
  const page = pageOf(options, store.revision)
  const range = { resource: served.resource, namespace: namespace === '' ? undefined : namespace }
  let all: readonly Entry[]
  try {
    all = store.list(range, page.revision)
  } catch (error) {
    if (!isFault(error) || error.code !== 'Compacted') throw error
    throw tooOld(page.after)
  }
  let from = 0
  if (page.after !== '') from = firstAfter(all, page.after)
  const { chosen, next } = await choose(all, from, limit, wants)
  const last = all[next - 1]
  const more = next < all.length && last !== undefined
  const metadata = {
    resourceVersion: String(page.revision),
    ...(more ? { continue: encodeToken({ revision: page.revision, after: pathOf(last) }) } : {}),
    ...(more && wants === undefined ? { remainingItemCount: all.length - next } : {}),
  }
  return encodeList(call, chosen, metadata, clock)
}

/** Faults: 400, 504 for a version to come. */
function pageOf(options: ListOptions, current: number): Continuation {
  const { resourceVersion: asked, match, continueToken, limit } = options
  if (continueToken !== '') {
    const { revision, after } = decodeToken(continueToken)
    if (asked !== '' && asked !== '0') {
      throw badRequest('specifying resource version is not allowed when using continue')
    }
    return { revision: revision < 0 ? current : revision, after }
  }
  const revision = listRevision(asked)
  checkNotFuture(revision, current)
  const exact = match === 'Exact' || (match === '' && limit > 0 && revision > 0)
  return { revision: exact ? revision : current, after: '' }
}

/** Faults: 400. */
function listRevision(text: string): number {
  try {
    return revisionOf(text)
  } catch (error) {
    throw badRequest(`invalid resource version: ${messageOf(error)}`)
  }
}

function checkNotFuture(asked: number, current: number): void {
  if (asked > current) throw tooLargeResourceVersion(asked, current)
}

/** 0 when none is given. Faults: 500, as Kubernetes has it. */
export function revisionOf(text: string | null): number {
  if (text === null || text === '') return 0
  if (!/^\d{1,15}$/.test(text))
    throw unreasoned(
      `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
    )
  return Number(text)
}

/** Looks through many objects without holding up everybody else. */
async function choose(
  all: readonly Entry[],
  from: number,
  limit: number,
  wants: ((entry: Entry) => boolean) | undefined,
): Promise<{ chosen: readonly Entry[]; next: number }> {
  if (wants === undefined) {
    const next = limit === 0 ? all.length : Math.min(all.length, from + limit)
    return { chosen: from === 0 && next === all.length ? all : all.slice(from, next), next }
  }
  const chosen: Entry[] = []
  let next = from
  let turnEndsMs = performance.now() + turnMs
  for (; next < all.length && (limit === 0 || chosen.length < limit); next++) {
    const entry = all[next]
    if (entry !== undefined && wants(entry)) chosen.push(entry)
    if (next % 64 === 63 && performance.now() > turnEndsMs) {
      await new Promise((resolve) => setImmediate(resolve))
      turnEndsMs = performance.now() + turnMs
    }
  }
  return { chosen, next }
}

const turnMs = 8

function pathOf(entry: Entry): string {
  return `${entry.namespace}/${entry.name}`
}

function firstAfter(all: readonly Entry[], path: string): number {
  const found = all.findIndex((entry) => pathOf(entry) > path)
  return found === -1 ? all.length : found
}

function tooOld(after: string): Error {
  if (after === '') return expired('The resourceVersion for the provided list is too old.')
  const fault = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  )
  const status = fault.details as Parameters<typeof faultOfStatus>[0]
  return faultOfStatus({ ...status, metadata: { continue: encodeToken({ revision: -1, after }) } })
}
