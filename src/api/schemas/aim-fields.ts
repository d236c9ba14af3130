/** Zod pieces that several kinds of the AIM catalog use. */
import { z } from 'zod'
import { aimMetrics, aimPrecisions, aimProfileTypes, modelIdPattern, referenceScopes } from '../aim-fields.ts'
import type { EnvVar, LocalObjectReference, ResourceRequirements } from '../core/types.generated.ts'
import { atomicList, conditions, coreField, freeForm, keyedBy, quantity, rules } from './fields.ts'

export const time = () => z.iso.datetime({ offset: true })

/** An image or a pattern of images. */
export const imageName = () => z.string().min(1).max(512).regex(/^\S+$/)

export const metric = () => z.enum(aimMetrics).describe('What the deployment is tuned for.')
export const precision = () => z.enum(aimPrecisions).describe('Number format of the weights.')
export const profileType = () => z.enum(aimProfileTypes).describe('How well the profile is known to work.')

export const imagePullSecrets = () =>
  z
    .array(coreField<LocalObjectReference>('io.k8s.api.core.v1.LocalObjectReference'))
    .max(32)
    .describe(
      'Secrets with credentials for registries. Of cluster-scoped objects they are in the operator’s namespace.',
    )
    .meta(atomicList)

export const environment = () =>
  z
    .array(coreField<EnvVar>('io.k8s.api.core.v1.EnvVar'))
    .max(64)
    .describe('Environment of the containers that run the image.')
    .meta(keyedBy('name'))

export const serviceAccountName = () =>
  z.string().max(253).describe('Account of the pods; its pull secrets are used too.')

export const runtimeConfigName = () =>
  z.string().max(253).describe('Name of the runtime configs to go by; `default` where it is empty.')

export const resources = () =>
  coreField<ResourceRequirements>('io.k8s.api.core.v1.ResourceRequirements').describe('Resources of the engine.')

const Gpu = z
  .object({
    requests: z
      .int32()
      .min(0)
      .optional()
      .describe('GPUs of one replica; 0 asks for a node with GPUs without taking any.'),
    model: z.string().max(64).optional().describe('Model of the GPU, such as `MI300X`.'),
    minVram: quantity().optional().describe('Least memory of one GPU, such as `64Gi`, instead of a model.'),
    resourceName: z
      .string()
      .max(253)
      .optional()
      .describe('Resource that stands for a GPU; that of the model’s maker by default.'),
  })
  .describe('The GPUs of one replica.')
  .meta(
    rules({
      rule: `!has(self.model) || self.model == '' || !has(self.minVram)`,
      message: 'model and minVram exclude each other: name the GPU, or say how much memory it needs',
    }),
  )

export const HardwareRequirements = z
  .object({
    gpu: Gpu.optional(),
    cpu: z
      .object({
        requests: quantity().describe('CPUs that are reserved for one replica.'),
        limits: quantity().optional().describe('CPUs that one replica may use at most.'),
      })
      .optional()
      .describe('The CPUs of one replica.'),
  })
  .describe('Hardware of one replica.')
  .meta(rules({ rule: 'has(self.gpu) || has(self.cpu)', message: 'name at least one of gpu and cpu' }))
export type HardwareRequirements = z.output<typeof HardwareRequirements>

export const ModelSource = z
  .object({
    modelId: z
      .string()
      .max(256)
      .regex(modelIdPattern)
      .optional()
      .describe('Name as `organisation/model`; from the URI by default.'),
    name: z.string().max(256).optional().describe('Earlier spelling of `modelId`.'),
    sourceUri: z
      .string()
      .max(2048)
      .regex(/^(hf|s3):\/\/[^ \t\r\n]+$/)
      .describe('Where the weights are: `hf://organisation/model` or `s3://bucket/path`.'),
    size: quantity().optional().describe('Space that the weights take.'),
    env: environment().optional(),
  })
  .describe('Weights that are not in the image.')
