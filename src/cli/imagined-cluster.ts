/** A cluster in memory, in which plans are carried out without anybody noticing. */
import type { Index, Reader, ReaderQuery } from '#controller/domain.ts'
import { controllerOf } from '#controller/owned.ts'
import { apiVersionOf, isOfKind, type Kind, placeOf } from '#machinery/kind.ts'
import type { Place, Resource } from '#machinery/meta.ts'

export class ImaginedCluster implements Reader {
  readonly #objects = new Map<string, Resource>()
  #made = 0

  constructor(objects: readonly Resource[] = []) {
    for (const object of objects) this.put(object)
  }

  get<T extends Resource>(kind: Kind<T>, place: Place): T | undefined {
    const found = this.#objects.get(idOf(apiVersionOf(kind), kind.kind, place))
    return found !== undefined && isOfKind(found, kind) ? found : undefined
  }

  list<T extends Resource>(kind: Kind<T>, { namespace, controllerUid, labels = {} }: ReaderQuery = {}): T[] {
    return [...this.#objects.values()]
      .filter((object) => isOfKind(object, kind))
      .filter(
        (object) =>
          (namespace === undefined || object.metadata.namespace === namespace) &&
          (controllerUid === undefined || controllerOf(object)?.uid === controllerUid) &&
          Object.entries(labels).every(([name, value]) => object.metadata.labels?.[name] === value),
      )
  }

  find<T extends Resource>(kind: Kind<T>, { valuesOf }: Index<T>, value: string): T[] {
    return this.list(kind).filter((object) => valuesOf(object).includes(value))
  }

  /** What has no uid yet gets one, as from a server. */
  put(object: Resource): void {
    const id = idOf(object.apiVersion, object.kind, placeOf(object))
    const uid = object.metadata.uid ?? this.#objects.get(id)?.metadata.uid ?? `planned-${++this.#made}`
    this.#objects.set(id, { ...object, metadata: { ...object.metadata, uid } })
  }

  remove(kind: Kind, place: Place): void {
    this.#objects.delete(idOf(apiVersionOf(kind), kind.kind, place))
  }
}

function idOf(apiVersion: string, kind: string, { namespace = '', name }: Place): string {
  return `${apiVersion} ${kind} ${namespace}/${name}`
}
