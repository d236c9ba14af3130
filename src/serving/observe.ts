import { ControllerRevision, Pod, Service } from '#api/core/kinds.ts'
import type { ModelServer } from '#api/model-server.ts'
import { PodGroup } from '#api/volcano.ts'
import type { ModelServing } from '#api/model-serving.ts'
import type { Reader } from '#controller/domain.ts'
import { podLabelsOf, serverKindOf } from './dialect.ts'
import { factsOf, type PodFacts } from './pod-facts.ts'
import { asksForGang } from './gang.ts'
import type { RouterAnswer, Routers } from './routers.ts'
import { hasTemplate } from './view.ts'
import type { Volcano, VolcanoFinder } from './volcano.ts'

/** What this very ModelServing controls, by its uid: neither labels nor names of others count. */
export interface Observed {
  readonly pods: readonly Pod[]
  readonly facts: readonly PodFacts[]
  readonly services: readonly Service[]
  readonly revisions: readonly ControllerRevision[]
  /** What routers said just now; none where there is no router, or none that answers. */
  readonly routers: readonly RouterAnswer[]
  /** ModelServers of the namespace, looked at only where there is a router. */
  readonly servers: readonly ModelServer[]
  /** Looked for only where a gang is asked for. */
  readonly volcano: Volcano
  readonly podGroups: readonly PodGroup[]
}

/** What is asked beside the API server's caches. */
export interface Around {
  readonly routers: Routers
  readonly volcano: VolcanoFinder
}

export async function observe(
  serving: ModelServing,
  read: Reader,
  around: Around,
  signal: AbortSignal,
): Promise<Observed> {
  const { name = '', namespace, uid = '' } = serving.metadata
  // A gang that is not asked for any more may have left PodGroups.
  const gangs = hasTemplate(serving) && (asksForGang(serving) || toldOfGang(serving))
  const volcano = gangs ? await around.volcano.find(signal) : 'absent'
  // Before all others: what the caches show of pods must not be older than what routers say of them.
  const answers = await around.routers.read(signal)
  const pods = read.list(Pod, { namespace, controllerUid: uid })
  return {
    pods,
    facts: pods.map((pod) => factsOf(name, pod, podLabelsOf(serving))).filter((facts) => facts !== undefined),
    services: read.list(Service, { namespace, controllerUid: uid }),
    revisions: read.list(ControllerRevision, { namespace, controllerUid: uid }),
    routers: answers,
    servers: answers.length === 0 ? [] : read.list(serverKindOf(serving), { namespace }),
    volcano,
    podGroups: volcano === 'absent' ? [] : read.list(PodGroup, { namespace, controllerUid: uid }),
  }
}

const toldOfGang = ({ status }: ModelServing): boolean =>
  status?.conditions?.some(({ type }) => type === 'GangUnavailable') ?? false