export type ModelSource = z.output<typeof ModelSource>

export const GpuSelector = z
  .object({
    count: z.int32().min(1).describe('GPUs of one replica.'),
    model: z.string().min(1).max(64).describe('Model of the GPU.'),
    resourceName: z.string().max(253).optional().describe('Resource that stands for a GPU.'),
  })
  .describe('Earlier spelling of `hardware.gpu`.')

export const RecommendedDeployment = z
  .object({
    gpuModel: z.string().optional().describe('Model of the GPU, such as `MI300X`.'),
    gpuCount: z.int32().optional().describe('GPUs of one replica.'),
    precision: z.string().optional().describe('Number format of the weights.'),
    metric: z.string().optional().describe('What the deployment is tuned for.'),
    description: z.string().optional().describe('For people.'),
    profileId: z.string().optional().describe('Profile of the image to run.'),
  })
  .describe('One way to run the image that its makers recommend.')
export type RecommendedDeployment = z.output<typeof RecommendedDeployment>

const text = (what: string) => z.string().optional().describe(what)
const texts = (what: string) => z.array(z.string()).optional().describe(what).meta(atomicList)

export const ImageMetadata = z
  .object({
    model: z
      .object({
        canonicalName: text('Name of the model, such as `meta-llama/Llama-3-8B`.'),
        family: text('Family of models that it belongs to.'),
        source: text('Where the weights come from.'),
        title: text('Title for people.'),
        descriptionFull: text('Long description.'),
        releaseNotes: text('What is new.'),
        tags: texts('Words to find it by.'),
        versions: texts('Versions of the model.'),
        variants: texts('Variants of the model.'),
        hfTokenRequired: z.boolean().optional().describe('Whether the download needs a Hugging Face token.'),
        recommendedDeployments: z
          .array(RecommendedDeployment)
          .optional()
          .describe('Ways to run the image; each becomes a template.')
          .meta(atomicList),
      })
      .optional()
      .describe('What the image says of its model.'),
    oci: z
      .object({
        title: text('Title of the image.'),
        description: text('Description of the image.'),
        licenses: text('Licences.'),
        vendor: text('Vendor.'),
        authors: text('Authors.'),
        source: text('Where its source is.'),
        documentation: text('Where its documentation is.'),
        created: text('When it was built.'),
        revision: text('Revision of its source.'),
        version: text('Version of what is in it.'),
      })
      .optional()
      .describe('What the image says of itself, in the words of the OCI.'),
    originalLabels: z.record(z.string(), z.string()).optional().describe('All labels as they are.'),
  })
  .describe('What is known of an image.')
export type ImageMetadata = z.output<typeof ImageMetadata>

export const Profile = z
  .object({
    engine_args: freeForm().optional().describe('Arguments of the engine.'),
    env_vars: z.record(z.string(), z.string()).optional().describe('Environment of the engine.'),
    metadata: z
      .object({
        engine: text('The engine, such as `vllm`.'),
        gpu: text('Model of the GPU.'),
        gpuCount: z.int32().optional().describe('GPUs of one replica.'),
        metric: metric().optional(),
        precision: precision().optional(),
        type: profileType().optional(),
      })
      .optional()
      .describe('What the profile is for.'),
    originalDiscoveryOutput: freeForm().optional().describe('What the image printed.'),
  })
  .describe('How the image runs on this hardware.')
export type Profile = z.output<typeof Profile>

export const ResolvedReference = z.object({
  name: text('Name of the object.'),
  namespace: text('Its namespace; empty for the whole cluster.'),
  scope: z.enum(referenceScopes).optional().describe('Where it was found.'),
  kind: text('Its kind.'),
  uid: text('Its uid.'),
})
export type ResolvedReference = z.output<typeof ResolvedReference>

/** What the status of every kind of the catalog begins with. */
export const observed = () => ({
  observedGeneration: z.int().optional().describe('Generation of the spec that this status speaks of.'),
  conditions: conditions().optional(),
})
