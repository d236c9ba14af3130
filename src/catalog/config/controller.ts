/** Says of each runtime config that it is taken: those who go by it read it themselves. */
import { AIMClusterRuntimeConfig, AIMRuntimeConfig, type AIMRuntimeConfigStatus } from '#api/aim-runtime-config.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import type { Kind } from '#machinery/kind.ts'
import { controllerNames } from '../names.ts'
import { isLeftAlone } from '../paused.ts'
import { dated } from '../rollup.ts'

type ConfigController = ControllerDefinition<AIMRuntimeConfig, undefined, AIMRuntimeConfigStatus>

export const runtimeConfigController = controllerOfKind(AIMRuntimeConfig, controllerNames.runtimeConfig)
export const clusterRuntimeConfigController = controllerOfKind(
  AIMClusterRuntimeConfig,
  controllerNames.clusterRuntimeConfig,
)

function controllerOfKind(kind: Kind<AIMRuntimeConfig>, name: string): ConfigController {
  return {
    name,
    kind,
    domain: { observe: () => undefined, plan: () => ({ stages: [] }), status },
    watches: [],
  }
}

function status(
  config: AIMRuntimeConfig,
  _observed: undefined,
  _outcome: unknown,
  nowMs: number,
): AIMRuntimeConfigStatus | undefined {
  if (isLeftAlone(config)) return undefined
  const { metadata, status: former } = config
  const generation = metadata.generation ?? 0
  const message = metadata.name === 'default' ? 'applies where no other is named' : 'applies where it is named'
  const ready = { type: 'Ready', status: 'True', reason: 'Valid', message } as const
  return {
    observedGeneration: generation,
    conditions: dated([ready], { conditions: former?.conditions, generation, nowMs }),
  }
}
