import { z } from 'zod'
import type { ValidationRule } from '#machinery/structural-schema.ts'
import { aimStatuses } from '../aim-fields.ts'
import { AIMServiceTemplate, AIMClusterServiceTemplate } from '../aim-service-template.ts'
import type { NodeAffinity } from '../core/types.generated.ts'
import {
  environment,
  GpuSelector,
  HardwareRequirements,
  imagePullSecrets,
  metric,
  ModelSource,
  precision,
  Profile,
  profileType,
  ResolvedReference,
  resources,
  runtimeConfigName,
  serviceAccountName,
  time,
  observed,
} from './aim-fields.ts'
import { atomicList, coreField, rules } from './fields.ts'
import type { KindSchema } from './kind-schema.ts'

/** Presence is compared too, or a field could be taken away and come back with another value. */
function immutable(field: string): ValidationRule {
  return {
    rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
    message: 'cannot be changed; make a template of another name',
    fieldPath: `.${field}`,
  }
}

const templateRules = rules(
  {
    rule: 'self.modelName == oldSelf.modelName',
    message: 'cannot be changed; make a template of another name',
    fieldPath: '.modelName',
  },
  ...['metric', 'precision', 'hardware', 'gpuSelector'].map(immutable),
  {
    rule: '!has(self.gpuSelector) || !has(self.hardware) || !has(self.hardware.gpu) || ((!has(self.hardware.gpu.model) || self.hardware.gpu.model == self.gpuSelector.model) && (!has(self.hardware.gpu.requests) || self.hardware.gpu.requests == self.gpuSelector.count))',
    message: 'is an earlier spelling of hardware.gpu; set one of them, or both alike',
    fieldPath: '.gpuSelector',
  },
)

const common = {
  modelName: z.string().min(1).max(253).describe('The model: one of the same namespace, else one of the cluster.'),
  metric: metric().optional(),
  precision: precision().optional(),
  hardware: HardwareRequirements.optional(),
  gpuSelector: GpuSelector.optional(),
  runtimeConfigName: runtimeConfigName().optional(),
  imagePullSecrets: imagePullSecrets().optional(),
  serviceAccountName: serviceAccountName().optional(),
  resources: resources().optional(),
  modelSources: z
    .array(ModelSource)
    .max(16)
    .optional()
    .describe('Weights; where they are given, the image is not asked for them.')
    .meta(atomicList),
  profileId: z.string().max(253).optional().describe('Profile of the image to run.'),
  type: profileType().optional(),
  env: environment().optional(),
}

const Caching = z
  .object({
    enabled: z.boolean().default(false).describe('Whether the weights are kept in a cache.'),
    env: environment().optional().describe('Environment of the download.'),
  })
  .describe('Cache of the weights.')

const spec = 'How a model is run: hardware, number format, what it is tuned for.'
const ClusterSpec = z.object(common).describe(spec).meta(templateRules)
const NamespacedSpec = z
  .object({ ...common, caching: Caching.optional() })
  .describe(spec)
  .meta(templateRules)
export type AIMServiceTemplateSpec = z.output<typeof NamespacedSpec>

const Discovery = z
  .object({
    attempts: z.int32().optional().describe('Attempts that failed in a row.'),
    lastAttemptTime: time().optional().describe('When the last attempt ended.'),
    lastFailureReason: z.string().optional().describe('Why it failed.'),
    specHash: z.string().optional().describe('Stands for all that the last attempt depended on.'),
    nextAttemptTime: time().optional().describe('Not before this is the image asked again, unless something changes.'),
    completedSpecHash: z.string().optional().describe('Stands for what the profile was found with.'),
  })
  .describe('How the image was asked for its profile.')
export type Discovery = z.output<typeof Discovery>

export const AIMServiceTemplateStatus = z
  .object({
    status: z.enum(aimStatuses).optional().describe('The state of the template in a word.'),
    ...observed(),
    resolvedRuntimeConfig: ResolvedReference.optional().describe('The runtime config that applies.'),
    resolvedModel: ResolvedReference.optional().describe('The model that the template is of.'),
    resolvedCache: ResolvedReference.optional().describe('The cache of its weights.'),
    resolvedHardware: HardwareRequirements.optional().describe('Hardware of one replica, as found out.'),
    resolvedNodeAffinity: coreField<NodeAffinity>('io.k8s.api.core.v1.NodeAffinity')
      .optional()
      .describe('Nodes that have the hardware.'),
    hardwareSummary: z.string().optional().describe('The hardware for people, such as `4 x MI300X`.'),
    modelSources: z.array(ModelSource).optional().describe('Weights that are loaded.').meta(atomicList),
    profile: Profile.optional(),
    discoveryJob: ResolvedReference.optional().describe('The Job that asks the image.'),
    discovery: Discovery.optional(),
  })
  .describe('Observed state of a template.')
export type AIMServiceTemplateStatus = z.output<typeof AIMServiceTemplateStatus>

export const aimServiceTemplate: KindSchema = {
  kind: AIMServiceTemplate,
  description: 'One way to run a model, for one namespace.',
  spec: NamespacedSpec,
  status: AIMServiceTemplateStatus,
}

export const aimClusterServiceTemplate: KindSchema = {
  kind: AIMClusterServiceTemplate,
  description: 'One way to run a model, for all namespaces.',
  spec: ClusterSpec,
  status: AIMServiceTemplateStatus,
}
