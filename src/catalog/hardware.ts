/** Hardware of a replica: merged, put into words, spelled in one way. */
import type { HardwareRequirements } from '#api/aim-fields.ts'
import type { AIMServiceTemplateSpec } from '#api/aim-service-template.ts'
import { gpuResource } from './gpu/devices.ts'

/** `over` wins, member by member; a model that it names takes the place of a least memory, and the reverse. */
export function mergeHardware(
  under: HardwareRequirements | undefined,
  over: HardwareRequirements | undefined,
): HardwareRequirements | undefined {
  if (under === undefined || over === undefined) return over ?? under
  const { model, minVram, ...rest } = { ...under.gpu, ...over.gpu }
  const kept = over.gpu?.minVram === undefined ? { model, minVram: over.gpu?.model ? undefined : minVram } : { minVram }
  const gpu = present({ ...rest, ...kept })
  const cpu = under.cpu === undefined ? over.cpu : { ...under.cpu, ...over.cpu }
  return { ...(Object.keys(gpu).length > 0 && { gpu }), ...(cpu !== undefined && { cpu }) }
}

/** With the resource that stands for the GPU. */
export function withResource(hardware: HardwareRequirements | undefined): HardwareRequirements | undefined {
  if (hardware?.gpu === undefined) return hardware
  return { ...hardware, gpu: { resourceName: gpuResource(hardware.gpu.model), ...hardware.gpu } }
}

/** The earlier spelling counts where the present one is absent. */
export function hardwareOf({ hardware, gpuSelector }: AIMServiceTemplateSpec): HardwareRequirements | undefined {
  if (gpuSelector === undefined || hardware?.gpu !== undefined) return hardware
  const { count, model, resourceName } = gpuSelector
  return { ...hardware, gpu: { requests: count, model, ...(resourceName !== undefined && { resourceName }) } }
}

/** `4 x MI300X`, `CPU`; empty where nothing is asked for. */
export function hardwareSummary(hardware: HardwareRequirements | undefined): string {
  const { gpu } = hardware ?? {}
  const { requests = 0, model = '' } = gpu ?? {}
  if (requests > 0) return `${requests} x ${model || 'GPU'}`
  if (model !== '') return model
  return hardware === undefined ? '' : 'CPU'
}

function present<T extends object>(members: T): T {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
}
