import { Pod } from '#api/core/kinds.ts'
import type { FamilyKinds } from '#api/family-kinds.ts'
import type { ModelServer, ModelServerStatus } from '#api/model-server.ts'
import { roleOf, selectorOf } from '#api/model-server-selector.ts'
import type { Domain, Index, Reader } from '#controller/domain.ts'
import { setCondition } from '#machinery/conditions.ts'
import type { Condition } from '#machinery/meta.ts'
import { connectorOf } from './build-index.ts'
import { isServing, selects } from './candidates.ts'

export interface ServerObserved {
  /** Pods that the selector takes, ready or not. */
  readonly pods: readonly Pod[]
}

type Verdict = Pick<Condition, 'status' | 'reason' | 'message'>

/** Writes nothing but the server's status. */
export const modelServerDomain: Domain<ModelServer, ServerObserved, ModelServerStatus> = {
  observe(server, read) {
    const { namespace } = server.metadata
    const labels = selectorOf(server)
    return { pods: read.list(Pod, { namespace, labels }).filter((pod) => selects(server, pod)) }
  },
  plan: () => ({ stages: [] }),
  status(server, { pods }, _outcome, nowMs) {
    const observedGeneration = server.metadata.generation ?? 0
    const former = server.status?.conditions?.filter(({ type }) => type === 'Ready')
    const verdict = readiness(server, pods.filter(isServing))
    return {
      observedGeneration,
      conditions: setCondition(former, { type: 'Ready', observedGeneration, ...verdict }, nowMs),
    }
  },
}

/**
 * Files each server under one pair of its selector: the one with the longest value, for a uid tells more than a role.
 */
const byTellingLabel: Index<ModelServer> = {
  name: 'tellingLabel',
  valuesOf(server) {
    const pairs = Object.entries(selectorOf(server))
    const [longest] = pairs.toSorted(([, a], [, b]) => b.length - a.length)
    return longest === undefined ? [] : [`${server.metadata.namespace}/${longest.join('=')}`]
  },
}

/** The ModelServers that select a pod. */
export function serversOf(kinds: FamilyKinds, pod: Pod, read: Reader): readonly ModelServer[] {
  const { namespace, labels = {} } = pod.metadata
  return Object.entries(labels)
    .flatMap((pair) => read.find(kinds.server, byTellingLabel, `${namespace}/${pair.join('=')}`))
    .filter((server) => selects(server, pod))
}

/** Counts only what is ready, so that pods on their way change nothing. */
function readiness(server: ModelServer, ready: readonly Pod[]): Verdict {
  const wanted = Object.entries(selectorOf(server)).map(([name, value]) => `${name}=${value}`)
  if (wanted.length === 0) {
    const message = 'spec.workloadSelector.matchLabels: selects no pod; write the labels of the pods to route to'
    return { status: 'False', reason: 'NoSelector', message }
  }
  const { pdGroup } = server.spec.workloadSelector
  if (pdGroup === undefined) {
    return ready.length > 0
      ? { status: 'True', reason: 'EndpointsReady', message: `${count(ready.length, 'pod')} ready.` }
      : { status: 'False', reason: 'NoReadyEndpoints', message: `No pod with the labels ${wanted.join(',')} is ready.` }
  }
  if (connectorOf(server) === 'sglang') {
    const message =
      'spec.kvConnector.type: SGLang’s own connector is not supported yet; set http, lmcache, nixl or mooncake'
    return { status: 'False', reason: 'ConnectorNotSupported', message }
  }
  const roles = ready.flatMap((pod) => roleOf(server, pod.metadata.labels) ?? [])
  const prefill = Map.groupBy(
    roles.filter((role) => !role.decodes),
    ({ group }) => group,
  )
  const decode = Map.groupBy(
    roles.filter((role) => role.decodes),
    ({ group }) => group,
  )
  const whole = [...decode.keys()].filter((group) => prefill.has(group))
  if (whole.length > 0) {
    const pods = (of: typeof prefill) => whole.reduce((sum, group) => sum + (of.get(group)?.length ?? 0), 0)
    const message = `${count(whole.length, 'group')} ready: ${pods(prefill)} prefill, ${pods(decode)} decode.`
    return { status: 'True', reason: 'EndpointsReady', message }
  }
  const found = `${count(ready.length, 'pod')} with the labels ${wanted.join(',')} ready`
  const message = `No group by the label ${pdGroup.groupKey} has a prefill and a decode pod ready (${found}).`
  return { status: 'False', reason: 'NoReadyEndpoints', message }
}

function count(amount: number, noun: string): string {
  return `${amount} ${noun}${amount === 1 ? '' : 's'}`
}
