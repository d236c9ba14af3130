import { z } from 'zod'
import { AIMClusterModelSource } from '../aim-cluster-model-source.ts'
import { aimStatuses } from '../aim-fields.ts'
import { imageName, imagePullSecrets, time, observed } from './aim-fields.ts'
import { atomicList, duration } from './fields.ts'
import type { KindSchema } from './kind-schema.ts'

const versions = () =>
  z
    .array(z.string().min(1).max(128))
    .max(32)
    .optional()
    .describe('Constraints such as `>=0.8.0` or `~1.2`; a tag must meet all of them.')
    .meta(atomicList)

const ModelFilter = z
  .object({
    image: imageName().describe('Repository, with or without registry and tag; `*` stands for anything.'),
    exclude: z
      .array(z.string().min(1).max(512))
      .max(100)
      .optional()
      .describe('Repositories to leave out.')
      .meta(atomicList),
    versions: versions().describe('Constraints instead of those for all filters.'),
  })
  .describe('Which images become models.')
export type ModelFilter = z.output<typeof ModelFilter>

export const AIMClusterModelSourceSpec = z
  .object({
    registry: z.string().min(1).max(253).default('docker.io').describe('Registry of filters that name none.'),
    imagePullSecrets: imagePullSecrets().optional(),
    filters: z.array(ModelFilter).min(1).max(100).describe('Images to find.').meta(atomicList),
    syncInterval: duration().default('1h').describe('Time between two looks at the registry; a minute at least.'),
    versions: versions(),
    maxModels: z.int32().min(1).max(10_000).default(100).describe('Most models to make.'),
  })
  .describe('Where to look for models.')
export type AIMClusterModelSourceSpec = z.output<typeof AIMClusterModelSourceSpec>

const sourceStatuses = [...aimStatuses, 'Starting', 'Running'] as const

export const AIMClusterModelSourceStatus = z
  .object({
    status: z.enum(sourceStatuses).optional().describe('The state of the source in a word.'),
    ...observed(),
    lastSyncTime: time().optional().describe('When all filters were last answered.'),
    discoveredModels: z.int32().optional().describe('Models that were made.'),
    availableModels: z.int32().optional().describe('Images that match.'),
    modelsLimitReached: z.boolean().optional().describe('Whether more match than may be made.'),
    nextSyncTime: time().optional().describe('When the registries are asked next, if nothing changes before.'),
    failedSyncs: z.int32().optional().describe('Times in a row that not all filters were answered.'),
    request: z
      .string()
      .optional()
      .describe('Stands for what was asked, and with which secrets; when it changes, registries are asked at once.'),
  })
  .describe('Observed state of a model source.')
export type AIMClusterModelSourceStatus = z.output<typeof AIMClusterModelSourceStatus>

export const aimClusterModelSource: KindSchema = {
  kind: AIMClusterModelSource,
  description: 'Makes cluster models of the images that a registry has.',
  spec: AIMClusterModelSourceSpec,
  status: AIMClusterModelSourceStatus,
}
