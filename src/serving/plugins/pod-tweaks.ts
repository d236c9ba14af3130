import type { Container, EnvVar } from '#api/core/types.generated.ts'
import { isObject } from '#base/json.ts'
import type { Plugin, PluginConfig } from './plugin.ts'

/**
 * `runtimeClassName`, `annotations` and `env` for all containers; `readyAnnotations` once the pod is ready. A variable of
 * the container's own with the same name is replaced.
 */
export const podTweaks: Plugin = {
  check({ runtimeClassName, annotations, readyAnnotations, env }) {
    return [
      ...(runtimeClassName === undefined || typeof runtimeClassName === 'string'
        ? []
        : ['runtimeClassName: must be a string']),
      ...(isStrings(annotations) ? [] : ['annotations: must be a map of strings']),
      ...(isStrings(readyAnnotations) ? [] : ['readyAnnotations: must be a map of strings']),
      ...(env === undefined ||
      (Array.isArray(env) && env.every((each) => isObject(each) && typeof each['name'] === 'string'))
        ? []
        : ['env: must be a list of variables, each with a name']),
    ]
  },
  onPodCreate(pod, config) {
    const { runtimeClassName } = config
    const annotations = { ...pod.metadata.annotations, ...stringsIn(config, 'annotations') }
    const env = (config['env'] ?? []) as readonly EnvVar[] // checked
    const tweaked = (container: Container): Container => withEnv(container, env)
    return {
      ...pod,
      metadata: { ...pod.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
      spec: {
        ...pod.spec,
        ...(typeof runtimeClassName === 'string' && { runtimeClassName }),
        ...(pod.spec?.initContainers && { initContainers: pod.spec.initContainers.map(tweaked) }),
        containers: (pod.spec?.containers ?? []).map(tweaked),
      },
    }
  },
  onPodReady: (config) => stringsIn(config, 'readyAnnotations'),
}

function withEnv(container: Container, env: readonly EnvVar[]): Container {
  if (env.length === 0) return container
  const names = new Set(env.map(({ name }) => name))
  return { ...container, env: [...(container.env ?? []).filter(({ name }) => !names.has(name)), ...env] }
}

const isStrings = (value: unknown): boolean =>
  value === undefined || (isObject(value) && Object.values(value).every((each) => typeof each === 'string'))

const stringsIn = (config: PluginConfig, name: string): Record<string, string> =>
  (config[name] ?? {}) as Record<string, string> // checked
