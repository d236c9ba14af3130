/** The autoscaler as two of our controllers, which bring their own connections: to pods, routers and Prometheus. */
import { lookup } from 'node:dns/promises'
import { Pod } from '#api/core/kinds.ts'
import { type Dialect, kthena } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import { createBindingScaler, createPolicyScaler, scalerNames } from '#autoscaler/controller.ts'
import type { AutoscalerParts } from '#autoscaler/observe.ts'
import type { Clock } from '#base/clock.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import { startController } from '#controller/start-controller.ts'
import { connectPlainly } from '#kube/plain-fetch.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { closingAfter } from './closing-after.ts'
import type { Startable } from './controllers.ts'

export interface AutoscalingOptions
  extends Partial<Pick<AutoscalerParts, 'tickMs' | 'routers' | 'allowedServers' | 'onDecision' | 'onScrape'>> {
  /** For all that has to do with policies; default the runtime's. */
  readonly clock?: Clock
  /** Default connections of its own. */
  readonly fetch?: Fetch
}

const defaultTickMs = 15_000

/** Of bindings, and of policies that say themselves what they scale. */
export function scalers(options: AutoscalingOptions, dialect: Dialect = kthena): readonly Startable[] {
  const { binding, policy, serving, server } = kindsOf(dialect)
  const names = scalerNames(dialect)
  const kinds = [binding, policy, serving, server] as readonly Kind[]
  return [
    scaler((parts) => createBindingScaler(parts, dialect), options, {
      name: names.binding,
      kind: binding,
      kinds,
    }),
    scaler((parts) => createPolicyScaler(parts, dialect), options, { name: names.policy, kind: policy, kinds }),
  ]
}

type Create<T extends Resource, Observed, Status> = (
  parts: AutoscalerParts,
) => ControllerDefinition<T, Observed, Status>

function scaler<T extends Resource, Observed, Status>(
  create: Create<T, Observed, Status>,
  { clock: own, ...options }: AutoscalingOptions,
  about: Pick<Startable, 'name' | 'kind' | 'kinds'>,
): Startable {
  const defaults = { tickMs: defaultTickMs, routers: () => [], allowedServers: [] }
  const { name, kind, kinds } = about
  return {
    name,
    kind,
    kinds: [...kinds, Pod],
    start(given) {
      const connection = connectPlainly()
      const runtime = own === undefined ? given : { ...given, clock: own }
      const { client, clock } = runtime
      const parts = { ...defaults, fetch: connection.fetch, ...options, client, clock }
      return closingAfter(startController(create(parts), runtime), () => connection[Symbol.asyncDispose]())
    },
  }
}

/** Every address behind the URLs of routers: a name may stand for several. */
export async function routersBehind(urls: readonly string[]): Promise<readonly string[]> {
  const found = await Promise.all(
    urls.map(async (url) => {
      const { protocol, hostname, port } = new URL(url)
      const addresses = await lookup(hostname.replaceAll(/[[\]]/g, ''), { all: true }).catch(() => []) // no such name: no router
      return addresses.map(({ address, family }) => `${protocol}//${family === 6 ? `[${address}]` : address}:${port}`)
    }),
  )
  return found.flat()
}
