/** Environment variables in layers. */
import { isObject } from '#base/json.ts'
import type { EnvVar } from '#api/core/types.generated.ts'

const engineArguments = 'AIM_ENGINE_ARGS'

/** Later layers win, by name; the engine's arguments are merged as the JSON objects that they are. Sorted by name. */
export function mergeEnv(...layers: readonly (readonly EnvVar[] | undefined)[]): EnvVar[] {
  const merged = new Map<string, EnvVar>()
  for (const variable of layers.flatMap((layer) => layer ?? [])) {
    merged.set(variable.name, over(merged.get(variable.name), variable))
  }
  return [...merged.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function over(lower: EnvVar | undefined, higher: EnvVar): EnvVar {
  if (higher.name !== engineArguments || lower === undefined) return higher
  const [below, above] = [objectIn(lower.value), objectIn(higher.value)]
  if (below === undefined || above === undefined) return higher
  return { name: engineArguments, value: JSON.stringify(sorted(deepMerge(below, above))) }
}

function objectIn(text: string | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return isObject(value) ? value : undefined
  } catch {
    return undefined // then it is replaced as a whole
  }
}

function deepMerge(lower: Record<string, unknown>, higher: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...lower }
  for (const [name, value] of Object.entries(higher)) {
    const below = merged[name]
    merged[name] = isObject(below) && isObject(value) ? deepMerge(below, value) : value
  }
  return merged
}

function sorted(value: unknown): unknown {
  if (!isObject(value)) return value
  const names = Object.keys(value).toSorted()
  return Object.fromEntries(names.map((name) => [name, sorted(value[name])]))
}
