import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { aimCategories } from './aim-fields.ts'
import { defineKind } from './define-kind.ts'
import { groups } from './labels.ts'
import type { AIMRuntimeConfigSpec, AIMRuntimeConfigStatus } from './schemas/aim-runtime-config.ts'
export type { AIMRuntimeConfigSpec, AIMRuntimeConfigStatus } from './schemas/aim-runtime-config.ts'

/** An AIMRuntimeConfig or an AIMClusterRuntimeConfig. */
export type AIMRuntimeConfig = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec: AIMRuntimeConfigSpec
  status?: AIMRuntimeConfigStatus
}

const config = {
  group: groups.aim,
  categories: aimCategories,
  columns: [{ name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' }],
} as const

export const AIMRuntimeConfig: Kind<AIMRuntimeConfig> = defineKind<AIMRuntimeConfig>({
  ...config,
  kind: 'AIMRuntimeConfig',
  plural: 'aimruntimeconfigs',
  shortNames: ['aimrc'],
})

export const AIMClusterRuntimeConfig: Kind<AIMRuntimeConfig> = defineKind<AIMRuntimeConfig>({
  ...config,
  kind: 'AIMClusterRuntimeConfig',
  plural: 'aimclusterruntimeconfigs',
  shortNames: ['aimclrc'],
  namespaced: false,
})
