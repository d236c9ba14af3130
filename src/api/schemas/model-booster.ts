import { z } from 'zod'
import type {
  Affinity,
  EnvFromSource,
  EnvVar,
  LocalObjectReference,
  ResourceRequirements,
  Toleration,
} from '../core/types.generated.ts'
import { backendTypes, workerTypes, ModelBooster } from '../model-booster.ts'
import { EmbeddedAutoscalingPolicy } from './autoscaling-policy.ts'
import {
  atomicList,
  conditions,
  coreField,
  dnsLabel,
  freeForm,
  halfHour,
  keyedBy,
  replicaCount,
  rules,
} from './fields.ts'
import type { KindSchema } from './kind-schema.ts'
import { backendRules, boosterRules, specRules } from './model-booster-cel.ts'
import { backendOptions, modelOptions } from './model-booster-options.ts'
import { ModelMatch } from './model-route.ts'
import { NetworkTopology } from './model-serving.ts'

const ModelWorker = z
  .object({
    type: z.enum(workerTypes).default('server').describe('What the worker does.'),
    image: z
      .string()
      .max(512)
      .optional()
      .describe('Image of the engine.')
      .meta(
        rules({
          rule: `!self.matches('[ \\\\t\\\\n\\\\r\\\\f\\\\v]')`,
          message: 'an image reference contains no white space',
        }),
      ),
    replicas: replicaCount().default(1).describe('Instances of the worker in each group.'),
    pods: replicaCount().default(1).describe('Pods of one instance; above 1 the engine spans several nodes.'),
    resources: coreField<ResourceRequirements>('io.k8s.api.core.v1.ResourceRequirements')
      .optional()
      .describe('What each pod of the worker needs, GPUs included.'),
    affinity: coreField<Affinity>('io.k8s.api.core.v1.Affinity').optional().describe('Which nodes suit the pods.'),
    tolerations: z
      .array(coreField<Toleration>('io.k8s.api.core.v1.Toleration'))
      .max(64)
      .optional()
      .describe('Taints of nodes that the pods put up with.')
      .meta(atomicList),
    nodeSelector: z
      .record(z.string(), z.string())
      .optional()
      .describe('Labels that a node must carry.')
      .meta({ maxProperties: 64 }),
    config: freeForm()
      .nullish()
      .describe('Arguments of the engine, `max-model-len: 4096` for `--max-model-len 4096`. `_` counts as `-`.'),
  })
  .describe('A part of a backend that runs the engine.')
export type ModelWorker = z.output<typeof ModelWorker>

const LoraAdapter = z.object({
  name: dnsLabel().describe('The `model` that clients ask for to get this adapter.'),
  artifactURL: z
    .string()
    .max(2048)
    .regex(/^(hf|s3|obs|pvc|ms):\/\/.+/)
    .describe('Where the adapter is downloaded from.'),
})

