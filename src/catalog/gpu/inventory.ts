/**
 * Which GPUs there are, from the labels that device plugins and feature discovery set on nodes. Only presence counts: how
 * many are free is the scheduler's business, so nodes that are cordoned or not ready count too.
 */
import { isObject } from '#base/json.ts'
import type { Node } from '#api/core/kinds.ts'
import { acceptsAllAnnotation } from '#kube/local-node.ts'
import {
  compareQuantities,
  formatQuantity,
  parseQuantity,
  type Quantity,
  tryParseQuantity,
} from '#machinery/quantity.ts'
import { deviceOf, modelOfDevice, normalGpu } from './devices.ts'

/** How a label tells of a GPU. */
interface Evidence {
  readonly model: string
  /** What selects the node: a label and its value, or its presence alone. */
  readonly key: string
  readonly value?: string
}

export interface GpuKind {
  readonly model: string
  /** Most memory of one on any node. */
  readonly vram: Quantity | undefined
  /** Most of them on one node, where a node tells. */
  readonly mostPerNode: number | undefined
  readonly evidence: readonly Evidence[]
}

export interface Inventory {
  /** By model, sorted. */
  readonly gpus: ReadonlyMap<string, GpuKind>
  /** GPUs of a maker that is known, of a model that is not. */
  readonly unknown: boolean
  /** A node of a local cluster takes every pod and simulates what it asks for. */
  readonly simulated: boolean
}

interface NodeFacts {
  readonly evidence: readonly Evidence[]
  readonly vram: Quantity | undefined
  readonly count: number | undefined
  readonly hasFamily: boolean
}

export function inventoryOf(nodes: readonly Node[]): Inventory {
  const live = nodes.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const facts = live.map(factsOf)
  const models = [...new Set(facts.flatMap(({ evidence }) => evidence.map(({ model }) => model)))].toSorted()
  return {
    gpus: new Map(models.map((model) => [model, gpuKind(model, facts)])),
    unknown: facts.some(({ evidence, hasFamily }) => hasFamily && evidence.length === 0),
    simulated: live.some(({ metadata }) => metadata.annotations?.[acceptsAllAnnotation] === 'true'),
  }
}

function gpuKind(model: string, facts: readonly NodeFacts[]): GpuKind {
  const having = facts.filter(({ evidence }) => evidence.some((each) => each.model === model))
  const counts = having.flatMap(({ count }) => count ?? [])
  const evidence = having.flatMap((each) => each.evidence.filter((one) => one.model === model))
  const unique = new Map(evidence.map((each) => [`${each.key}=${each.value}`, each]))
  const fallback = deviceOf(model)?.vram
  const vrams = having.flatMap(({ vram }) => vram ?? (fallback === undefined ? [] : parseQuantity(fallback)))
  return {
    model,
    vram: vrams.toSorted((a, b) => compareQuantities(b, a))[0],
    mostPerNode: counts.length === 0 ? undefined : Math.max(...counts),
    evidence: [...unique.entries()].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each),
  }
}

const amdPrefixes = ['amd.com/gpu.', 'beta.amd.com/gpu.']

function factsOf({ metadata, status }: Node): NodeFacts {
  const labels = metadata.labels ?? {}
  const amd = amdEvidence(labels)
  const evidence = [...amd, ...nvidiaEvidence(labels)]
  return { evidence, vram: vramOf(labels), count: countOf(status), hasFamily: hasFamily(labels) }
}

