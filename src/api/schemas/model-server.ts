import { z } from 'zod'
import { inferenceEngines, kvConnectorTypes, ModelServer } from '../model-server.ts'
import { conditions, duration, halfHour, labelMap } from './fields.ts'
import type { KindSchema } from './kind-schema.ts'

const someLabels = labelMap().meta({ minProperties: 1 })

const WorkloadSelector = z
  .object({
    matchLabels: someLabels.describe('Labels that a pod of the same namespace must carry.'),
    pdGroup: z
      .object({
        groupKey: z
          .string()
          .min(1)
          .max(317)
          .describe('Label whose value pairs prefill with decode pods, such as the name of their group.'),
        prefillLabels: someLabels.describe('Further labels of prefill pods.'),
        decodeLabels: someLabels.describe('Further labels of decode pods; a pod that matches both sets decodes.'),
      })
      .optional()
      .describe('Prefill and decode run in different pods.'),
  })
  .describe('Which pods serve the model.')
export type WorkloadSelector = z.output<typeof WorkloadSelector>

export const TrafficPolicy = z
  .object({
    timeout: duration().optional().describe('Longest wait for the first byte of an answer; unlimited by default.'),
    retry: z
      .object({
        attempts: z
          .int32()
          .min(0)
          .max(100)
          .optional()
          .describe('Tries on other pods while nothing was sent to the client.'),
        retryInterval: duration().default('100ms').describe('Wait between two tries.'),
      })
      .optional()
      .describe('What happens when a pod does not answer.'),
    hold: z
      .object({
        maxRequests: z
          .int32()
          .min(1)
          .max(10_000)
          .default(100)
          .describe('Requests that may wait in one router; one more gets 503.'),
        timeout: halfHour().default('60s').describe('Longest wait; then the request gets 503.'),
      })
      .optional()
      .describe('Requests that find no ready pod wait for one. Absent, they get 503 at once.'),
  })
  .describe('How requests are sent to the pods.')
export type TrafficPolicy = z.output<typeof TrafficPolicy>

export const ModelServerSpec = z
  .object({
    model: z
      .string()
      .max(256)
      .optional()
      .describe('Name under which the engine serves the model; requests are rewritten to it.'),
    inferenceEngine: z.enum(inferenceEngines).describe('The engine that runs in the pods.'),
    workloadSelector: WorkloadSelector,
    workloadPort: z
      .object({
        port: z.int32().min(1).max(65_535).describe('Port of the engine.'),
        protocol: z
          .enum(['http', 'https'])
          .default('http')
          .describe('Protocol of the engine. With `https` its certificate must be valid for the address of the pod.'),
      })
      .describe('Where the engine listens.'),
    trafficPolicy: TrafficPolicy.optional(),
    kvConnector: z
      .object({
        type: z.enum(kvConnectorTypes).default('http').describe('How the cache gets from a prefill to a decode pod.'),
      })
      .optional()
      .describe('Transfer of the key-value cache between prefill and decode.'),
  })
  .describe('Where and how a model is served.')
export type ModelServerSpec = z.output<typeof ModelServerSpec>

export const ModelServerStatus = z
  .object({
    observedGeneration: z.int().optional().describe('Generation of the spec that this status speaks of.'),
    conditions: conditions().optional(),
  })
  .describe('Observed state of the server.')
export type ModelServerStatus = z.output<typeof ModelServerStatus>

export const modelServer: KindSchema = {
  kind: ModelServer,
  description: 'Pods that serve one model, and how the router speaks to them.',
  spec: ModelServerSpec,
  status: ModelServerStatus,
}
