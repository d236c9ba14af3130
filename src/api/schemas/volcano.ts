import { z } from 'zod'
import type { UnresolvedSchema } from '../generated-schema.ts'
import { atomicList } from './fields.ts'
import { structuralSchema } from './structural.ts'

const Topology = z.object({
  mode: z.enum(['hard', 'soft']).default('hard').describe('Whether the tier must hold.'),
  highestTierAllowed: z.int32().optional().describe('Highest tier of the network that the pods may span.'),
  highestTierName: z.string().optional().describe('The same by name.'),
})

const SubGroup = z.object({
  name: z.string().describe('Name of the part.'),
  labelSelector: z
    .object({ matchLabels: z.record(z.string(), z.string()).optional().describe('Labels of its pods.') })
    .describe('Selects its pods.'),
  matchLabelKeys: z.array(z.string()).describe('Labels that tell its instances apart.').meta(atomicList),
  subGroupSize: z.int32().describe('Pods of an instance.'),
  minSubGroups: z.int32().default(0).describe('Instances that must be placed together.'),
  networkTopology: Topology.optional().describe('How near the pods of an instance must be.'),
})

export const PodGroupSpec = z.object({
  minMember: z.int32().optional().describe('Pods that must be placed together.'),
  minResources: z
    .record(z.string(), z.union([z.string(), z.number()]))
    .optional()
    .describe('What they ask for.'),
  queue: z.string().default('default').describe('The queue that they wait in.'),
  networkTopology: Topology.optional().describe('How near all pods must be.'),
  subGroupPolicy: z
    .array(SubGroup)
    .optional()
    .describe('Parts that are placed as one; from Volcano 1.14 on.')
    .meta(atomicList),
})
export type PodGroupSpec = z.input<typeof PodGroupSpec>

export function podGroupSchema(): UnresolvedSchema {
  return {
    type: 'object',
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      spec: structuralSchema(PodGroupSpec),
    },
  }
}