/** Device ids say it best; names are asked only where there are none. */
function amdEvidence(labels: Readonly<Record<string, string>>): Evidence[] {
  const ids = amdPrefixes.flatMap((prefix) => [
    ...plain(labels, `${prefix}device-id`).map(({ key, value }) => ({ key, value, id: value })),
    ...counted(labels, `${prefix}device-id.`).map(({ key, suffix }) => ({ key, id: suffix })),
  ])
  if (ids.length > 0) return ids.map(({ id, ...where }) => ({ model: modelOfDevice(normalId(id)), ...where }))
  const named = amdPrefixes.flatMap((prefix) => [
    ...plain(labels, `${prefix}product-name`),
    ...counted(labels, `${prefix}product-name.`).map(({ key, suffix }) => ({ key, name: suffix })),
    ...plain(labels, `${prefix}family`),
    ...counted(labels, `${prefix}family.`).map(({ key, suffix }) => ({ key, name: suffix })),
  ])
  return named.flatMap((each) => {
    const { key } = each
    const where = 'value' in each ? { key, value: each.value } : { key }
    const model = normalGpu('value' in each ? each.value : each.name)
    return isFamilyCode(model) ? [] : [{ model, ...where }]
  })
}

const nvidiaLabels = ['nvidia.com/gpu.product', 'nvidia.com/mig.product', 'feature.node.kubernetes.io/nvidia-gpu-model']

function nvidiaEvidence(labels: Readonly<Record<string, string>>): Evidence[] {
  return nvidiaLabels.flatMap((name) =>
    plain(labels, name).map(({ key, value }) => ({ model: normalGpu(value), key, value })),
  )
}

function plain(labels: Readonly<Record<string, string>>, key: string): { key: string; value: string }[] {
  const value = labels[key] ?? ''
  return value === '' ? [] : [{ key, value }]
}

/** `<prefix>74a1=8`: what is counted is in the name. */
function counted(labels: Readonly<Record<string, string>>, prefix: string): { key: string; suffix: string }[] {
  return Object.keys(labels)
    .filter((key) => key.startsWith(prefix) && labels[key] !== '' && labels[key] !== '0')
    .map((key) => ({ key, suffix: key.slice(prefix.length) }))
}

function normalId(id: string): string {
  return id.trim().toLowerCase().replace(/^0x/, '')
}

/** Two letters name a family of chips, never a device. */
function isFamilyCode(model: string): boolean {
  return /^[A-Z]{0,2}$/.test(model)
}

function hasFamily(labels: Readonly<Record<string, string>>): boolean {
  return Object.keys(labels).some((key) => amdPrefixes.some((prefix) => key.startsWith(`${prefix}family`)))
}

function vramOf(labels: Readonly<Record<string, string>>): Quantity | undefined {
  const texts = amdPrefixes.flatMap((prefix) => [
    labels[`${prefix}vram`],
    ...counted(labels, `${prefix}vram.`).map(({ suffix }) => suffix),
  ])
  const megabytes = labels['nvidia.com/gpu.memory']
  return [...texts.map(parseVram), megabytes === undefined ? undefined : parseVram(megabytes)].find(
    (vram) => vram !== undefined,
  )
}

/** `192G` means GiB; a bare number is bytes where it is large enough for that, else MiB. */
export function parseVram(text: string | undefined): Quantity | undefined {
  const [, number, suffix = ''] = /^(\d+)([MGT]i?)?$/.exec(text?.trim() ?? '') ?? []
  if (number === undefined) return undefined
  if (suffix !== '') return tryParseQuantity(`${number}${suffix.charAt(0)}i`)
  return tryParseQuantity(Number(number) >= 2 ** 30 ? number : `${number}Mi`)
}

function countOf(status: Node['status']): number | undefined {
  const allocatable: unknown = status?.allocatable
  if (!isObject(allocatable)) return undefined
  const counts = ['amd.com/gpu', 'nvidia.com/gpu'].map((name) => Number(allocatable[name] ?? 0))
  return Math.max(...counts)
}

/** Changes when the inventory does. */
export function inventoryKey({ gpus, unknown, simulated }: Inventory): string {
  const kinds = [...gpus.values()].map(({ vram, ...kind }) => ({ ...kind, vram: vram && formatQuantity(vram) }))
  return JSON.stringify([kinds, unknown, simulated])
}
