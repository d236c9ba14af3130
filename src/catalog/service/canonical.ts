/** What a service wants, in one spelling. */
import type { AIMService } from '#api/aim-service.ts'
import type { HardwareRequirements } from '#api/aim-fields.ts'

export interface CanonicalService {
  readonly name: string
  readonly namespace: string
  readonly modelName: string | undefined
  readonly templateName: string | undefined
  readonly allowUnoptimized: boolean
  readonly replicas: number
  readonly overrides: Overrides
}

export interface Overrides {
  readonly metric?: string | undefined
  readonly precision?: string | undefined
  readonly gpuModel?: string | undefined
  readonly gpuCount?: number | undefined
}

export function canonicalService({ metadata, spec }: AIMService): CanonicalService {
  const { metric, precision, hardware, gpuSelector } = spec.overrides ?? {}
  return {
    name: metadata.name ?? '',
    namespace: metadata.namespace ?? '',
    modelName: spec.model.name ?? spec.model.ref,
    templateName: spec.template?.name || spec.templateName || undefined,
    allowUnoptimized: spec.template?.allowUnoptimized === true,
    replicas: spec.minReplicas ?? spec.replicas,
    overrides: {
      metric,
      precision,
      gpuModel: hardware?.gpu?.model ?? gpuSelector?.model,
      gpuCount: hardware?.gpu?.requests ?? gpuSelector?.count,
    },
  }
}

export function customHardware({ spec }: AIMService): HardwareRequirements | undefined {
  const { hardware, gpuSelector } = spec.model.custom ?? {}
  if (hardware !== undefined || gpuSelector === undefined) return hardware
  const { count, model, resourceName } = gpuSelector
  return { gpu: { requests: count, model, ...(resourceName !== undefined && { resourceName }) } }
}

/** What the schema takes, so that objects written for others apply, and nothing is done about. */
export function ignoredFields({ spec }: AIMService): string[] {
  const fields = {
    caching: spec.caching,
    cacheModel: spec.cacheModel,
    maxReplicas: spec.maxReplicas,
    autoScaling: spec.autoScaling,
    storage: spec.storage,
    'routing.gatewayRef': spec.routing?.gatewayRef,
    'routing.pathTemplate': spec.routing?.pathTemplate,
  }
  return Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [`spec.${name}`]))
}
