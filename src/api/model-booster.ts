import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { defineKind } from './define-kind.ts'
import { groups } from './labels.ts'
import { checkModelBooster, warnModelBooster } from './model-booster-rules.ts'
import type { ModelBoosterSpec, ModelBoosterStatus } from './schemas/model-booster.ts'
export type {
  ModelWorker,
  ModelBackend,
  ModelBoosterSpec,
  ModelBoosterStatus,
} from './schemas/model-booster.ts'

export const backendTypes = ['vLLM', 'vLLMDisaggregated', 'SGLang', 'MindIE', 'MindIEDisaggregated'] as const
export type BackendType = (typeof backendTypes)[number]

export const workerTypes = ['server', 'prefill', 'decode', 'controller', 'coordinator'] as const
export type WorkerType = (typeof workerTypes)[number]

export type ModelBooster = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: ModelBoosterSpec
  status?: ModelBoosterStatus
}

export const ModelBooster: Kind<ModelBooster> = defineKind<ModelBooster>({
  group: groups.workload,
  kind: 'ModelBooster',
  plural: 'modelboosters',
  columns: [
    { name: 'Active', type: 'string', jsonPath: '.status.conditions[?(@.type=="Active")].status' },
    { name: 'Failed', type: 'string', jsonPath: '.status.conditions[?(@.type=="Failed")].status' },
    { name: 'Backends', type: 'integer', jsonPath: '.status.backends' },
    { name: 'Status', type: 'string', jsonPath: '.status.conditions[?(@.type=="Active")].message' },
  ],
  check: checkModelBooster,
  warn: warnModelBooster,
})
