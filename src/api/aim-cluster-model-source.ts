import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { aimCategories } from './aim-fields.ts'
import { defineKind } from './define-kind.ts'
import { groups } from './labels.ts'
import type { AIMClusterModelSourceSpec, AIMClusterModelSourceStatus } from './schemas/aim-cluster-model-source.ts'
export type {
  ModelFilter,
  AIMClusterModelSourceSpec,
  AIMClusterModelSourceStatus,
} from './schemas/aim-cluster-model-source.ts'

export type AIMClusterModelSource = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: AIMClusterModelSourceSpec
  status?: AIMClusterModelSourceStatus
}

export const AIMClusterModelSource: Kind<AIMClusterModelSource> = defineKind<AIMClusterModelSource>({
  group: groups.aim,
  kind: 'AIMClusterModelSource',
  plural: 'aimclustermodelsources',
  shortNames: ['aimclsrc'],
  categories: aimCategories,
  namespaced: false,
  columns: [
    { name: 'Status', type: 'string', jsonPath: '.status.status' },
    { name: 'Models', type: 'integer', jsonPath: '.status.discoveredModels' },
    { name: 'LastSync', type: 'date', jsonPath: '.status.lastSyncTime' },
  ],
})
