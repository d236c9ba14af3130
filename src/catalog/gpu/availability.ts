/** Whether the cluster has the GPUs that a template wants, and which nodes they are on. */
import type { HardwareRequirements } from '#api/aim-fields.ts'
import type { NodeAffinity, NodeSelectorRequirement } from '#api/core/types.generated.ts'
import { compareQuantities, parseQuantity } from '#machinery/quantity.ts'
import { deviceOf, normalGpu } from './devices.ts'
import type { GpuKind, Inventory } from './inventory.ts'

type Gpu = NonNullable<HardwareRequirements['gpu']>

export interface Availability {
  readonly available: boolean
  readonly reason: 'GPUAvailable' | 'GPUNotAvailable' | 'VRAMNotAvailable'
  readonly message: string
}

export function needsGpu(gpu: Gpu | undefined): boolean {
  return gpu !== undefined && ((gpu.requests ?? 0) > 0 || wantedModel(gpu) !== '' || gpu.minVram !== undefined)
}

function wantedModel({ model = '' }: Gpu): string {
  return normalGpu(model)
}

/** `undefined` where no GPU is needed. */
export function availabilityOf(gpu: Gpu | undefined, inventory: Inventory): Availability | undefined {
  if (gpu === undefined || !needsGpu(gpu)) return undefined
  const { gpus, simulated, unknown } = inventory
  const model = wantedModel(gpu)
  const there = gpus.size === 0 ? 'there are none' : `there are ${[...gpus.keys()].join(', ')}`
  if (suiting(gpu, inventory).length > 0) return available(enough(gpu, inventory))
  if (simulated) return available('a local node takes every pod and simulates its GPUs')
  if (gpu.minVram !== undefined) {
    return missing('VRAMNotAvailable', `no node has a GPU with ${gpu.minVram} of memory or more; ${there}`)
  }
  if (model !== '') return missing('GPUNotAvailable', `no node has a GPU ${gpu.model}; ${there}`)
  if (unknown) return available('a node has GPUs of a model that its labels do not tell')
  return missing('GPUNotAvailable', 'no node has a GPU')
}

function available(message: string): Availability {
  return { available: true, reason: 'GPUAvailable', message }
}

function missing(reason: Availability['reason'], message: string): Availability {
  return { available: false, reason, message }
}

function suiting(gpu: Gpu, { gpus }: Inventory): GpuKind[] {
  const model = wantedModel(gpu)
  const { minVram } = gpu
  if (minVram !== undefined) {
    const least = parseQuantity(minVram)
    return [...gpus.values()].filter(({ vram }) => vram !== undefined && compareQuantities(vram, least) >= 0)
  }
  return model === '' ? [...gpus.values()] : [...gpus.values()].filter((each) => each.model === model)
}

/** Presence is all that is asked for; where no node could ever hold a replica, that is said. */
function enough(gpu: Gpu, inventory: Inventory): string {
  const found = suiting(gpu, inventory)
  const names = found.map(({ model }) => model).join(', ')
  const most = found.map(({ mostPerNode }) => mostPerNode)
  const { requests = 0 } = gpu
  if (!most.every((count) => count !== undefined && count > 0 && count < requests)) return `nodes have ${names}`
  return `nodes have ${names}, though none has ${requests} of them`
}

/** Nodes with such a GPU; `undefined` where any will do. Sorted, so that it changes only when the nodes do. */
export function affinityOf(gpu: Gpu | undefined, inventory: Inventory): NodeAffinity | undefined {
  if (gpu === undefined || (wantedModel(gpu) === '' && gpu.minVram === undefined)) return undefined
  const found = suiting(gpu, inventory)
  const models = found.length > 0 || gpu.minVram !== undefined ? found.map(({ model }) => model) : [wantedModel(gpu)]
  const main = [...new Set(models.flatMap(idsOf))].toSorted()
  const values = Map.groupBy(
    found.flatMap(({ evidence }) => evidence).filter(({ key }) => key !== deviceIdLabel || main.length === 0),
    ({ key }) => key,
  )
  const terms: NodeSelectorRequirement[] = [
    ...(main.length === 0 ? [] : [{ key: deviceIdLabel, operator: 'In', values: main }]),
    ...[...values].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => requirement(key, each)),
  ]
  if (terms.length === 0) return undefined
  return {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: terms.map((term) => ({ matchExpressions: [term] })),
    },
  }
}

const deviceIdLabel = 'amd.com/gpu.device-id'

function idsOf(model: string): readonly string[] {
  return deviceOf(model)?.ids ?? (/^AMD-[0-9A-F]{4}$/.test(model) ? [model.slice(4).toLowerCase()] : [])
}

function requirement(key: string, evidence: GpuKind['evidence']): NodeSelectorRequirement {
  const values = [...new Set(evidence.flatMap(({ value }) => value ?? []))].toSorted()
  return values.length === 0 ? { key, operator: 'Exists' } : { key, operator: 'In', values }
}
