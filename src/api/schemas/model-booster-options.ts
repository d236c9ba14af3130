/** What a backend or a model may be given beyond the released fields. All optional; what is absent changes nothing. */
import { z } from 'zod'
import type {
  EnvVar,
  LifecycleHandler,
  Probe,
  ResourceRequirements,
  TopologySpreadConstraint,
} from '../core/types.generated.ts'
import { recoveryPolicies } from '../model-serving.ts'
import { atomicList, coreField, dnsLabel, duration, keyedBy, rules } from './fields.ts'
import { ModelMatch, ParentRefs, RateLimit } from './model-route.ts'
import { TrafficPolicy } from './model-server.ts'
import { ModelServingSpec } from './model-serving.ts'

const port = () => z.int32().min(1).max(65_535)
const image = () => z.string().min(1).max(512)
const probe = () => coreField<Probe>('io.k8s.api.core.v1.Probe').optional()
const resources = () => coreField<ResourceRequirements>('io.k8s.api.core.v1.ResourceRequirements').optional()

const Engine = z
  .object({
    port: port().optional().describe('Port of the engine, as `config.port`; 8000 by default.'),
    portName: z
      .string()
      .max(15)
      .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/)
      .optional()
      .describe('Names the port in the pods, for monitors that look for a name.'),
    rayScript: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .describe('Path, in the image, of the script that starts Ray; by default where vLLM’s images have it.'),
    extraArgs: z
      .array(z.string().max(4096))
      .max(64)
      .optional()
      .describe('Further arguments of the engine, after all others and as they are.')
      .meta(atomicList),
    startupProbe: probe().describe('In place of ours.'),
    readinessProbe: probe().describe('In place of ours.'),
    livenessProbe: probe().describe('In place of ours.'),
    preStop: coreField<LifecycleHandler>('io.k8s.api.core.v1.LifecycleHandler')
      .optional()
      .describe('In place of waiting until no request is under way.'),
    terminationGracePeriodSeconds: z
      .int()
      .min(0)
      .max(86_400)
      .optional()
      .describe('How long the pods that answer may take to end.'),
  })
  .describe('How the engine is started, watched and ended.')

const Runtime = z
  .object({
    enabled: z
      .boolean()
      .optional()
      .describe('Whether there is a sidecar at all; true by default. Without it metrics are the engine’s own.'),
    image: image().optional().describe('Image of the sidecar, in place of the platform’s.'),
    resources: resources().describe('What the sidecar needs.'),
  })
  .describe('The sidecar beside the engine: metrics under common names, adapters that come and go.')

const Downloader = z
  .object({
    image: image().optional().describe('Image of the downloader, in place of the platform’s.'),
    resources: resources().describe('What the downloader needs.'),
    env: z
      .array(coreField<EnvVar>('io.k8s.api.core.v1.EnvVar'))
      .max(64)
      .optional()
      .describe('Environment of the downloader alone; goes before that of the backend.')
      .meta(keyedBy('name')),
  })
  .describe('The init containers that fetch weights and adapters.')

const KvEvents = z
  .object({
    enabled: z.boolean().optional().describe('On by default in `spec.backends`, off in `spec.backend`.'),
    endpoint: z.string().min(1).max(253).optional().describe('Where they are published; `tcp://*:5557` by default.'),
    topic: z.string().min(1).max(253).optional().describe('Under which topic; `kv-events` by default.'),
  })
  .describe('Whether engines tell what their key-value cache holds.')

const MetricSource = z
  .object({
    metricEndpoint: z
      .object({
        uri: z.string().max(253).regex(/^\//).optional().describe('Path; `/metrics` by default.'),
        port: port().optional().describe('Port; the sidecar’s by default, or without it the engine’s.'),
      })
      .optional()
      .describe('Where metrics are read.'),
    metricRole: z
      .enum(['leader', 'prefill', 'decode'])
      .optional()
      .describe('Pods whose metrics count; those that answer by default.'),
  })
  .describe('Where the autoscaler of this backend looks.')

export const backendOptions = {
  topologySpreadConstraints: z
    .array(coreField<TopologySpreadConstraint>('io.k8s.api.core.v1.TopologySpreadConstraint'))
    .max(16)
    .optional()
    .describe('How pods spread over nodes; without a `labelSelector`, all pods of the backend.')
    .meta(atomicList),
  recoveryPolicy: z.enum(recoveryPolicies).optional().describe('What one failed pod takes down with it.'),
  rolloutStrategy: ModelServingSpec.shape.rolloutStrategy,
  restartGracePeriodSeconds: z
    .int()
    .min(0)
    .max(86_400)
    .optional()
    .describe(
      'How long a pod whose container restarted may take to be ready before it counts as failed; 60 by default.',
    ),
  engine: Engine.optional(),
  runtime: Runtime.optional(),
  downloader: Downloader.optional(),
  kvEvents: KvEvents.optional(),
  autoscaling: MetricSource.optional(),
  trafficPolicy: TrafficPolicy.optional(),
} as const

const AdditionalRoute = z
  .object({
    name: dnsLabel().describe('Part of the name of the ModelRoute, `<model>-<name>`.'),
    modelName: z.string().min(1).max(256).optional().describe('The `model` that clients ask for.'),
    loraAdapters: z
      .array(z.string().min(1).max(256))
      .max(10)
      .optional()
      .describe('Adapters that clients ask for by name; the main route then has them no longer.')
      .meta(atomicList),
    modelMatch: ModelMatch.optional(),
    targets: z
      .array(
        z.object({
          backend: dnsLabel().describe('Name of a backend.'),
          weight: z.int32().min(0).max(100).default(100).describe('Share of the requests, compared with the others.'),
        }),
      )
      .min(1)
      .max(16)
      .optional()
      .describe('Backends that answer; all of them by default, with their own weights.')
      .meta(atomicList),
    rateLimit: RateLimit.optional(),
    parentRefs: ParentRefs.optional(),
  })
  .meta(
    rules({
      rule: 'has(self.modelName) || has(self.loraAdapters)',
      message: 'give a modelName of its own, loraAdapters or both',
      fieldPath: '.modelName',
      reason: 'FieldValueRequired',
    }),
  )

const UpdateStrategy = z
  .object({
    waitForReady: z
      .boolean()
      .optional()
      .describe(
        'Whether requests go to new backends in place of old ones only when those are ready, and old ones stay until all routers know; true by default.',
      ),
    timeout: duration().optional().describe('How long at most; 30m by default.'),
    followPlatformImages: z
      .boolean()
      .optional()
      .describe('Whether new images of sidecar and downloader replace pods by themselves; false by default.'),
  })
  .describe('How changes reach what serves already.')

export const modelOptions = {
  additionalRoutes: z
    .array(AdditionalRoute)
    .max(16)
    .optional()
    .describe('Further ModelRoutes to the same backends.')
    .meta(keyedBy('name')),
  rateLimit: RateLimit.optional(),
  parentRefs: ParentRefs.optional(),
  updateStrategy: UpdateStrategy.optional(),
} as const
