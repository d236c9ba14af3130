/** What several kinds of the AIM catalog have in common. */
export type {
  HardwareRequirements,
  ModelSource,
  RecommendedDeployment,
  ImageMetadata,
  Profile,
  ResolvedReference,
} from './schemas/aim-fields.ts'

export const aimMetrics = ['latency', 'throughput'] as const
export type AimMetric = (typeof aimMetrics)[number]

export const aimPrecisions = ['auto', 'fp4', 'fp8', 'fp16', 'fp32', 'bf16', 'int4', 'int8'] as const
export type AimPrecision = (typeof aimPrecisions)[number]

export const aimProfileTypes = ['optimized', 'preview', 'unoptimized'] as const
export type AimProfileType = (typeof aimProfileTypes)[number]

export const aimStatuses = ['Pending', 'Progressing', 'Ready', 'Degraded', 'Failed', 'NotAvailable'] as const
export type AimStatus = (typeof aimStatuses)[number]

export const modelIdPattern = /^[a-zA-Z0-9_-]+\/[a-zA-Z0-9._-]+$/

export const referenceScopes = ['Namespace', 'Cluster', 'Merged', 'Unknown'] as const

export const aimCategories = ['aim', 'all'] as const
