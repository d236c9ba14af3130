/** What an image prints on a dry run: a JSON array of profiles, perhaps with log lines around it. */
import { isObject } from '#base/json.ts'
import {
  type AimMetric,
  aimMetrics,
  type AimPrecision,
  aimPrecisions,
  type AimProfileType,
  aimProfileTypes,
  type ModelSource,
  modelIdPattern,
  type Profile,
} from '#api/aim-fields.ts'
import { formatQuantity } from '#machinery/quantity.ts'
import { normalGpu } from '../gpu/devices.ts'

export interface Wanted {
  readonly profileId?: string | undefined
  readonly metric?: string | undefined
  readonly precision?: string | undefined
  readonly gpuModel?: string | undefined
}

export interface Found {
  readonly profile: Profile
  readonly modelSources: readonly ModelSource[]
  /** What was printed and could not be taken over. */
  readonly remarks: readonly string[]
}

/** `undefined` where the text holds no profiles. */
export function parseDiscoveryOutput(text: string, wanted: Wanted): Found | undefined {
  const entries = arrayIn(text)
  const best = entries?.toSorted((a, b) => fit(b, wanted) - fit(a, wanted))[0]
  return best === undefined ? undefined : found(best)
}

interface Entry extends Record<string, unknown> {
  readonly profile: Record<string, unknown>
}

/** Tries that bound the work on output that never closes. */
const mostTries = 200

/** The last array of profiles in the text: tried from each `]`, and there from each `[` before it, the last first. */
function arrayIn(text: string): Entry[] | undefined {
  const whole = profilesOf(text)
  if (whole !== undefined) return whole
  let tries = 0
  for (let end = text.lastIndexOf(']'); end >= 0; end = text.lastIndexOf(']', end - 1)) {
    for (let start = text.lastIndexOf('[', end); start >= 0; start = text.lastIndexOf('[', start - 1)) {
      const found = profilesOf(text.slice(start, end + 1))
      if (found !== undefined) return found
      if (++tries >= mostTries) return undefined
      if (start === 0) break
    }
    if (end === 0) break
  }
  return undefined
}

function profilesOf(text: string): Entry[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isProfiles = Array.isArray(value) && value.length > 0 && value.every(isEntry)
    return isProfiles ? value : undefined
  } catch {
    return undefined // noise around it
  }
}

function isEntry(value: unknown): value is Entry {
  return isObject(value) && isObject(value['profile'])
}

/** How much of what was asked for a profile is. */
function fit({ filename, profile }: Entry, wanted: Wanted): number {
  const { metric, precision, gpu } = metadataOf(profile)
  const matches = [
    wanted.profileId !== undefined && String(filename ?? '').includes(wanted.profileId),
    wanted.metric !== undefined && metric === wanted.metric,
    wanted.precision !== undefined && precision === wanted.precision,
    wanted.gpuModel !== undefined && normalGpu(String(gpu ?? '')) === normalGpu(wanted.gpuModel),
  ]
  return matches.filter(Boolean).length
}

function metadataOf(profile: Record<string, unknown>): Record<string, unknown> {
  return isObject(profile['metadata']) ? profile['metadata'] : {}
}

function found(entry: Entry): Found {
  const remarks: string[] = []
  const { profile } = entry
  const { engine, gpu, gpu_count: count, metric, precision, type } = metadataOf(profile)
  const one = <T extends string>(name: string, value: unknown, known: readonly T[]): T | undefined => {
    const match = known.find((each) => each === String(value).toLowerCase())
    if (match === undefined && value !== undefined && value !== null)
      remarks.push(`${name} ${String(value)} is not known`)
    return match
  }
  const metadata = without({
    engine: textOf(engine),
    gpu: textOf(gpu),
    gpuCount: Number.isInteger(count) ? (count as number) : undefined,
    metric: one<AimMetric>('metric', metric, aimMetrics),
    precision: one<AimPrecision>('precision', precision, aimPrecisions),
    type: one<AimProfileType>('type', type, aimProfileTypes),
  })
  const models = Array.isArray(entry['models']) ? entry['models'] : []
  const sources = models.map((model) => sourceOf(model, remarks))
  return {
    profile: without({
      engine_args: isObject(profile['engine_args']) ? profile['engine_args'] : undefined,
      env_vars: isObject(profile['env_vars']) ? textsOf(profile['env_vars']) : undefined,
      metadata,
      originalDiscoveryOutput: JSON.stringify(entry).length <= longestOriginal ? entry : undefined,
    }),
    modelSources: sources.flatMap((source) => source ?? []),
    remarks,
  }
}

const longestOriginal = 64 << 10
const bytesPerGb = 2 ** 30

function sourceOf(model: unknown, remarks: string[]): ModelSource | undefined {
  const { name, source, size_gb: sizeGb } = isObject(model) ? model : {}
  if (typeof source !== 'string' || !/^(hf|s3):\/\/\S+$/.test(source)) {
    remarks.push(`model source ${String(source)} is neither hf:// nor s3://`)
    return undefined
  }
  const isId = typeof name === 'string' && modelIdPattern.test(name)
  if (!isId && name !== undefined) remarks.push(`model name ${String(name)} is no organisation/model`)
  const bytes = typeof sizeGb === 'number' && sizeGb > 0 ? BigInt(Math.trunc(sizeGb * bytesPerGb)) : 0n
  const size = bytes > 0n ? formatQuantity({ nanos: bytes * 1_000_000_000n, format: 'BinarySI' }) : undefined
  return without({ modelId: isId ? name : undefined, sourceUri: source, size })
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function textsOf(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}

/** Without members that are not there. */
function without<T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}
