import { Fault } from '#base/fault.ts'
import type { Informer, Informers } from '#kube/informer.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import type { Reader, ReaderQuery } from './domain.ts'
import { controllerOf } from './owned.ts'

const byController = 'controllerUid'

/**
 * Reads from the caches. A kind that is read here for the first time starts its watch; until the first list is in,
 * reading it throws `unavailable`, for "not there" would be a guess.
 */
export function createCacheReader(informers: Informers): Reader {
  return {
    get: (kind, place) => filled(informers, kind).get(place),
    list<T extends Resource>(kind: Kind<T>, query: ReaderQuery = {}): readonly T[] {
      const informer = filled(informers, kind)
      const { namespace, controllerUid, labels } = query
      const found =
        controllerUid === undefined ? informer.list(namespace) : informer.byIndex(byController, controllerUid)
      const wanted = Object.entries(labels ?? {})
      return found.filter(
        ({ metadata }) =>
          (namespace === undefined || metadata.namespace === namespace) &&
          wanted.every(([name, value]) => metadata.labels?.[name] === value),
      )
    },
  }
}

function filled<T extends Resource>(informers: Informers, kind: Kind<T>): Informer<T> {
  const informer = informers.of(kind)
  informer.index(byController, (object) => {
    const uid = controllerOf(object)?.uid
    return uid === undefined ? [] : [uid]
  })
  if (!informer.hasSynced()) throw new Fault('unavailable', 'CacheNotSynced', `the ${kind.plural} are not listed yet`)
  return informer
}
