import { z } from 'zod'
import { AIMRuntimeConfig, AIMClusterRuntimeConfig } from '../aim-runtime-config.ts'
import { environment, imagePullSecrets, observed, serviceAccountName } from './aim-fields.ts'
import { atomicList, duration } from './fields.ts'
import type { KindSchema } from './kind-schema.ts'

const GatewayRef = z
  .object({
    group: z.string().max(253).optional().describe('Group of the gateway; `gateway.networking.k8s.io` by default.'),
    kind: z.string().max(63).optional().describe('Its kind; `Gateway` by default.'),
    name: z.string().min(1).max(253).describe('Its name.'),
    namespace: z.string().min(1).max(63).optional().describe('Its namespace.'),
    sectionName: z.string().max(253).optional().describe('One listener of it.'),
    port: z.int32().min(1).max(65_535).optional().describe('One port of it.'),
  })
  .describe('The gateway that routes attach to.')

/** Members have no defaults: an absent one of a namespace leaves that of the cluster as it is. */
export const inlineRuntimeConfig = {
  storage: z
    .object({
      defaultStorageClassName: z.string().max(253).optional().describe('Storage class of caches.'),
      pvcHeadroomPercent: z.int32().min(0).optional().describe('Space beyond the size of the weights; 10 by default.'),
    })
    .optional()
    .describe('Storage of weights.'),
  routing: z
    .object({
      enabled: z.boolean().optional().describe('Whether services get a route.'),
      gatewayRef: GatewayRef.optional(),
      pathTemplate: z.string().max(512).optional().describe('Path of the route, with fields of the service in braces.'),
      requestTimeout: duration().optional().describe('Longest wait for the first byte of an answer.'),
      annotations: z.record(z.string(), z.string()).optional().describe('Annotations of the route.'),
    })
    .optional()
    .describe('Routes to services.'),
  env: environment().optional(),
}

export const AIMRuntimeConfigSpec = z
  .object({
    ...inlineRuntimeConfig,
    model: z
      .object({
        autoDiscovery: z
          .boolean()
          .optional()
          .describe('Whether images are inspected and templates made where a model does not say; true by default.'),
      })
      .optional()
      .describe('Defaults of models.'),
    labelPropagation: z
      .object({
        enabled: z.boolean().optional().describe('Whether labels go from a parent to what is made for it.'),
        match: z
          .array(z.string().max(317))
          .max(64)
          .optional()
          .describe('Patterns of their keys; `*` stands for anything but a slash.')
          .meta(atomicList),
      })
      .optional()
      .describe('Which labels are handed down.'),
    defaultStorageClassName: z.string().max(253).optional().describe('Earlier place of `storage`’s.'),
    pvcHeadroomPercent: z.int32().min(0).optional().describe('Earlier place of `storage`’s.'),
    imagePullSecrets: imagePullSecrets().optional(),
    serviceAccountName: serviceAccountName().optional(),
  })
  .describe('Defaults of models, templates and services.')
export type AIMRuntimeConfigSpec = z.output<typeof AIMRuntimeConfigSpec>

export const AIMRuntimeConfigStatus = z.object(observed()).describe('Observed state of a runtime config.')
export type AIMRuntimeConfigStatus = z.output<typeof AIMRuntimeConfigStatus>

export const aimRuntimeConfig: KindSchema = {
  kind: AIMRuntimeConfig,
  description: 'Defaults for the models, templates and services of one namespace.',
  spec: AIMRuntimeConfigSpec,
  status: AIMRuntimeConfigStatus,
}

export const aimClusterRuntimeConfig: KindSchema = {
  kind: AIMClusterRuntimeConfig,
  description: 'Defaults for the models, templates and services of all namespaces.',
  spec: AIMRuntimeConfigSpec,
  status: AIMRuntimeConfigStatus,
}
