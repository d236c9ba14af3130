import { Fault } from '#base/fault.ts'
import type { Informer, Informers } from '#kube/informer.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import type { Index, Reader, ReaderQuery } from './domain.ts'
import { controllerOf } from './owned.ts'

const byController: Index<Resource> = {
  name: 'controllerUid',
  valuesOf(object) {
    const uid = controllerOf(object)?.uid
    return uid === undefined ? [] : [uid]
  },
}

/** Sets of label names that get an index of their own, a kind; labels of further sets are looked for in all objects. */
const mostLabelIndexes = 32

/**
 * Reads from the caches. A kind that is read here for the first time starts its watch; until the first list is in,
 * reading it throws `unavailable`, for "not there" would be a guess.
 */
export function createCacheReader(informers: Informers): Reader {
  const labelIndexes = new Map<Kind, Map<string, Index<Resource>>>()

  function labelIndexOf(kind: Kind, names: readonly string[]): Index<Resource> | undefined {
    let indexes = labelIndexes.get(kind)
    if (indexes === undefined) labelIndexes.set(kind, (indexes = new Map()))
    const id = names.join()
    let index = indexes.get(id)
    if (index === undefined && indexes.size < mostLabelIndexes) indexes.set(id, (index = indexOfLabels(names)))
    return index
  }

  const reader: Reader = {
    get: (kind, place) => filled(informers, kind).get(place),
    list<T extends Resource>(kind: Kind<T>, query: ReaderQuery = {}): readonly T[] {
      const { namespace, controllerUid, labels = {} } = query
      const names = Object.keys(labels).toSorted()
      const byLabels = controllerUid === undefined && names.length > 0 ? labelIndexOf(kind, names) : undefined
      let found: readonly T[]
      if (controllerUid !== undefined) found = reader.find(kind, byController, controllerUid)
      else if (byLabels !== undefined) found = reader.find(kind, byLabels, valuesIn(labels, names) ?? '')
      else found = filled(informers, kind).list(namespace)
      return found.filter(
        ({ metadata }) =>
          (namespace === undefined || metadata.namespace === namespace) &&
          names.every((name) => metadata.labels?.[name] === labels[name]),
      )
    },
    find<T extends Resource>(kind: Kind<T>, { name, valuesOf }: Index<T>, value: string): readonly T[] {
      const informer = filled(informers, kind)
      informer.index(name, valuesOf)
      return informer.byIndex(name, value)
    },
  }
  return reader
}

/** Files objects that have all these labels under their values. */
function indexOfLabels(names: readonly string[]): Index<Resource> {
  return {
    name: `labels ${names.join()}`,
    valuesOf({ metadata }) {
      const values = valuesIn(metadata.labels ?? {}, names)
      return values === undefined ? [] : [values]
    },
  }
}

/** No label value holds a comma. */
function valuesIn(labels: Readonly<Record<string, string>>, names: readonly string[]): string | undefined {
  const values = names.map((name) => labels[name])
  return values.includes(undefined) ? undefined : values.join()
}

function filled<T extends Resource>(informers: Informers, kind: Kind<T>): Informer<T> {
  const informer = informers.of(kind)
  if (!informer.hasSynced()) throw new Fault('unavailable', 'CacheNotSynced', `the ${kind.plural} are not listed yet`)
  return informer
}
