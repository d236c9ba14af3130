/**
 * Names of what the catalog makes. They are those that other operators of this API give, so that an installation can be
 * taken over without twins: sanitised parts, cut to length, and a hash over what the parts may have lost.
 */
import { hash } from 'node:crypto'

/** Field managers, components of events, `managed-by` labels. */
export const controllerNames = {
  model: 'aim-model-controller',
  clusterModel: 'aim-cluster-model-controller',
  template: 'aim-service-template-controller',
  clusterTemplate: 'aim-cluster-service-template-controller',
  service: 'aim-service-controller',
  modelSource: 'aim-cluster-model-source-controller',
  runtimeConfig: 'aim-runtime-config-controller',
  clusterRuntimeConfig: 'aim-cluster-runtime-config-controller',
} as const

/** Longest name of most objects, and longest value of a label. */
const longest = 63

export interface Derivation {
  readonly inputs: readonly string[]
  readonly hashLength?: number
  readonly max?: number
}

/** The parts and the hash of the inputs, joined by dashes, in at most `max` characters. */
export function derivedName(parts: readonly string[], { inputs, hashLength = 8, max = longest }: Derivation): string {
  const suffix = inputHash(inputs).slice(0, hashLength)
  const cut = parts.map(sanitised)
  while ([...cut, suffix].join('-').length > max) {
    const at = cut.reduce((best, part, i) => (part.length > (cut[best]?.length ?? 0) ? i : best), 0)
    const part = cut[at] ?? ''
    if (part.length <= 1) break
    cut[at] = part.slice(0, -1).replace(/-+$/, '')
  }
  return [...cut, suffix].join('-')
}

function sanitised(part: string): string {
  const safe = part.toLowerCase().replaceAll(/[^a-z0-9-]/g, '-')
  const trimmed = safe.replaceAll(/^-+|-+$/g, '').slice(0, longest)
  return trimmed.replace(/-+$/, '') || 'part'
}

/** Over the inputs as Go writes them in JSON, which escapes these three characters. */
function inputHash(inputs: readonly string[]): string {
  const text = inputs.map((input) => JSON.stringify(input).replaceAll(/[<>&]/g, escapeUnicode)).join('|')
  return hash('sha256', text, 'hex')
}

function escapeUnicode(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

const keptOfLongName = 54

/** The name itself, or what stands for one that is too long for a label. */
export function labelOfName(name: string): string {
  if (name.length <= longest) return name
  const kept = name.slice(0, keptOfLongName).replace(/[^a-zA-Z0-9]+$/, '')
  return `${kept}-${hash('sha256', name, 'hex').slice(0, 8)}`
}

/** Any text as the value of a label; empty where nothing is left of it. */
export function labelValue(text: string): string {
  const trim = (value: string) => value.replaceAll(/^[^a-zA-Z0-9]+|[^a-zA-Z0-9]+$/g, '')
  return trim(trim(text.replaceAll(/[^a-zA-Z0-9_.-]+/g, '_')).slice(0, longest))
}
