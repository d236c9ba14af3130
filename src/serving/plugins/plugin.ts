import type { Pod } from '#api/core/types.generated.ts'
import type { PodPosition } from '../names.ts'

export type PluginConfig = Readonly<Record<string, unknown>>

/** Where in which ModelServing a pod stands. */
export interface PluginPlace {
  readonly serving: string
  readonly position: PodPosition
}

/** What pods are given beyond their template. Pure, so that a plan shows what will be made; changes replace no pod. */
export interface Plugin {
  /** What is wrong with the settings, each with its path below `config`. */
  check(config: PluginConfig): readonly string[]
  /** The pod to make instead. */
  onPodCreate?(pod: Pod, config: PluginConfig, place: PluginPlace): Pod
  /** Annotations that a pod has from the moment it is ready. */
  onPodReady?(config: PluginConfig, place: PluginPlace): Readonly<Record<string, string>>
}
