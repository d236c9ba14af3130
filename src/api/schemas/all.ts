import { resourceName } from '#machinery/kind.ts'
import { type DialectKind, matrixinfer } from '../dialects.ts'
import { kindsOf } from '../family-kinds.ts'
import type { GeneratedSchemas, UnresolvedSchema } from '../generated-schema.ts'
import { PodGroup } from '../volcano.ts'
import { aimClusterModelSource } from './aim-cluster-model-source.ts'
import { aimClusterModel, aimModel } from './aim-model.ts'
import { aimClusterRuntimeConfig, aimRuntimeConfig } from './aim-runtime-config.ts'
import { aimClusterServiceTemplate, aimServiceTemplate } from './aim-service-template.ts'
import { aimService } from './aim-service.ts'
import { autoscalingPolicyBinding } from './autoscaling-policy-binding.ts'
import { autoscalingPolicy } from './autoscaling-policy.ts'
import { type KindSchema, rootSchema } from './kind-schema.ts'
import { modelSchema, respelled } from './legacy.ts'
import { modelBooster } from './model-booster.ts'
import { modelRoute } from './model-route.ts'
import { modelServer } from './model-server.ts'
import { modelServing } from './model-serving.ts'
import { podGroupSchema } from './volcano.ts'

const family: Readonly<Record<DialectKind, KindSchema>> = {
  booster: modelBooster,
  serving: modelServing,
  server: modelServer,
  route: modelRoute,
  policy: autoscalingPolicy,
  binding: autoscalingPolicyBinding,
}

const catalog: readonly KindSchema[] = [
  aimModel,
  aimClusterModel,
  aimServiceTemplate,
  aimClusterServiceTemplate,
  aimService,
  aimRuntimeConfig,
  aimClusterRuntimeConfig,
  aimClusterModelSource,
]

/** What `npm run generate` writes for programs to read. */
export function allSchemas(): GeneratedSchemas {
  return Object.fromEntries([
    ...[...Object.values(family), ...catalog].map((schema) => [resourceName(schema.kind), rootSchema(schema)] as const),
    ...(Object.keys(family) as DialectKind[]).map(legacySchema),
    [resourceName(PodGroup), podGroupSchema()] as const,
  ])
}

function legacySchema(part: DialectKind): readonly [string, UnresolvedSchema] {
  const schema = respelled(rootSchema(family[part]), matrixinfer)
  return [resourceName(kindsOf(matrixinfer)[part]), part === 'booster' ? modelSchema(schema) : schema]
}
