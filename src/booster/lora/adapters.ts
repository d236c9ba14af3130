/**
 * LoRA adapters that come and go while engines run. The pods' template has the adapters that it had when it last changed
 * for another reason; what an engine has beyond or without those is written on its pod by who told it.
 */
import { isObject } from '#base/json.ts'
import type { Pod } from '#api/core/kinds.ts'
import { loraAnnotations } from '#api/labels.ts'
import { backendEnv, envLiteral, type NormalBackend } from '#api/model-booster-normal.ts'
import type { Resource } from '#machinery/meta.ts'

/** Adapters by name, each with where it is downloaded from. */
export type Adapters = Readonly<Record<string, string>>

/** What is known of the adapters in one engine. */
export interface Loaded {
  /** How often the engine had been restarted: every start begins with those of the template. */
  readonly restarts: number
  readonly adapters: Adapters
  /** What did not work when last tried, by adapter. */
  readonly failed: Readonly<Record<string, string>>
}

/** Whether adapters may be changed without new pods. */
export function isHot(backend: NormalBackend): boolean {
  const allowed = envLiteral(backend, backendEnv.allowRuntimeLora)?.toLowerCase() === 'true'
  return allowed && backend.type === 'vLLM' && backend.runtime.enabled !== false
}

export function adaptersOf({ loras }: Pick<NormalBackend, 'loras'>): Adapters {
  return Object.fromEntries(loras.map(({ name, artifactURL }) => [name, artifactURL]))
}

/** Those that an engine of this template starts with; `undefined` where they do not change while it runs. */
export function templateAdapters(annotations: Readonly<Record<string, string>> | undefined): Adapters | undefined {
  const text = annotations?.[loraAnnotations.template]
  return text === undefined ? undefined : textsIn(parsed(text))
}

export function loadedIn(pod: Pod): Loaded {
  const { annotations } = pod.metadata
  const restarts = engineRestarts(pod)
  const { restarts: of, adapters, failed } = parsed(annotations?.[loraAnnotations.loaded])
  if (of !== restarts) return { restarts, adapters: templateAdapters(annotations) ?? {}, failed: {} }
  return { restarts, adapters: textsIn(adapters), failed: textsIn(failed) }
}

/** Whether a pod's engine takes requests; only then can it be told anything. */
export function isServing({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined || status?.phase !== 'Running') return false
  return status.conditions?.some(({ type, status }) => type === 'ContainersReady' && status === 'True') === true
}

/** Adapters that are not as they should be: missing, of another source, or there still. */
export function differing(wanted: Adapters, present: Adapters): string[] {
  return [...new Set([...Object.keys(present), ...Object.keys(wanted)])].filter(
    (name) => wanted[name] !== present[name],
  )
}

export function isAdapterPod(object: Resource): boolean {
  return object.metadata.annotations?.[loraAnnotations.template] !== undefined
}

function engineRestarts({ status }: Pod): number {
  return status?.containerStatuses?.find(({ name }) => name === 'engine')?.restartCount ?? 0
}

function textsIn(value: unknown): Adapters {
  const entries = Object.entries(isObject(value) ? value : {})
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** Whatever somebody else wrote there counts as nothing. */
function parsed(text: string | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}
