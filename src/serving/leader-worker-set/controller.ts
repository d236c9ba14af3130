/**
 * LeaderWorkerSets as another way to write a ModelServing: each becomes one of the same name, and is told how that one is. Off
 * unless asked for: where the controller of that project runs, both would make pods.
 */
import { LeaderWorkerSet, type LeaderWorkerSetStatus } from '#api/leader-worker-set.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { ControllerDefinition } from '#controller/controller.ts'
import { keysOfController } from '#controller/owned.ts'
import { type Observed, plan } from './plan.ts'
import { status } from './status.ts'

export const leaderWorkerSetController: ControllerDefinition<LeaderWorkerSet, Observed, LeaderWorkerSetStatus> = {
  name: 'fairlead-leader-worker-set',
  kind: LeaderWorkerSet,
  domain: {
    observe: ({ metadata: { namespace, name = '' } }, read) => ({
      serving: read.get(ModelServing, { namespace, name }),
    }),
    plan,
    status,
  },
  watches: [{ kind: ModelServing, keysOf: keysOfController(LeaderWorkerSet) }],
}
