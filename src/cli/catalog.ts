/** The AIM catalog as our controllers, with what it brings along: registries, and the logs of its Jobs. */
import { defaultAimNamespace } from '#api/aim-labels.ts'
import { Pod } from '#api/core/kinds.ts'
import { systemClock } from '#base/clock.ts'
import { clusterRuntimeConfigController, runtimeConfigController } from '#catalog/config/controller.ts'
import { modelController } from '#catalog/model/controller.ts'
import { imageReader } from '#catalog/model/read-image.ts'
import { clusterScope, namespaceScope, type Scope } from '#catalog/scope.ts'
import { serviceController } from '#catalog/service/controller.ts'
import { templateController } from '#catalog/template/controller.ts'
import { DiscoveryQueue } from '#catalog/template/discovery-queue.ts'
import type { ReadLog } from '#catalog/template/observe.ts'
import { Fault } from '#base/fault.ts'
import { createCacheReader } from '#controller/cache-reader.ts'
import type { ControllerDefinition, Runtime } from '#controller/controller.ts'
import { startController } from '#controller/start-controller.ts'
import type { Client } from '#kube/client.ts'
import { collectionPath, type Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { openRegistries } from '#oci/registries.ts'
import type { RegistrySettings } from '#oci/settings.ts'
import type { Clock } from '#base/clock.ts'
import type { Startable } from './controllers.ts'

export interface CatalogOptions {
  /** Of Secrets, ConfigMaps and Jobs of what is cluster-scoped. */
  readonly systemNamespace?: string
  /** Mirrors, authorities and the like. */
  readonly registries?: RegistrySettings
  /** For all that waits; default the runtime's. */
  readonly clock?: Clock
}

export function catalogControllers(options: CatalogOptions): readonly Startable[] {
  const { systemNamespace = defaultAimNamespace, registries: settings = {} } = options
  // Both scopes share the places for discovery Jobs.
  const { clock = systemClock } = options
  const queue = new DiscoveryQueue(clock)
  const scoped = (scope: Scope): readonly Startable[] => [
    inspecting(scope, { ...options, systemNamespace, registries: settings }),
    timed(options, (client) =>
      templateController({ scope, queue, clock, readLog: logReader(client), systemNamespace }),
    ),
  ]
  return [
    ...scoped(namespaceScope),
    ...scoped(clusterScope),
    timed(options, () => serviceController),
    timed(options, () => runtimeConfigController),
    timed(options, () => clusterRuntimeConfigController),
  ]
}

/** With registries of its own, which end with it. */
function inspecting(
  scope: Scope,
  options: Required<Pick<CatalogOptions, 'systemNamespace' | 'registries'>> & CatalogOptions,
): Startable {
  const { systemNamespace, registries: settings } = options
  const definition = (runtime: Pick<Runtime, 'clock'>, readImage: Parameters<typeof modelController>[0]['readImage']) =>
    modelController({ scope, readImage, clock: runtime.clock, systemNamespace })
  const about = definition({ clock: systemClock }, () => Promise.reject(new Error('not started')))
  return {
    ...factsOf(about),
    start(given) {
      const runtime = withClock(given, options)
      const { client, informers, log, clock } = runtime
      const registries = openRegistries({ settings, clock, log })
      const read = createCacheReader(informers)
      const running = startController(definition(runtime, imageReader({ client, registries, read })), runtime)
      return {
        ...running,
        async [Symbol.asyncDispose]() {
          await running[Symbol.asyncDispose]()
          await registries[Symbol.asyncDispose]()
        },
      }
    },
  }
}

function timed<T extends Resource, Observed, Status>(
  options: CatalogOptions,
  definitionFor: (client: Client) => ControllerDefinition<T, Observed, Status>,
): Startable {
  return {
    ...factsOf(definitionFor({} as Client)), // the facts are the same whoever asks
    start(given) {
      const runtime = withClock(given, options)
      return startController(definitionFor(runtime.client), runtime)
    },
  }
}

function withClock(runtime: Runtime, { clock }: CatalogOptions): Runtime {
  return clock === undefined ? runtime : { ...runtime, clock }
}

function factsOf<T extends Resource, Observed, Status>({
  name,
  kind,
  watches,
}: ControllerDefinition<T, Observed, Status>) {
  return { name, kind: kind as Kind, kinds: [...new Set<Kind>([kind as Kind, ...watches.map((watch) => watch.kind)])] }
}

/** Discovery prints little; what prints more is something else. */
const mostLogBytes = 4 << 20

function logReader(client: Client): ReadLog {
  return async ({ namespace, name, container }, signal) => {
    const query = new URLSearchParams({ container, limitBytes: String(mostLogBytes) })
    const path = `${collectionPath(Pod, namespace)}/${encodeURIComponent(name)}/log?${query}`
    const response = await client.raw(path, { signal })
    if (response.ok) return response.text()
    await response.body?.cancel()
    throw new Fault('unavailable', 'LogUnreadable', `the API server answered ${response.status}`)
  }
}
