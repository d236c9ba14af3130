import { kthena, matrixinfer } from '#api/dialects.ts'
import { createBoosterController } from '#booster/controller.ts'
import type { ControllerDefinition, Runtime, StartedController } from '#controller/controller.ts'
import { startController } from '#controller/start-controller.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { routeController, serverController } from '#routing/controller.ts'
import { servingController } from '#serving/controller.ts'
import type { Routers } from '#serving/routers.ts'
import { leaderWorkerSetController } from '#serving/leader-worker-set/controller.ts'
import { findVolcano } from '#serving/volcano.ts'
import { adapterLoader } from './adapter-loader.ts'
import { type AutoscalingOptions, scalers } from './autoscaling.ts'
import { catalogControllers, type CatalogOptions } from './catalog.ts'
import { usage } from './exit.ts'

/** A controller with its types closed over, so that different ones fit into one list. */
export interface Startable {
  /** As in the definition: field manager, component of events. */
  readonly name: string
  /** Whose objects it is there for. */
  readonly kind: Kind
  /** All that it watches, the former included. */
  readonly kinds: readonly Kind[]
  start(runtime: Runtime): StartedController
}

export interface ControllerChoice {
  /** Default all. */
  readonly names?: readonly ControllerName[] | undefined
  /** Where the ConfigMap that names the platform's images may be; without it none is read. */
  readonly home?: string
  /** Who sends requests to pods; nobody by default. */
  readonly routers?: Routers
  readonly autoscaling?: AutoscalingOptions
  readonly catalog?: CatalogOptions
}

/** All our controllers, by the name under which a part of them can be asked for. */
function allControllers({ home, routers, autoscaling = {}, catalog = {} }: ControllerChoice) {
  const at = home === undefined ? {} : { controllerNamespace: home }
  const routed = routers === undefined ? {} : { routers }
  const serving = startable(servingController(routed))
  return {
    'model-booster': [startable(createBoosterController(at)), adapterLoader(kthena)],
    'model-serving': [
      {
        ...serving,
        start: (runtime: Runtime) => {
          const volcano = findVolcano(runtime.client, runtime.clock)
          return startController(servingController({ ...routed, volcano }), runtime)
        },
      },
    ],
    'leader-worker-set': [startable(leaderWorkerSetController)],
    routing: [startable(routeController()), startable(serverController())],
    autoscaler: scalers(autoscaling),
    'aim-catalog': catalogControllers(catalog),
    matrixinfer: [
      startable(createBoosterController({ ...at, dialect: matrixinfer })),
      adapterLoader(matrixinfer),
      startable(servingController({ ...routed, dialect: matrixinfer })),
      startable(routeController(matrixinfer)),
      startable(serverController(matrixinfer)),
      ...scalers(autoscaling, matrixinfer),
    ],
  } as const satisfies Readonly<Record<string, readonly Startable[]>>
}

export type ControllerName = keyof ReturnType<typeof allControllers>

const allNames = Object.keys(allControllers({})) as readonly ControllerName[] // the keys are known
/** Those that nobody gets who does not ask for them by name. */
const onDemand: ReadonlySet<ControllerName> = new Set(['leader-worker-set', 'matrixinfer'])
export const controllerNames = allNames.filter((name) => !onDemand.has(name))

/** The controllers of these names, in the order of the list. */
export function ourControllers(choice: ControllerChoice = {}): readonly Startable[] {
  const { names = controllerNames } = choice
  const all = allControllers(choice)
  return allNames.filter((name) => names.includes(name)).flatMap((name) => all[name])
}

/** Starts each with the runtime that `runtimeFor` gives it. */
export function startControllers(
  runtimeFor: (name: string) => Runtime,
  names?: readonly ControllerName[],
  parts: Pick<ControllerChoice, 'routers' | 'autoscaling' | 'catalog'> = {},
): StartedController[] {
  return ourControllers({ names, ...parts }).map((each) => each.start(runtimeFor(each.name)))
}

/** The controllers that somebody names, `*` being all of them but those on demand. Throws a usage error that tells the names there are. */
export function controllersNamed(texts: readonly string[]): readonly ControllerName[] {
  const known = (text: string): text is ControllerName => (allNames as readonly string[]).includes(text)
  const unknown = texts.filter((text) => text !== '*' && !known(text))
  if (unknown.length > 0)
    throw usage(`--controllers: there is no ${unknown.join(', ')}; write *, or some of ${allNames.join(', ')}`)
  return [...new Set([...(texts.includes('*') ? controllerNames : []), ...texts.filter(known)])]
}

function startable<T extends Resource, Observed, Status>(
  definition: ControllerDefinition<T, Observed, Status>,
): Startable {
  const { name, kind, watches } = definition
  return {
    name,
    kind,
    kinds: [...new Set<Kind>([kind, ...watches.map((watch) => watch.kind)])],
    start: (runtime) => startController(definition, runtime),
  }
}
