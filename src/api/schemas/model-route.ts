import { z } from 'zod'
import { ModelRoute } from '../model-route.ts'
import { atomicList, conditions, rules } from './fields.ts'
import type { KindSchema } from './kind-schema.ts'

export const StringMatch = z
  .object({
    exact: z.string().max(1024).optional().describe('The whole value.'),
    prefix: z.string().max(1024).optional().describe('How the value begins.'),
    regex: z.string().max(1024).optional().describe('A regular expression that fits anywhere in the value.'),
  })
  .describe('How a text must look. Where several are given, `exact` goes before `prefix`, and `prefix` before `regex`.')
export type StringMatch = z.output<typeof StringMatch>

export const ModelMatch = z
  .object({
    headers: z
      .record(z.string().max(256), StringMatch)
      .optional()
      .describe('Headers by name; all must match. A missing header counts as empty.')
      .meta({ maxProperties: 16 }),
    uri: StringMatch.optional().describe('The path of the request.'),
    body: z
      .object({ model: z.string().max(256).optional().describe('The `model` of the request, in full.') })
      .optional()
      .describe('The body of the request.'),
  })
  .describe('Requests that a rule is for; all of them when nothing is said.')
export type ModelMatch = z.output<typeof ModelMatch>

export const TargetModel = z
  .object({
    modelServerName: z.string().max(253).optional().describe('Name of a ModelServer in the same namespace.'),
    externalModelProviderName: z
      .string()
      .max(253)
      .optional()
      .describe('Name of an ExternalModelProvider in the same namespace. Accepted, and not acted on yet.'),
    weight: z.int32().min(0).max(100).default(100).describe('Share of the requests, compared with the others.'),
  })
  .describe('One place that requests go to.')
  .meta(
    rules({
      rule: `(has(self.modelServerName) && self.modelServerName != '') != (has(self.externalModelProviderName) && self.externalModelProviderName != '')`,
      message: 'give one of modelServerName and externalModelProviderName',
    }),
  )
export type TargetModel = z.output<typeof TargetModel>

export const RouteRule = z
  .object({
    name: z.string().max(253).optional().describe('For people.'),
    modelMatch: ModelMatch.optional(),
    targetModels: z
      .array(TargetModel)
      .min(1)
      .max(16)
      .describe('Where the requests go, by weight.')
      .meta({
        ...atomicList,
        ...rules({
          rule: 'self.exists(target, target.weight > 0)',
          message: 'at least one target needs a weight above 0',
        }),
      }),
  })
  .describe('Sends some of the requests to weighted targets.')
export type RouteRule = z.output<typeof RouteRule>

const ParentRef = z.object({
  group: z.string().max(253).default('gateway.networking.k8s.io').describe('Group of the parent.'),
  kind: z.string().min(1).max(63).default('Gateway').describe('Kind of the parent.'),
  namespace: z.string().min(1).max(63).optional().describe('Namespace of the parent; the route’s own by default.'),
  name: z.string().min(1).max(253).describe('Name of the parent.'),
  sectionName: z.string().min(1).max(253).optional().describe('A listener of the parent.'),
  port: z.int32().min(1).max(65_535).optional().describe('A port of the parent.'),
})

export const ParentRefs = z
  .array(ParentRef)
  .max(16)
  .describe('Gateways that the route is for. Accepted, and not acted on yet.')
  .meta(atomicList)

export const RateLimit = z
  .object({
    inputTokensPerUnit: z.int32().min(1).optional().describe('Prompt tokens allowed in one unit of time.'),
    outputTokensPerUnit: z.int32().min(1).optional().describe('Generated tokens allowed in one unit of time.'),
    unit: z
      .enum(['second', 'minute', 'hour', 'day', 'month'])
      .default('second')
      .describe('The unit of time; a month has 30 days.'),
    global: z
      .object({
        redis: z
          .object({ address: z.string().min(1).max(512).describe('`host:port` of the Redis server.') })
          .optional()
          .describe('Keeps the counts in Redis.'),
      })
      .optional()
      .describe('Counts over all routers instead of each by itself. Accepted, and not acted on yet.'),
  })
  .describe('Tokens allowed to all clients together; each router counts by itself.')
export type RateLimit = z.output<typeof RateLimit>

export const ModelRouteSpec = z
  .object({
    modelName: z
      .string()
      .max(256)
      .optional()
      .describe('The `model` that clients ask for. Once set it cannot be changed.'),
    loraAdapters: z
      .array(z.string().min(1).max(256))
      .max(10)
      .optional()
      .describe('Adapters that clients may ask for by name instead.')
      .meta(atomicList),
    parentRefs: ParentRefs.optional(),
    rules: z.array(RouteRule).max(16).describe('Tried in order; the first that matches is taken.').meta(atomicList),
    rateLimit: RateLimit.optional(),
  })
  .describe('Which requests go where.')
  .meta(
    rules(
      {
        rule: `(has(self.modelName) && self.modelName != '') || (has(self.loraAdapters) && size(self.loraAdapters) > 0)`,
        message: 'give modelName, loraAdapters or both',
        fieldPath: '.modelName',
        reason: 'FieldValueRequired',
      },
      {
        rule: `!has(oldSelf.modelName) || oldSelf.modelName == '' || (has(self.modelName) && self.modelName == oldSelf.modelName)`,
        message: 'cannot be changed or removed; make another ModelRoute',
        fieldPath: '.modelName',
        reason: 'FieldValueForbidden',
      },
      {
        rule: `!has(self.loraAdapters) || size(self.loraAdapters) == 0 || self.rules.all(rule, rule.targetModels.all(target, !has(target.externalModelProviderName)))`,
        message: 'a route with loraAdapters cannot have an external provider as a target',
        fieldPath: '.rules',
      },
    ),
  )
export type ModelRouteSpec = z.output<typeof ModelRouteSpec>

export const ModelRouteStatus = z
  .object({
    observedGeneration: z.int().optional().describe('Generation of the spec that this status speaks of.'),
    conditions: conditions().optional(),
  })
  .describe('Observed state of the route.')
export type ModelRouteStatus = z.output<typeof ModelRouteStatus>

export const modelRoute: KindSchema = {
  kind: ModelRoute,
  description: 'Maps the model that clients ask for to the servers that answer.',
  spec: ModelRouteSpec,
  status: ModelRouteStatus,
}
