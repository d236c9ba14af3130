import type { Pod } from '#api/core/kinds.ts'
import { dialectOf, kthena } from '#api/dialects.ts'
import type { ModelRoute, RateLimit } from '#api/model-route.ts'
import type { ModelServer } from '#api/model-server.ts'
import { roleOf } from '#api/model-server-selector.ts'
import { parseDuration } from '#machinery/duration.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Place, Resource } from '#machinery/meta.ts'
import { isServing, PodsByLabel } from './candidates.ts'
import type {
  Backend,
  Endpoint,
  KvConnector,
  Pairing,
  RouteEntry,
  RoutingSnapshot,
  ServerEntry,
  TokenLimit,
} from './snapshot.ts'
import { compileStringMatch } from './string-match.ts'

export interface RoutingObjects {
  readonly routes: Iterable<ModelRoute>
  readonly servers: Iterable<ModelServer>
  readonly pods: Iterable<Pod>
  /** Where a port of a pod answers; undefined while it has no address. */
  readonly addressOf: (pod: Pod, port: number) => { readonly host: string; readonly port: number } | undefined
  /** Told of an object that does not have the shape of its kind, as a foreign CRD may let it; it is left out. */
  readonly onMisshapen?: (object: Resource, error: unknown) => void
}

/** Pure; the whole index from the whole state, so that an object that left cannot stay in it. */
export function buildIndex(objects: RoutingObjects): RoutingSnapshot {
  const pods = new PodsByLabel(Iterator.from(objects.pods).filter(isServing))
  const servers = new Map<string, ServerEntry>()
  for (const server of objects.servers) {
    const entry = shaped(objects, server, () => serverEntry(server, pods.of(server), objects.addressOf))
    if (entry !== undefined) servers.set(entry.key, entry)
  }
  const byModel = new Map<string, RouteEntry[]>()
  const byAdapter = new Map<string, RouteEntry[]>()
  for (const route of [...objects.routes].sort(byAge)) {
    if (route.metadata.deletionTimestamp !== undefined) continue
    const entry = shaped(objects, route, () => (needsGateway(route) ? undefined : routeEntry(route, servers)))
    if (entry === undefined) continue
    if (route.spec.modelName) file(byModel, route.spec.modelName, entry)
    for (const adapter of new Set(route.spec.loraAdapters)) file(byAdapter, adapter, entry)
  }
  return { byModel, byAdapter, servers }
}

/** `namespace/name`, for another family than ours after its name: both may have the same names. */
function entryKey(object: Resource, place: Place): string {
  const dialect = dialectOf(object)
  return dialect === kthena ? keyOf(place) : `${dialect.name}/${keyOf(place)}`
}

function shaped<T>({ onMisshapen }: RoutingObjects, object: Resource, make: () => T): T | undefined {
  try {
    return make()
  } catch (error) {
    onMisshapen?.(object, error)
    return undefined
  }
}

/** Oldest first; what is equally old, by name. */
export function byAge(a: ModelRoute, b: ModelRoute): number {
  return (
    compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
    compare(keyOf(placeOf(a)), keyOf(placeOf(b)))
  )
}

