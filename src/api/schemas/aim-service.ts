import { z } from 'zod'
import { aimServiceStatuses, AIMService } from '../aim-service.ts'
import {
  GpuSelector,
  HardwareRequirements,
  imagePullSecrets,
  metric,
  ModelSource,
  precision,
  ResolvedReference,
  resources,
  runtimeConfigName,
  serviceAccountName,
  observed,
} from './aim-fields.ts'
import { inlineRuntimeConfig } from './aim-runtime-config.ts'
import { atomicList, keyedBy, replicaCount, rules } from './fields.ts'
import type { KindSchema } from './kind-schema.ts'

const CustomModel = z
  .object({
    baseImage: z.string().min(1).max(512).describe('Image that runs the weights.'),
    modelSources: z.array(ModelSource).min(1).max(1).describe('The weights.').meta(atomicList),
    hardware: HardwareRequirements.optional(),
    gpuSelector: GpuSelector.optional(),
  })
  .describe('A model that nobody has made yet.')
  .meta(
    rules({
      rule: 'has(self.hardware) != has(self.gpuSelector)',
      message: 'name the hardware, in hardware or in its earlier spelling gpuSelector',
      fieldPath: '.hardware',
    }),
  )

const ServiceModel = z
  .object({
    name: z.string().min(1).max(253).optional().describe('An AIMModel of the namespace, else an AIMClusterModel.'),
    ref: z.string().min(1).max(253).optional().describe('Earlier spelling of `name`.'),
    image: z.string().min(1).max(512).optional().describe('Image of a model.'),
    custom: CustomModel.optional(),
  })
  .describe('The model to serve.')
  .meta(
    rules(
      {
        rule: '[has(self.name) || has(self.ref), has(self.image), has(self.custom)].filter(given, given).size() == 1 && !(has(self.name) && has(self.ref))',
        message: 'name exactly one of name, image and custom',
      },
      { rule: 'self == oldSelf', message: 'cannot be changed; make a service of another name' },
    ),
  )

const Metric = z.object({
  type: z.enum(['PodMetric']).describe('Kind of the metric.'),
  podmetric: z
    .object({
      metric: z
        .object({
          backend: z.enum(['opentelemetry']).optional().describe('Where the metric is from.'),
          serverAddress: z.string().max(253).optional().describe('Address of the backend.'),
          metricNames: z.array(z.string().max(256)).max(16).optional().describe('Names.').meta(atomicList),
          query: z.string().max(1024).optional().describe('A name, or a query.'),
          operationOverTime: z.string().max(32).optional().describe('How values of a time are put together.'),
        })
        .describe('What is measured.'),
      target: z
        .object({
          type: z.enum(['Value', 'AverageValue', 'Utilization']).describe('How the target is meant.'),
          value: z.string().max(64).optional().describe('Target for all pods.'),
          averageValue: z.string().max(64).optional().describe('Target for one pod.'),
          averageUtilization: z.int32().optional().describe('Target in percent.'),
        })
        .describe('What it should be.'),
    })
    .optional()
    .describe('A metric of pods.'),
})

