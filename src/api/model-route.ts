import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { defineKind } from './define-kind.ts'
import { groups } from './labels.ts'
import { checkModelRoute, warnModelRoute } from './model-route-rules.ts'
import type { ModelRouteSpec, ModelRouteStatus } from './schemas/model-route.ts'
export type {
  StringMatch,
  ModelMatch,
  TargetModel,
  RouteRule,
  RateLimit,
  ModelRouteSpec,
  ModelRouteStatus,
} from './schemas/model-route.ts'

export type ModelRoute = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: ModelRouteSpec
  status?: ModelRouteStatus
}

export const ModelRoute: Kind<ModelRoute> = defineKind<ModelRoute>({
  group: groups.networking,
  kind: 'ModelRoute',
  plural: 'modelroutes',
  columns: [{ name: 'Model', type: 'string', jsonPath: '.spec.modelName' }],
  check: checkModelRoute,
  warn: warnModelRoute,
})