/** Attached to a Gateway, so not ours to serve outside one. */
export function needsGateway(route: ModelRoute): boolean {
  return (route.spec?.parentRefs ?? []).length > 0
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function file(index: Map<string, RouteEntry[]>, name: string, entry: RouteEntry): void {
  const entries = index.get(name)
  if (entries === undefined) index.set(name, [entry])
  else entries.push(entry)
}

function routeEntry(route: ModelRoute, servers: ReadonlyMap<string, ServerEntry>): RouteEntry {
  const { namespace } = route.metadata
  return {
    key: entryKey(route, placeOf(route)),
    rules: route.spec.rules.map(({ modelMatch, targetModels }) => ({
      bodyModel: modelMatch?.body?.model,
      headers: Object.entries(modelMatch?.headers ?? {}).map(([name, match]) => ({
        name: name.toLowerCase(),
        test: compileStringMatch(match),
      })),
      uri: modelMatch?.uri === undefined ? undefined : compileStringMatch(modelMatch.uri),
      targets: targetModels.map(({ modelServerName, externalModelProviderName, weight }) => {
        const key = entryKey(route, { namespace, name: modelServerName ?? externalModelProviderName ?? '' })
        return { key, server: modelServerName === undefined ? undefined : servers.get(key), weight }
      }),
    })),
    ...limitOf(route.spec.rateLimit),
  }
}

const unitSeconds: Readonly<Record<RateLimit['unit'], number>> = {
  second: 1,
  minute: 60,
  hour: 3600,
  day: 86_400,
  month: 30 * 86_400,
}

function limitOf(rateLimit: RateLimit | undefined): { readonly limit?: TokenLimit } {
  const { inputTokensPerUnit: input, outputTokensPerUnit: output, unit = 'second' } = rateLimit ?? {}
  if (input === undefined && output === undefined) return {}
  return { limit: { input, output, unit, unitMs: 1000 * unitSeconds[unit] } }
}

function serverEntry(server: ModelServer, pods: readonly Pod[], addressOf: RoutingObjects['addressOf']): ServerEntry {
  const { trafficPolicy, workloadPort } = server.spec
  const endpointOf = (pod: Pod): Endpoint | undefined => {
    const address = addressOf(pod, workloadPort.port)
    if (address === undefined) return undefined
    const host = address.host.includes(':') ? `[${address.host}]` : address.host
    const origin = `${workloadPort.protocol ?? 'http'}://${host}:${address.port}`
    return { pod: keyOf(placeOf(pod)), uid: pod.metadata.uid ?? '', origin }
  }
  return {
    key: entryKey(server, placeOf(server)),
    model: server.spec.model || undefined,
    timeoutMs: positive(trafficPolicy?.timeout),
    retry:
      trafficPolicy?.retry?.attempts === undefined
        ? undefined
        : {
            attempts: trafficPolicy.retry.attempts,
            intervalMs: positive(trafficPolicy.retry.retryInterval) ?? 0,
          },
    ...(trafficPolicy?.hold !== undefined && {
      hold: { maxRequests: trafficPolicy.hold.maxRequests, timeoutMs: positive(trafficPolicy.hold.timeout) ?? 0 },
    }),
    backend: backendOf(server, pods, endpointOf),
  }
}

/** Milliseconds; undefined for a duration that bounds nothing. */
function positive(duration: string | undefined): number | undefined {
  const ms = duration === undefined ? undefined : parseDuration(duration)
  return ms !== undefined && ms > 0 ? ms : undefined
}

function backendOf(server: ModelServer, pods: readonly Pod[], endpointOf: (pod: Pod) => Endpoint | undefined): Backend {
  if (server.spec.workloadSelector.pdGroup === undefined) {
    return { kind: 'plain', endpoints: pods.map(endpointOf).filter((endpoint) => endpoint !== undefined) }
  }
  const groups = new Map<string, { readonly decode: Endpoint[]; readonly prefill: Endpoint[] }>()
  for (const pod of pods) {
    const role = roleOf(server, pod.metadata.labels)
    const endpoint = endpointOf(pod)
    if (role === undefined || endpoint === undefined) continue
    const group = groups.get(role.group) ?? { decode: [], prefill: [] }
    groups.set(role.group, group)
    group[role.decodes ? 'decode' : 'prefill'].push(endpoint)
  }
  const pairings: Pairing[] = [...groups].flatMap(([group, { decode, prefill }]) =>
    prefill.length === 0 ? [] : decode.map((endpoint) => ({ group, decode: endpoint, prefill })),
  )
  return { kind: 'disaggregated', connector: connectorOf(server), pairings }
}

/** SGLang hands its cache over in its own way unless told otherwise. */
export function connectorOf(server: ModelServer): KvConnector {
  return server.spec.kvConnector?.type ?? (server.spec.inferenceEngine === 'SGLang' ? 'sglang' : 'http')
}
