/**
 * The label with an image's recommended deployments. It ought to be a JSON array of objects; images exist whose builds wrote
 * a single object, objects in a row, or Python's spelling of them, and those are read too. Pure.
 */
import type { RecommendedDeployment } from '#api/aim-fields.ts'
import { isObject } from '#base/json.ts'

export interface ReadDeployments {
  /** As the image says them: what its words mean is for those who make templates. */
  readonly deployments: RecommendedDeployment[]
  /** Why there are none. */
  readonly malformed: string | undefined
  /** A sentence for each that was left out. */
  readonly ignored: readonly string[]
}

const mostDeployments = 100
const longestLabel = 256 << 10
const longestText = 1024

export function readDeployments(text: string): ReadDeployments {
  const failed = (malformed: string): ReadDeployments => ({ deployments: [], malformed, ignored: [] })
  if (text.length > longestLabel) return failed(`it is longer than ${longestLabel >> 10} KiB`)
  const trimmed = text.trim()
  const json = jsonOfPython(trimmed)
  const entries = arrayIn(trimmed) ?? arrayIn(`[${trimmed}]`) ?? arrayIn(json) ?? arrayIn(`[${json}]`)
  if (entries === undefined)
    return failed('it is no JSON array of objects, such as [{"gpuModel": "MI300X", "gpuCount": 4}]')

  const read = entries.slice(0, mostDeployments).map((entry, index) => readEntry(entry, `deployment ${index + 1}`))
  const rest = entries.length - mostDeployments
  return {
    deployments: read.flatMap((each) => (typeof each === 'string' ? [] : [each])),
    malformed: undefined,
    ignored: [
      ...read.filter((each) => typeof each === 'string'),
      ...(rest > 0 ? [`${rest} deployments beyond the first ${mostDeployments}`] : []),
    ],
  }
}

function arrayIn(text: string): readonly unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (Array.isArray(value)) return value as readonly unknown[]
    return isObject(value) ? [value] : undefined
  } catch {
    return undefined
  }
}

/** A text in either quotes, to its end if none closes it; or a word that Python has for JSON's. */
const token = /"(?:[^"\\]|\\.)*(?:"|$)|'((?:[^'\\]|\\.)*)(?:'|$)|\b(?:True|False|None)\b/gs
const words: Readonly<Record<string, string>> = { True: 'true', False: 'false', None: 'null' }

function jsonOfPython(text: string): string {
  return text.replace(token, (found, inSingleQuotes?: string) => {
    if (inSingleQuotes === undefined) return words[found] ?? found
    const inDouble = inSingleQuotes.replaceAll(/\\(.)|"/gs, (each, escaped?: string) =>
      escaped === "'" ? "'" : each === '"' ? String.raw`\"` : each,
    )
    return `"${inDouble}"`
  })
}

const textFields = ['gpuModel', 'precision', 'metric', 'description', 'profileId'] as const

/** Or why it is left out. */
function readEntry(entry: unknown, which: string): RecommendedDeployment | string {
  if (!isObject(entry)) return `${which} is no object`
  const given = new Map(Object.entries(entry).map(([key, value]) => [plainKey(key), value ?? undefined]))
  const deployment: RecommendedDeployment = {}
  for (const field of textFields) {
    const value = given.get(plainKey(field))
    if (value === undefined || value === '') continue
    if (typeof value !== 'string' || value.length > longestText)
      return `${which}: ${field} is no text of up to ${longestText} characters`
    deployment[field] = value
  }
  const count = given.get(plainKey('gpuCount'))
  if (count === undefined) return deployment
  const gpuCount = countOf(count)
  return gpuCount === undefined ? `${which}: gpuCount is no whole number` : { ...deployment, gpuCount }
}

/** `gpuModel`, `GPUModel`, `gpu_model` and `gpu-model` are one. */
function plainKey(key: string): string {
  return key.toLowerCase().replaceAll(/[-_]/g, '')
}

const mostGpus = 2 ** 31 - 1

function countOf(value: unknown): number | undefined {
  const count = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value
  return typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= mostGpus ? count : undefined
}
