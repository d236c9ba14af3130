import { z } from 'zod'
import { aimStatuses } from '../aim-fields.ts'
import { AIMModel, AIMClusterModel } from '../aim-model.ts'
import {
  imageName,
  environment,
  HardwareRequirements,
  ImageMetadata,
  imagePullSecrets,
  metric,
  ModelSource,
  precision,
  profileType,
  ResolvedReference,
  resources,
  runtimeConfigName,
  serviceAccountName,
  time,
  observed,
} from './aim-fields.ts'
import { atomicList, rules } from './fields.ts'
import type { KindSchema } from './kind-schema.ts'

const CustomTemplate = z
  .object({
    name: z
      .string()
      .max(63)
      .regex(/^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/)
      .optional()
      .describe('Part of the template’s name, and its label `template.alias`.'),
    type: profileType().optional(),
    env: environment().optional(),
    hardware: HardwareRequirements.optional(),
    profile: z
      .object({ metric: metric().optional(), precision: precision().optional() })
      .optional()
      .describe('What the template is tuned for.'),
  })
  .describe('A template that is written by hand.')
export type CustomTemplate = z.output<typeof CustomTemplate>

export const AIMModelSpec = z
  .object({
    image: imageName().describe('The container image, such as `ghcr.io/amd/llama-3-8b:v1.0.0`.'),
    discovery: z
      .object({
        extractMetadata: z
          .boolean()
          .optional()
          .describe('Whether the image’s labels are read; the runtime config decides by default.'),
        createServiceTemplates: z
          .boolean()
          .optional()
          .describe('Whether templates are made from them; the runtime config decides by default.'),
        createTemplates: z.boolean().optional().describe('Another spelling of `createServiceTemplates`.'),
      })
      .optional()
      .describe('What is found out from the image.')
      .meta(
        rules({
          rule: '!has(self.createServiceTemplates) || !has(self.createTemplates) || self.createServiceTemplates == self.createTemplates',
          message: 'createTemplates and createServiceTemplates are two spellings of one switch; set one of them',
          fieldPath: '.createTemplates',
        }),
      ),
    defaultServiceTemplate: z
      .string()
      .max(253)
      .optional()
      .describe('Template of services that name none, where it is ready and suits.'),
    modelSources: z
      .array(ModelSource)
      .max(1)
      .optional()
      .describe('Weights for an image that has none of its own; makes the model a custom one.')
      .meta(atomicList),
    custom: z
      .object({ hardware: HardwareRequirements.optional(), type: profileType().optional() })
      .optional()
      .describe('What all custom templates begin with.'),
    customTemplates: z
      .array(CustomTemplate)
      .max(16)
      .optional()
      .describe('Templates beside those of the image; with `modelSources` instead of them.')
      .meta({
        ...atomicList,
        ...rules({
          rule: 'self.all(a, !has(a.name) || self.exists_one(b, has(b.name) && b.name == a.name))',
          message: 'each name may be given once',
        }),
      }),
    runtimeConfigName: runtimeConfigName().optional(),
    imagePullSecrets: imagePullSecrets().optional(),
    env: environment().optional(),
    serviceAccountName: serviceAccountName().optional(),
    resources: resources().optional(),
    imageMetadata: ImageMetadata.optional().describe('What is known of the image; its registry is then not asked.'),
  })
  .describe('The image of a model and what to make of it.')
  .meta(
    rules({
      rule: '!has(self.modelSources) || size(self.modelSources) == 0 || !has(self.customTemplates) || (has(self.custom) && has(self.custom.hardware)) || self.customTemplates.all(each, has(each.hardware))',
      message: 'each template of a custom model needs hardware: set it here, or for all in custom.hardware',
      fieldPath: '.customTemplates',
    }),
  )
export type AIMModelSpec = z.output<typeof AIMModelSpec>

const Inspection = z
  .object({
    source: z.enum(['Spec', 'Registry']).optional().describe('Where the metadata is from.'),
    image: z.string().optional().describe('The image that was looked at last.'),
    request: z
      .string()
      .optional()
      .describe('Stands for everything that the last attempt depended on, the image and its secrets.'),
    reinspect: z.string().optional().describe('Value of the annotation `reinspect` that was followed last.'),
    resolvedDigest: z.string().optional().describe('Digest of the manifest that was read.'),
    platform: z.string().optional().describe('Its platform, such as `linux/amd64`.'),
    mediaType: z.string().optional().describe('Its media type.'),
    lastAttemptTime: time().optional().describe('When the registry was asked last.'),
    lastSuccessTime: time().optional().describe('When it last answered.'),
    firstFailureTime: time().optional().describe('Since when every attempt has failed.'),
    attempts: z.int32().optional().describe('Attempts that failed in a row.'),
    nextAttemptTime: time()
      .optional()
      .describe('Not before this is the registry asked again, unless something changes.'),
    lastErrorClass: z.string().optional().describe('Reason of the last failure.'),
    lastErrorMessage: z.string().optional().describe('What the last failure said.'),
  })
  .describe('How the image was looked at.')
export type Inspection = z.output<typeof Inspection>

export const AIMModelStatus = z
  .object({
    status: z.enum(aimStatuses).optional().describe('The state of the model and its templates in a word.'),
    ...observed(),
    resolvedRuntimeConfig: ResolvedReference.optional().describe('The runtime config that applies.'),
    imageMetadata: ImageMetadata.optional().describe('What is known of the image.'),
    sourceType: z.enum(['Image', 'Custom']).optional().describe('Whether the weights are in the image.'),
    inspection: Inspection.optional(),
  })
  .describe('Observed state of a model.')
export type AIMModelStatus = z.output<typeof AIMModelStatus>

export const aimModel: KindSchema = {
  kind: AIMModel,
  description: 'A container image that serves a model, for one namespace.',
  spec: AIMModelSpec,
  status: AIMModelStatus,
}

export const aimClusterModel: KindSchema = {
  kind: AIMClusterModel,
  description: 'A container image that serves a model, for all namespaces.',
  spec: AIMModelSpec,
  status: AIMModelStatus,
}
