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

/** Characters that are read at most, over all tries, and what a try costs besides: noise never takes the manager's time. */
const mostCharacters = 32 << 20
const perTry = 1_000

/**
 * The last array of profiles in the text. Profiles are objects, so one begins with `[{` and ends with `}]`: tried from each
 * end, the last first, and there from each beginning, the first first, which is the outermost.
 */
function arrayIn(text: string): Entry[] | undefined {
  const whole = profilesOf(text)
  if (whole !== undefined) return whole
  const starts = [...text.matchAll(/\[(?=\s*\{)/g)].map(({ index }) => index)
  const ends = [...text.matchAll(/\}\s*\]/g)].map(({ index, 0: found }) => index + found.length)
  let left = mostCharacters
  for (const end of ends.toReversed()) {
    for (const start of starts) {
      if (start >= end) break
      left -= end - start + perTry
      if (left < 0) return undefined
      const found = profilesOf(text.slice(start, end))
      if (found !== undefined) return found
    }
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
  const taken = <T>(name: string, value: unknown, read: (value: unknown) => T | undefined): T | undefined => {
    if (value === undefined || value === null) return undefined
    const found = read(value)
    if (found === undefined) remarks.push(`${name} ${shown(value)} is not known`)
    return found
  }
  const metadata = without({
    engine: textOf(engine),
    gpu: taken('gpu', gpu, gpuIn),
    gpuCount: taken('gpu_count', count, countIn),
    metric: taken('metric', metric, oneOf<AimMetric>(aimMetrics)),
    precision: taken('precision', precision, oneOf<AimPrecision>(aimPrecisions)),
    type: taken('type', type, oneOf<AimProfileType>(aimProfileTypes)),
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
/** Of what a status can hold: what is printed beyond these would have the whole of it refused. */
const longestGpu = 64
const mostGpus = 2 ** 31 - 1
const longestId = 256
const longestUri = 2048

function gpuIn(value: unknown): string | undefined {
  return typeof value === 'string' && value.length <= longestGpu ? value : undefined
}

function countIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= mostGpus ? value : undefined
}

function oneOf<T extends string>(known: readonly T[]): (value: unknown) => T | undefined {
  return (value) => known.find((each) => each === String(value).toLowerCase())
}

function sourceOf(model: unknown, remarks: string[]): ModelSource | undefined {
  const { name, source, size_gb: sizeGb } = isObject(model) ? model : {}
  if (typeof source !== 'string' || source.length > longestUri || !/^(hf|s3):\/\/\S+$/.test(source)) {
    // The source itself is not told: an address may hold a token.
    remarks.push(`the source of model ${shown(name)} is neither hf:// nor s3://`)
    return undefined
  }
  const isId = typeof name === 'string' && name.length <= longestId && modelIdPattern.test(name)
  if (!isId && name !== undefined) remarks.push(`model name ${shown(name)} is no organisation/model`)
  const bytes = typeof sizeGb === 'number' ? Math.trunc(sizeGb * bytesPerGb) : 0
  const isSize = bytes > 0 && Number.isSafeInteger(bytes)
  const size = isSize ? formatQuantity({ nanos: BigInt(bytes) * 1_000_000_000n, format: 'BinarySI' }) : undefined
  return without({ modelId: isId ? name : undefined, sourceUri: source, size })
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'without a name')
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
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
