/** The plugins of a ModelServing, in the order in which it lists them. */
import type { Pod } from '#api/core/types.generated.ts'
import type { ModelServing, PluginName } from '#api/model-serving.ts'
import type { PodPosition } from '../names.ts'
import { lwsLabels } from './lws-labels.ts'
import type { Plugin } from './plugin.ts'
import { podTweaks } from './pod-tweaks.ts'

/** All there are; the names are those of the API. */
const registry: Readonly<Record<PluginName, Plugin>> = {
  'demo-pod-tweaks': podTweaks,
  'lws-standard-labels': lwsLabels,
}

type Entry = NonNullable<ModelServing['spec']['plugins']>[number]

/** Unknown to an API server that has another schema than ours, perhaps. */
const pluginNamed = (name: string): Plugin | undefined =>
  Object.hasOwn(registry, name) ? registry[name as PluginName] : undefined

/** Why no pod can be made, with the path of the setting; empty when all is well. */
export function pluginErrors({ spec: { plugins = [] } }: ModelServing): string[] {
  return plugins.flatMap(({ name, config = {} }, at) => {
    const path = `spec.plugins[${at}]`
    const plugin = pluginNamed(name)
    if (plugin === undefined) {
      return [`${path}.name: no plugin is called ${name}; there are ${Object.keys(registry).join(', ')}`]
    }
    return plugin.check(config).map((error) => `${path}.config.${error}`)
  })
}

function actingOn({ spec: { plugins = [] } }: ModelServing, { role, index }: PodPosition): readonly Entry[] {
  return plugins.filter(({ scope: { roles = [], target = 'All' } = {} }) => {
    if (roles.length > 0 && !roles.includes(role)) return false
    return target === 'All' || (target === 'Entry') === (index === 0)
  })
}

/** The pod as its plugins want it made. */
export function tweakedPod(serving: ModelServing, position: PodPosition, pod: Pod): Pod {
  const place = { serving: serving.metadata.name ?? '', position }
  return actingOn(serving, position).reduce(
    (made, { name, config = {} }) => pluginNamed(name)?.onPodCreate?.(made, config, place) ?? made,
    pod,
  )
}

/** Annotations that the pod shall have now that it is ready. */
export function readyAnnotations(serving: ModelServing, position: PodPosition): Readonly<Record<string, string>> {
  const place = { serving: serving.metadata.name ?? '', position }
  return Object.assign(
    {},
    ...actingOn(serving, position).map(({ name, config = {} }) => pluginNamed(name)?.onPodReady?.(config, place) ?? {}),
  ) as Record<string, string>
}
