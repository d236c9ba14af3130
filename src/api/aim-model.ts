import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { aimCategories } from './aim-fields.ts'
import { defineKind } from './define-kind.ts'
import { groups } from './labels.ts'
import type { AIMModelSpec, AIMModelStatus } from './schemas/aim-model.ts'
export type { CustomTemplate, AIMModelSpec, Inspection, AIMModelStatus } from './schemas/aim-model.ts'

/** An AIMModel or an AIMClusterModel: they differ in nothing but their scope. */
export type AIMModel = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: AIMModelSpec
  status?: AIMModelStatus
}

const model = {
  group: groups.aim,
  categories: aimCategories,
  columns: [
    { name: 'Status', type: 'string', jsonPath: '.status.status' },
    { name: 'Source', type: 'string', jsonPath: '.status.sourceType' },
    { name: 'Image', type: 'string', jsonPath: '.spec.image' },
    { name: 'Model', type: 'string', jsonPath: '.status.imageMetadata.model.canonicalName' },
  ],
} as const

export const AIMModel: Kind<AIMModel> = defineKind<AIMModel>({
  ...model,
  kind: 'AIMModel',
  plural: 'aimmodels',
  shortNames: ['aimmdl'],
})

export const AIMClusterModel: Kind<AIMModel> = defineKind<AIMModel>({
  ...model,
  kind: 'AIMClusterModel',
  plural: 'aimclustermodels',
  shortNames: ['aimclmdl'],
  namespaced: false,
})
