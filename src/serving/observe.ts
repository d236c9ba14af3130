import { ControllerRevision, Pod, Service } from '#api/core/kinds.ts'
import type { ModelServing } from '#api/model-serving.ts'
import type { Reader } from '#controller/domain.ts'
import { factsOf, type PodFacts } from './pod-facts.ts'

/** What this very ModelServing controls, by its uid: neither labels nor names of others count. */
export interface Observed {
  readonly pods: readonly Pod[]
  readonly facts: readonly PodFacts[]
  readonly services: readonly Service[]
  readonly revisions: readonly ControllerRevision[]
}

export function observe(serving: ModelServing, read: Reader): Observed {
  const { name = '', namespace, uid = '' } = serving.metadata
  const pods = read.list(Pod, { namespace, controllerUid: uid })
  return {
    pods,
    facts: pods.map((pod) => factsOf(name, pod)).filter((facts) => facts !== undefined),
    services: read.list(Service, { namespace, controllerUid: uid }),
    revisions: read.list(ControllerRevision, { namespace, controllerUid: uid }),
  }
}
