import { equalJson } from '#base/json.ts'
import { ConfigMap } from '#api/core/kinds.ts'
import { type Dialect, dialectOf } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import type { ModelBooster } from '#api/model-booster.ts'
import type { Reader } from '#controller/domain.ts'
import { isOfKind, type Kind, placeOf } from '#machinery/kind.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { childrenOf, type Conversion, convert } from './convert.ts'
import { type HotBackends, observeAdapters } from './lora/observed.ts'
import type { PlatformImages } from './render-container.ts'

/** All kinds of children, in the order of writing. */
export function childKindsOf(dialect: Dialect): readonly Kind[] {
  const { serving, server, policy, route, binding } = kindsOf(dialect)
  return [serving, server, policy, route, binding] as readonly Kind[]
}

/** What a pass decides from: what the booster wants, what has those names now, and what is ours. */
export interface Observed {
  readonly conversion: Conversion
  readonly wanted: readonly Found[]
  /** Everything that this booster controls, wanted or not. */
  readonly owned: readonly Owned[]
  readonly hot: HotBackends
}

export interface Found {
  readonly kind: Kind
  readonly desired: AnyResource
  /** What bears the name now, whoever made it. */
  readonly live: Resource | undefined
}

export interface Owned {
  readonly kind: Kind
  readonly object: Resource
}

/** `controllerNamespace` holds the ConfigMap that names the platform's images; without it the defaults hold. */
export function observe(booster: ModelBooster, read: Reader, controllerNamespace: string | undefined): Observed {
  const dialect = dialectOf(booster)
  const kinds = childKindsOf(dialect)
  const conversion = convertOnce(booster, platformImages(dialect, read, controllerNamespace))
  const { uid, namespace } = booster.metadata
  const wanted = conversion.ok
    ? childrenOf(conversion.desired).map((desired) => {
        const kind = kindOf(kinds, desired)
        return { kind, desired, live: read.get(kind, placeOf(desired)) }
      })
    : []
  const owned = kinds.flatMap((kind) =>
    uid === undefined ? [] : read.list(kind, { namespace, controllerUid: uid }).map((object) => ({ kind, object })),
  )
  const hot: HotBackends = conversion.ok ? observeAdapters(conversion.desired.booster, read) : new Map()
  return { conversion, wanted, owned, hot }
}

interface Converted {
  readonly images: PlatformImages
  readonly conversion: Conversion
}

/** Passes come again for one cached booster, which nobody changes, as its children move. */
const converted = new WeakMap<ModelBooster, Converted>()

function convertOnce(booster: ModelBooster, images: PlatformImages): Conversion {
  const known = converted.get(booster)
  if (known !== undefined && equalJson(known.images, images)) return known.conversion
  const conversion = convert(booster, images)
  converted.set(booster, { images, conversion })
  return conversion
}

function kindOf(kinds: readonly Kind[], object: Resource): Kind {
  const found = kinds.find((kind) => isOfKind(object, kind))
  if (found === undefined) throw new TypeError(`${object.kind} is no kind of child`)
  return found
}

function platformImages(dialect: Dialect, read: Reader, namespace: string | undefined): PlatformImages {
  const { name, downloaderKey, runtimeKey } = dialect.configMap
  const data = namespace === undefined ? undefined : read.get(ConfigMap, { namespace, name })?.data
  return {
    downloader: data?.[downloaderKey] || dialect.images.downloader,
    runtime: data?.[runtimeKey] || dialect.images.runtime,
  }
}
