/** The AIM catalog as our controllers, with what it brings along: registries, and the logs of its Jobs. */
import { defaultAimNamespace } from '#api/aim-labels.ts'
import { Pod } from '#api/core/kinds.ts'
import { type Clock, systemClock } from '#base/clock.ts'
import { readUpTo } from '#base/read-up-to.ts'
import { clusterRuntimeConfigController, runtimeConfigController } from '#catalog/config/controller.ts'
import { modelController } from '#catalog/model/controller.ts'
import { imageReader } from '#catalog/model/read-image.ts'
import { clusterScope, namespaceScope, type Scope } from '#catalog/scope.ts'
import { imageListsFrom } from '#catalog/source/image-lists.ts'
import { modelSourceController } from '#catalog/source/controller.ts'
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
import { openRegistries, type Registries } from '#oci/registries.ts'
import type { RegistrySettings } from '#oci/settings.ts'
import { closingAfter } from './closing-after.ts'
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
  const { systemNamespace = defaultAimNamespace, clock = systemClock } = options
  // Both scopes share the places for discovery Jobs, and all who ask registries what these said.
  const queue = new DiscoveryQueue(clock)
  const shared = new SharedRegistries(options.registries ?? {})
  const scoped = (scope: Scope): readonly Startable[] => [
    asking(options, shared, (runtime, registries) => {
      const { client, informers } = runtime
      const readImage = imageReader({ client, registries, read: createCacheReader(informers) })
      return modelController({ scope, readImage, clock: runtime.clock, systemNamespace })
    }),
    timed(options, (client) =>
      templateController({ scope, queue, clock, readLog: logReader(client), systemNamespace }),
    ),
  ]
  return [
    ...scoped(namespaceScope),
    ...scoped(clusterScope),
    asking(options, shared, (runtime, registries) => {
      const listsFor = imageListsFrom({ client: runtime.client, registries, namespace: systemNamespace })
      return modelSourceController({ clock: runtime.clock, systemNamespace, listsFor })
    }),
    timed(options, () => serviceController()),
    timed(options, () => runtimeConfigController),
    timed(options, () => clusterRuntimeConfigController),
  ]
}

/** One for all controllers: opened by the first that starts, closed after the last that stops. */
class SharedRegistries {
  readonly #settings: RegistrySettings
  #open: Registries | undefined
  #users = 0

  constructor(settings: RegistrySettings) {
    this.#settings = settings
  }

  enter({ clock, log }: Pick<Runtime, 'clock' | 'log'>): Registries {
    this.#users++
    return (this.#open ??= openRegistries({ settings: this.#settings, clock, log }))
  }

  async leave(): Promise<void> {
    if (--this.#users > 0) return
    const open = this.#open
    this.#open = undefined
    await open?.[Symbol.asyncDispose]()
  }
}

function asking<T extends Resource, Observed, Status>(
  options: CatalogOptions,
  shared: SharedRegistries,
  definitionFor: (runtime: Runtime, registries: Registries) => ControllerDefinition<T, Observed, Status>,
): Startable {
  return {
    ...factsOf(definitionFor({} as Runtime, {} as Registries)), // the facts are the same whoever asks
    start(given) {
      const runtime = withClock(given, options)
      return closingAfter(startController(definitionFor(runtime, shared.enter(runtime)), runtime), () => shared.leave())
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
  return { name, kind: kind as Kind, kinds: [...new Set<Kind>([kind, ...watches.map((watch) => watch.kind)])] }
}

/** Discovery prints little; what prints more is something else. */
const mostLogBytes = 4 << 20

function logReader(client: Client): ReadLog {
  return async ({ namespace, name, container }, signal) => {
    const query = new URLSearchParams({ container, limitBytes: String(mostLogBytes) })
    const path = `${collectionPath(Pod, namespace)}/${encodeURIComponent(name)}/log?${query}`
    const response = await client.raw(path, { signal })
    // Whoever answers need not keep to the limit that was asked for.
    if (response.ok) return (await readUpTo(response.body, mostLogBytes)).bytes.toString()
    await response.body?.cancel()
    throw new Fault('unavailable', 'LogUnreadable', `the API server answered ${response.status}`)
  }
}
