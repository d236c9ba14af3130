/** The autoscaler as two of our controllers, which bring their own connections: to pods, routers and Prometheus. */
import { lookup } from 'node:dns/promises'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { Pod } from '#api/core/kinds.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import { createBindingScaler, createPolicyScaler, scalerNames } from '#autoscaler/controller.ts'
import type { AutoscalerParts } from '#autoscaler/observe.ts'
import type { Clock } from '#base/clock.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import { startController } from '#controller/start-controller.ts'
import { connectPlainly } from '#kube/plain-fetch.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Resource } from '#machinery/meta.ts'
import type { Startable } from './controllers.ts'

export interface AutoscalingOptions
  extends Partial<Pick<AutoscalerParts, 'tickMs' | 'routers' | 'allowedServers' | 'onDecision' | 'onScrape'>> {
  /** For all that has to do with policies; default the runtime's. */
  readonly clock?: Clock
  /** Default connections of its own. */
  readonly fetch?: Fetch
}

const defaultTickMs = 15_000

export const bindingScaler = (options: AutoscalingOptions): Startable =>
  scaler(createBindingScaler, options, {
    name: scalerNames.binding,
    kind: AutoscalingPolicyBinding,
    kinds: [AutoscalingPolicyBinding, AutoscalingPolicy, ModelServing],
  })

export const policyScaler = (options: AutoscalingOptions): Startable =>
  scaler(createPolicyScaler, options, {
    name: scalerNames.policy,
    kind: AutoscalingPolicy,
    kinds: [AutoscalingPolicy, AutoscalingPolicyBinding, ModelServing],
  })

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
    kinds: [...kinds, Pod, ModelServer],
    start(given) {
      const connection = connectPlainly()
      const runtime = own === undefined ? given : { ...given, clock: own }
      const { client, clock } = runtime
      const parts = { ...defaults, fetch: connection.fetch, ...options, client, clock }
      const running = startController(create(parts), runtime)
      return {
        ...running,
        async [Symbol.asyncDispose]() {
          await running[Symbol.asyncDispose]()
          await connection[Symbol.asyncDispose]()
        },
      }
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
