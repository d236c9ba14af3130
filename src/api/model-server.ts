import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { defineKind } from './define-kind.ts'
import { groups } from './labels.ts'
import { checkModelServer } from './model-server-rules.ts'
import type { ModelServerSpec, ModelServerStatus } from './schemas/model-server.ts'
export type {
  WorkloadSelector,
  TrafficPolicy,
  ModelServerSpec,
  ModelServerStatus,
} from './schemas/model-server.ts'

export const inferenceEngines = ['vLLM', 'SGLang'] as const
export type InferenceEngine = (typeof inferenceEngines)[number]

export const kvConnectorTypes = ['http', 'lmcache', 'nixl', 'mooncake'] as const
export type KvConnectorType = (typeof kvConnectorTypes)[number]

export type ModelServer = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: ModelServerSpec
  status?: ModelServerStatus
}

export const ModelServer: Kind<ModelServer> = defineKind<ModelServer>({
  group: groups.networking,
  kind: 'ModelServer',
  plural: 'modelservers',
  columns: [
    { name: 'Engine', type: 'string', jsonPath: '.spec.inferenceEngine' },
    { name: 'Port', type: 'integer', jsonPath: '.spec.workloadPort.port' },
    { name: 'Protocol', type: 'string', jsonPath: '.spec.workloadPort.protocol' },
  ],
  check: checkModelServer,
})
