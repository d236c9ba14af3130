import type { Kind } from '#machinery/kind.ts'
import { AIMClusterModelSource } from './aim-cluster-model-source.ts'
import { AIMClusterModel, AIMModel } from './aim-model.ts'
import { AIMClusterRuntimeConfig, AIMRuntimeConfig } from './aim-runtime-config.ts'
import { AIMService } from './aim-service.ts'
import { AIMClusterServiceTemplate, AIMServiceTemplate } from './aim-service-template.ts'
import { AutoscalingPolicy } from './autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from './autoscaling-policy-binding.ts'
import { ModelBooster } from './model-booster.ts'
import { ModelRoute } from './model-route.ts'
import { ModelServer } from './model-server.ts'
import { ModelServing } from './model-serving.ts'

/** Those of the AIM catalog. */
const catalogKinds: readonly Kind[] = [
  AIMModel,
  AIMClusterModel,
  AIMServiceTemplate,
  AIMClusterServiceTemplate,
  AIMService,
  AIMRuntimeConfig,
  AIMClusterRuntimeConfig,
  AIMClusterModelSource,
]

/** The kinds that we define; each has a CustomResourceDefinition. */
export const ownKinds: readonly Kind[] = [
  ModelBooster,
  ModelServing,
  ModelServer,
  ModelRoute,
  AutoscalingPolicy,
  AutoscalingPolicyBinding,
  ...catalogKinds,
]
