/** From one booster to all the objects that it wants: everything is rendered before anything is written. */
import type { NormalBackend, NormalBooster } from '#api/model-booster-normal.ts'
import { normalBooster } from '#api/model-booster-normal.ts'
import { checkModelBooster } from '#api/model-booster-rules.ts'
import { cacheOf } from '#api/model-booster-rules-storage.ts'
import type { FieldError } from '#machinery/field-error.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { renderAutoscaling } from './render-autoscaling.ts'
import type { PlatformImages } from './render-container.ts'
import { renderRoutes, renderServer } from './render-network.ts'
import { renderServing, type RenderedServing } from './render-serving.ts'

export interface DesiredBackend {
  readonly backend: NormalBackend
  readonly serving: RenderedServing
  /** The same with other adapters in the template. */
  readonly servingWith: (loras: NormalBackend['loras']) => RenderedServing
  readonly server: AnyResource
  /** Whether a policy moves the replicas of the serving, so that we keep out of it. */
  readonly scaled: boolean
}

export interface Desired {
  readonly booster: NormalBooster
  readonly backends: readonly DesiredBackend[]
  /** The model's own first. */
  readonly routes: readonly AnyResource[]
  readonly policies: readonly AnyResource[]
  readonly bindings: readonly AnyResource[]
}

export type Conversion =
  | { readonly ok: true; readonly desired: Desired }
  | { readonly ok: false; readonly errors: readonly FieldError[] }

const convertible = ['vLLM', 'vLLMDisaggregated', 'SGLang']

/** All children, or all that is wrong. Never throws, whatever the JSON. */
export function convert(object: Resource, images: PlatformImages): Conversion {
  const booster = normalBooster(object)
  const errors = [...checkModelBooster(object), ...unsupported(booster)]
  return errors.length > 0 ? { ok: false, errors } : { ok: true, desired: desiredBy(booster, images) }
}

function unsupported({ backends }: NormalBooster): FieldError[] {
  return backends
    .filter(({ type }) => !convertible.includes(type))
    .map(({ path, type }) => {
      const detail = `model backend type ${type} is not supported yet; use vLLM, vLLMDisaggregated or SGLang`
      return { field: `${path}.type`, type: 'FieldValueNotSupported', value: type, detail }
    })
}

/** What the rules refuse becomes something all the same, so that one field may be looked at without those it goes with. */
export function desiredBy(booster: NormalBooster, images: PlatformImages): Desired {
  const backends = booster.backends.flatMap((backend): DesiredBackend[] => {
    const cache = cacheOf(backend.cacheURI)
    if (cache === undefined) return [] // the rules say so
    return [
      {
        backend,
        serving: renderServing(booster, backend, cache, images),
        servingWith: (loras) => renderServing(booster, { ...backend, loras }, cache, images),
        server: renderServer(booster, backend),
        scaled: (booster.modelPolicy ?? backend.policy) !== undefined,
      },
    ]
  })
  return { booster, backends, routes: renderRoutes(booster), ...renderAutoscaling(booster) }
}

/** The children as they would be created, in the order of writing. */
export function childrenOf({ backends, policies, routes, bindings }: Desired): AnyResource[] {
  const servings = backends.map(({ serving }) => ({ ...serving, spec: { ...serving.spec } }))
  return [...servings, ...backends.map(({ server }) => server), ...policies, ...routes, ...bindings]
}
