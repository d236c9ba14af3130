import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { aimCategories } from './aim-fields.ts'
import { defineKind } from './define-kind.ts'
import { groups } from './labels.ts'
import type { AIMServiceSpec, AIMServiceStatus } from './schemas/aim-service.ts'
export type { AIMServiceSpec, TemplateCandidate, AIMServiceStatus } from './schemas/aim-service.ts'

export const aimServiceStatuses = ['Pending', 'Starting', 'Running', 'Degraded', 'Failed'] as const
export type AimServiceStatus = (typeof aimServiceStatuses)[number]

export type AIMService = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: AIMServiceSpec
  status?: AIMServiceStatus
}

export const AIMService: Kind<AIMService> = defineKind<AIMService>({
  group: groups.aim,
  kind: 'AIMService',
  plural: 'aimservices',
  shortNames: ['aimsvc'],
  categories: aimCategories,
  columns: [
    { name: 'Status', type: 'string', jsonPath: '.status.status' },
    { name: 'Model', type: 'string', jsonPath: '.status.resolvedModel.name' },
    { name: 'Template', type: 'string', jsonPath: '.status.resolvedTemplate.name' },
    { name: 'Replicas', type: 'string', jsonPath: '.status.runtime.replicas' },
  ],
})
