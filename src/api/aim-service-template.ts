import type { Kind, PrinterColumn } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { aimCategories } from './aim-fields.ts'
import { defineKind } from './define-kind.ts'
import { groups } from './labels.ts'
import type { AIMServiceTemplateSpec, AIMServiceTemplateStatus } from './schemas/aim-service-template.ts'
export type { AIMServiceTemplateSpec, Discovery, AIMServiceTemplateStatus } from './schemas/aim-service-template.ts'

/** An AIMServiceTemplate or an AIMClusterServiceTemplate; the latter has no `caching`. */
export type AIMServiceTemplate = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: AIMServiceTemplateSpec
  status?: AIMServiceTemplateStatus
}

const columns: readonly PrinterColumn[] = [
  { name: 'Model', type: 'string', jsonPath: '.spec.modelName' },
  { name: 'Status', type: 'string', jsonPath: '.status.status' },
  { name: 'Hardware', type: 'string', jsonPath: '.status.hardwareSummary' },
  { name: 'Metric', type: 'string', jsonPath: '.status.profile.metadata.metric' },
  { name: 'Precision', type: 'string', jsonPath: '.status.profile.metadata.precision' },
  { name: 'GPUs', type: 'integer', jsonPath: '.status.resolvedHardware.gpu.requests', priority: 1 },
  { name: 'GPU', type: 'string', jsonPath: '.status.resolvedHardware.gpu.model', priority: 1 },
]
const template = { group: groups.aim, categories: aimCategories, columns }

export const AIMServiceTemplate: Kind<AIMServiceTemplate> = defineKind<AIMServiceTemplate>({
  ...template,
  kind: 'AIMServiceTemplate',
  plural: 'aimservicetemplates',
  shortNames: ['aimtpl'],
})

export const AIMClusterServiceTemplate: Kind<AIMServiceTemplate> = defineKind<AIMServiceTemplate>({
  ...template,
  kind: 'AIMClusterServiceTemplate',
  plural: 'aimclusterservicetemplates',
  shortNames: ['aimcltpl'],
  namespaced: false,
})