export const AIMServiceSpec = z
  .object({
    model: ServiceModel,
    template: z
      .object({
        name: z.string().max(253).optional().describe('An AIMServiceTemplate, else an AIMClusterServiceTemplate.'),
        allowUnoptimized: z
          .boolean()
          .optional()
          .describe('Whether templates that are not known to work well may be chosen.'),
      })
      .optional()
      .describe('How to run it; the best that is ready by default.'),
    templateName: z.string().max(253).optional().describe('Earlier spelling of `template.name`.'),
    caching: z
      .object({
        mode: z.enum(['Dedicated', 'Shared', 'Auto', 'Always', 'Never']).optional().describe('Whose the cache is.'),
      })
      .optional()
      .describe('Cache of the weights. Not acted upon yet: pods load the weights themselves.'),
    cacheModel: z.boolean().optional().describe('Earlier spelling of `caching`.'),
    replicas: replicaCount().default(1).describe('Number of replicas.'),
    minReplicas: z.int32().min(1).optional().describe('Fewest replicas. Until services scale, their number.'),
    maxReplicas: z.int32().min(1).optional().describe('Most replicas. Not acted upon yet.'),
    autoScaling: z
      .object({ metrics: z.array(Metric).max(16).optional().describe('What replicas follow.').meta(atomicList) })
      .optional()
      .describe('Scaling by load. Not acted upon yet.'),
    runtimeConfigName: runtimeConfigName().optional(),
    ...inlineRuntimeConfig,
    resources: resources().optional(),
    overrides: z
      .object({
        metric: metric().optional(),
        precision: precision().optional(),
        hardware: HardwareRequirements.optional(),
        gpuSelector: GpuSelector.optional(),
      })
      .optional()
      .describe('What the template must be like.'),
    imagePullSecrets: imagePullSecrets().optional(),
    serviceAccountName: serviceAccountName().optional(),
  })
  .describe('A model to serve.')
  .meta(
    rules(
      {
        rule: `!has(self.minReplicas) || !has(self.maxReplicas) || self.maxReplicas >= self.minReplicas`,
        message: 'must not be below minReplicas',
        fieldPath: '.maxReplicas',
      },
      {
        rule: `!has(self.templateName) || !has(self.template) || !has(self.template.name) || self.templateName == self.template.name`,
        message: 'is an earlier spelling of template.name; set one of them',
        fieldPath: '.templateName',
      },
    ),
  )
export type AIMServiceSpec = z.output<typeof AIMServiceSpec>

const TemplateCandidate = z.object({
  name: z.string().describe('Name of the template.'),
  scope: z.enum(['Namespace', 'Cluster']).describe('Whether it is of the namespace or of the cluster.'),
  status: z.enum(['chosen', 'rejected']).describe('Whether it was taken.'),
  rank: z.int32().optional().describe('Its place among those that suit, from 1.'),
  reason: z.string().describe('Why, in a word.'),
  message: z.string().optional().describe('Why, in a sentence.'),
})
export type TemplateCandidate = z.output<typeof TemplateCandidate>

export const AIMServiceStatus = z
  .object({
    status: z.enum(aimServiceStatuses).optional().describe('The state of the service in a word.'),
    ...observed(),
    resolvedRuntimeConfig: ResolvedReference.optional().describe('The runtime config that applies.'),
    resolvedModel: ResolvedReference.optional().describe('The model that is served.'),
    resolvedTemplate: ResolvedReference.optional().describe('How it is run.'),
    templateCandidates: z
      .array(TemplateCandidate)
      .optional()
      .describe('The templates that were looked at, best first.')
      .meta(keyedBy('scope', 'name')),
    cache: z
      .object({ templateCacheRef: ResolvedReference.optional().describe('The cache.') })
      .optional()
      .describe('Cache of the weights.'),
    routing: z
      .object({
        path: z.string().optional().describe('Path of the route.'),
        modelName: z.string().optional().describe('What requests name as their model.'),
      })
      .optional()
      .describe('How to reach it.'),
    runtime: z
      .object({
        backend: z.enum(['KServe', 'ModelServing']).optional().describe('What runs it.'),
        workloadName: z.string().optional().describe('Name of the workload.'),
        currentReplicas: z.int32().optional().describe('Replicas that serve.'),
        desiredReplicas: z.int32().optional().describe('Replicas that are wanted.'),
        minReplicas: z.int32().optional().describe('Fewest replicas.'),
        maxReplicas: z.int32().optional().describe('Most replicas.'),
        replicas: z.string().optional().describe('The same for people.'),
      })
      .optional()
      .describe('What runs for it.'),
  })
  .describe('Observed state of a service.')
export type AIMServiceStatus = z.output<typeof AIMServiceStatus>

export const aimService: KindSchema = {
  kind: AIMService,
  description: 'A model of the catalog, served.',
  spec: AIMServiceSpec,
  status: AIMServiceStatus,
}
