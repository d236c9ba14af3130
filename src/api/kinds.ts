import type { Kind } from '#machinery/kind.ts'
import { AutoscalingPolicy } from './autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from './autoscaling-policy-binding.ts'
import { ModelBooster } from './model-booster.ts'
import { ModelRoute } from './model-route.ts'
import { ModelServer } from './model-server.ts'
import { ModelServing } from './model-serving.ts'

/** The kinds that we define; each has a CustomResourceDefinition. */
export const ownKinds: readonly Kind[] = [
  ModelBooster,
  ModelServing,
  ModelServer,
  ModelRoute,
  AutoscalingPolicy,
  AutoscalingPolicyBinding,
]