const Backend = z
  .object({
    name: dnsLabel().describe('Name of the backend, part of the names of all that is made for it.'),
    type: z.enum(backendTypes).describe('The engine, and whether prefill and decode run in pods of their own.'),
    modelURI: z
      .string()
      .max(2048)
      .regex(/^(hf|s3|obs|pvc|ms):\/\/.+/)
      .describe('Where the weights come from: `hf://org/model`, `s3://bucket/path`, `pvc://claim/path` and so on.'),
    cacheURI: z
      .string()
      .max(2048)
      .regex(/^(hostpath|pvc):\/\/.+/)
      .optional()
      .describe('Where the weights are kept: `hostpath:///path` or `pvc://claim`. By default for the life of a pod.'),
    envFrom: z
      .array(coreField<EnvFromSource>('io.k8s.api.core.v1.EnvFromSource'))
      .max(64)
      .optional()
      .describe('Environment of all containers, from ConfigMaps and Secrets.')
      .meta(atomicList),
    env: z
      .array(coreField<EnvVar>('io.k8s.api.core.v1.EnvVar'))
      .max(256)
      .optional()
      .describe('Environment of all containers.')
      .meta(keyedBy('name')),
    replicas: replicaCount().optional().describe('Number of groups. With bounds too, the number to begin with.'),
    minReplicas: replicaCount().optional().describe('Fewest groups; equal to `maxReplicas` where nothing scales.'),
    maxReplicas: replicaCount(1).optional().describe('Most groups.'),
    scalingCost: z
      .int32()
      .min(0)
      .optional()
      .describe('Cost of one group compared with other backends; for a policy of the whole model.'),
    routeWeight: z.int32().min(0).max(100).optional().describe('Share of the requests among the backends.'),
    scaleToZeroGracePeriod: halfHour().optional().describe('Idle time before the last group goes.'),
    workers: z.array(ModelWorker).min(1).max(64).describe('One worker, or prefill and decode.').meta(atomicList),
    loraAdapters: z
      .array(LoraAdapter)
      .max(10)
      .optional()
      .describe('Adapters served beside the model.')
      .meta(keyedBy('name')),
    autoscalingPolicy: EmbeddedAutoscalingPolicy.optional().describe('Scales this backend by itself.'),
    schedulerName: z.string().max(253).optional().describe('Scheduler of all pods.'),
    runtimeClassName: z.string().max(253).optional().describe('Container runtime of all pods.'),
    serviceAccountName: z.string().max(253).optional().describe('Service account of all pods.'),
    imagePullSecrets: z
      .array(coreField<LocalObjectReference>('io.k8s.api.core.v1.LocalObjectReference'))
      .max(16)
      .optional()
      .describe('Secrets for private registries.')
      .meta(atomicList),
    gangPolicy: z
      .object({
        enabled: z.boolean().default(false).describe('Schedule the pods of a group all or none.'),
        minRoleReplicas: z
          .record(z.string(), z.int32().min(0))
          .optional()
          .describe('For a role, how many of its instances must be schedulable together; all by default.')
          .meta({ maxProperties: 4 }),
      })
      .optional()
      .describe('Gang scheduling; off unless enabled. Needs the Volcano scheduler.'),
    networkTopology: NetworkTopology.optional(),
    ...backendOptions,
  })
  .describe('One engine with one set of weights.')

export const ModelBackend = Backend.meta(rules(...backendRules))
export type ModelBackend = z.output<typeof ModelBackend>

export const ModelBoosterSpec = z
  .object({
    name: z
      .string()
      .max(64)
      .regex(/^[A-Za-z0-9]([-A-Za-z0-9._/:]*[A-Za-z0-9])?$/)
      .optional()
      .describe('The `model` that clients ask for; the name of the object by default.'),
    owner: z.string().max(1024).optional().describe('For people.'),
    backends: z
      .array(
        Backend.extend({
          routeWeight: z.int32().min(0).max(100).default(100).describe('Share of the requests among the backends.'),
        }).meta(rules(...backendRules)),
      )
      .min(1)
      .max(16)
      .optional()
      .describe('Engines that serve the model together. Give this or `backend`.')
      .meta(keyedBy('name')),
    backend: ModelBackend.optional().describe('The only engine that serves the model. Give this or `backends`.'),
    autoscalingPolicy: EmbeddedAutoscalingPolicy.optional().describe('Scales the model: all backends as one pool.'),
    costExpansionRatePercent: z
      .int32()
      .min(0)
      .max(1000)
      .optional()
      .describe('How far costlier backends are mixed in; 200 by default.'),
    modelMatch: ModelMatch.optional(),
    ...modelOptions,
  })
  .describe('Desired state of one model.')
  .meta(rules(...specRules))
export type ModelBoosterSpec = z.output<typeof ModelBoosterSpec>

export const ModelBoosterStatus = z
  .object({
    observedGeneration: z.int().optional().describe('Generation whose objects have all been written.'),
    backends: z.int32().optional().describe('Number of backends.'),
    backendStatuses: z
      .array(
        z.object({
          name: z.string().describe('Name of the ModelServing.'),
          replicas: z.int32().describe('Groups there are.'),
          backend: z.string().optional().describe('Name of the backend.'),
          desiredReplicas: z.int32().optional().describe('Groups there should be.'),
          availableReplicas: z.int32().optional().describe('Groups that are ready.'),
          revision: z.string().optional().describe('Revision of the ModelServing.'),
        }),
      )
      .optional()
      .describe('One entry for each backend.')
      .meta(atomicList),
    conditions: conditions().optional(),
  })
  .describe('Observed state of one model.')
export type ModelBoosterStatus = z.output<typeof ModelBoosterStatus>

export const modelBooster: KindSchema = {
  kind: ModelBooster,
  description: 'A model to serve: becomes its servings, servers, route and, where asked for, its scaling.',
  spec: ModelBoosterSpec,
  status: ModelBoosterStatus,
  rules: boosterRules,
}
