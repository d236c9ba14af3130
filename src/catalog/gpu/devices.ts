/** GPUs as node labels and images name them. Tables; what is not in them is taken by its own name. */

export interface Device {
  readonly model: string
  readonly ids: readonly string[]
  /** Memory of one, where no label tells it. */
  readonly vram: string
}

/** AMD's PCI device ids. Source: pci.ids. */
const amdDevices: readonly Device[] = [
  { model: 'MI355X', ids: ['75a3', '75b3'], vram: '288Gi' },
  { model: 'MI350X', ids: ['75a0', '75b0'], vram: '288Gi' },
  { model: 'MI325X', ids: ['74a5', '74b9'], vram: '256Gi' },
  { model: 'MI300X', ids: ['74a1', '74a9', '74b5', '74bd'], vram: '192Gi' },
  { model: 'MI308X', ids: ['74a2', '74a8', '74b6'], vram: '128Gi' },
  { model: 'MI300A', ids: ['74a0'], vram: '128Gi' },
  { model: 'MI250X', ids: ['7408', '740c'], vram: '128Gi' },
  { model: 'MI210', ids: ['740f', '7410'], vram: '64Gi' },
  { model: 'MI100', ids: ['738c', '738e'], vram: '32Gi' },
  { model: 'V710', ids: ['7460', '7461'], vram: '32Gi' },
  { model: 'V620', ids: ['73a1', '73ae'], vram: '32Gi' },
  { model: 'W7900', ids: ['7448', '744a'], vram: '48Gi' },
  { model: 'W7800', ids: ['7449', '745e'], vram: '32Gi' },
  { model: 'W6900X', ids: ['73a2'], vram: '32Gi' },
  { model: 'W6800', ids: ['73a3'], vram: '32Gi' },
  { model: 'W6800X', ids: ['73ab'], vram: '32Gi' },
  { model: 'RX9070', ids: ['7550'], vram: '16Gi' },
  { model: 'RX7900', ids: ['744c'], vram: '24Gi' },
  { model: 'RX6900', ids: ['73af'], vram: '16Gi' },
  { model: 'RX6800', ids: ['73bf'], vram: '16Gi' },
]

const byId = new Map(amdDevices.flatMap((device) => device.ids.map((id) => [id, device] as const)))
const byModel = new Map(amdDevices.map((device) => [device.model, device]))

/** `AMD-<ID>` for one that is not in the table. */
export function modelOfDevice(id: string): string {
  return byId.get(id)?.model ?? `AMD-${id.toUpperCase()}`
}

export function deviceOf(model: string): Device | undefined {
  return byModel.get(model)
}

/** From the most to the least able; those that are not listed come last. */
const tiers = ['MI355X', 'MI350X', 'MI325X', 'MI300X', 'MI308X', 'MI300A', 'MI250X', 'MI210', 'MI100']

export function gpuTier(model: string): number {
  const at = tiers.indexOf(model)
  return at === -1 ? tiers.length : at
}

/** Names for the same device. */
const aliases: Readonly<Record<string, string>> = { MI250: 'MI250X' }
const brands = new Set(['AMD', 'INSTINCT', 'RADEON', 'NVIDIA', 'TESLA', 'GEFORCE', 'QUADRO'])
/** Series that are written apart from their number. */
const series = new Set(['RX', 'RTX', 'GTX', 'MI', 'PRO'])
const unknownDevice = /^AMD-[0-9A-F]{4}$/

/** One name for what people and labels call a GPU: `AMD_Instinct_MI300X_OAM` is `MI300X`. Empty for an empty one. */
export function normalGpu(name: string): string {
  const upper = name.trim().toUpperCase().replaceAll('_', '-')
  if (unknownDevice.test(upper)) return upper
  const words = upper.split(/[- /:()]+/).filter((word) => word !== '' && !brands.has(word))
  const joined = words.map((word, i) =>
    series.has(word) && /^\d/.test(words[i + 1] ?? '') ? word + words[i + 1] : word,
  )
  const model = joined.map((word) => word.replace(/^INSTINCT/, '')).find((word) => /^[A-Z]+\d[A-Z0-9]*$/.test(word))
  const found = model ?? joined[0] ?? ''
  return aliases[found] ?? found
}

/** The resource that stands for a GPU where nobody names another. */
export function gpuResource(model = ''): string {
  return isNvidia(normalGpu(model)) ? 'nvidia.com/gpu' : 'amd.com/gpu'
}

/** By its normal name: what NVIDIA calls its devices for data centres and workstations. */
function isNvidia(model: string): boolean {
  return /^(A|B|H|L|T|V|GH|GB|RTX|GTX)\d/.test(model) && !byModel.has(model)
}
