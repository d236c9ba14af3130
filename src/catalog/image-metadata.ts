/** What the labels of an image say of it, as the status of models has it. Pure. */
import type { ImageMetadata } from '#api/aim-fields.ts'
import { groups } from '#api/labels.ts'
import { readDeployments } from './deployments-label.ts'

export interface ReadLabels {
  /** `model` and `oci` are always there: that an image was looked at shows. */
  readonly metadata: ImageMetadata
  /** Why its recommended deployments cannot be read; all else was. Undefined when they were, or when there are none. */
  readonly malformed: string | undefined
  /** A sentence for each deployment that was left out. */
  readonly ignored: readonly string[]
}

/** The families of labels in use, the one that counts most first, and how each spells its keys. */
const families = [
  { prefix: `${groups.aim}/`, spelling: 'documented' },
  { prefix: 'com.amd.aim.', spelling: 'earlier' },
  { prefix: 'org.amd.silogen.', spelling: 'earlier' },
] as const

/** Below a prefix, in each spelling, the better first. */
const keys = {
  canonicalName: {
    documented: ['model.name', 'model.canonical-name', 'model.canonicalName'],
    earlier: ['model.canonicalName'],
  },
  family: same('model.family'),
  source: same('model.source'),
  title: same('title'),
  descriptionFull: same('description.full'),
  releaseNotes: { documented: ['release.notes', 'release-notes'], earlier: ['release.notes'] },
  tags: same('model.tags'),
  versions: same('model.versions'),
  variants: same('model.variants'),
  hfTokenRequired: { documented: ['hf-token.required', 'hfToken.required'], earlier: ['hfToken.required'] },
  recommendedDeployments: {
    documented: ['model.recommended-deployments', 'model.recommendedDeployments'],
    earlier: ['model.recommendedDeployments', 'model.deployments'],
  },
} as const
type Key = keyof typeof keys

/** The label that an image ought to recommend deployments by. */
export const deploymentsLabel = `${groups.aim}/${keys.recommendedDeployments.documented[0]}`

/** Field → its label after `org.opencontainers.image.` and, of images older than that, after `org.label-schema.`. */
const ociKeys = {
  title: 'name',
  description: 'description',
  licenses: undefined,
  vendor: 'vendor',
  authors: undefined,
  source: 'vcs-url',
  documentation: 'url',
  created: 'build-date',
  revision: 'vcs-ref',
  version: 'version',
} as const

/** So that a status is never too large to be stored, whatever an image brings along. */
const longestText = 16 << 10
const mostItems = 100
const originalLabelsBytes = 128 << 10

export function readImageMetadata(labels: Readonly<Record<string, string>>): ReadLabels {
  const deployments = labelled(labels, 'recommendedDeployments')
  const read = deployments === undefined ? undefined : readDeployments(deployments.value)
  const recommended = read?.deployments ?? []
  const metadata = {
    model: withoutAbsent({
      ...texts(labels),
      ...lists(labels),
      hfTokenRequired: booleanOf(labelled(labels, 'hfTokenRequired')?.value),
      recommendedDeployments: recommended.length > 0 ? recommended : undefined,
    }),
    oci: ociMetadata(labels),
    originalLabels: boundedLabels(labels),
  }
  const malformed = read?.malformed === undefined ? undefined : `label ${deployments?.label}: ${read.malformed}`
  return { metadata, malformed, ignored: read?.ignored ?? [] }
}

function same<K extends string>(key: K) {
  return { documented: [key], earlier: [key] } as const
}

/** The first that says something. */
function labelled(labels: Readonly<Record<string, string>>, key: Key): { label: string; value: string } | undefined {
  for (const { prefix, spelling } of families) {
    for (const name of keys[key][spelling]) {
      const label = `${prefix}${name}`
      const value = textAt(labels, label)
      if (value !== undefined) return { label, value }
    }
  }
  return undefined
}

function textAt(labels: Readonly<Record<string, string>>, label: string): string | undefined {
  const value = Object.hasOwn(labels, label) ? labels[label]?.trim() : undefined
  return value === '' ? undefined : value
}

function texts(labels: Readonly<Record<string, string>>) {
  const text = (key: Key) => bounded(labelled(labels, key)?.value)
  return {
    canonicalName: text('canonicalName'),
    family: text('family'),
    source: text('source'),
    title: text('title'),
    descriptionFull: text('descriptionFull'),
    releaseNotes: text('releaseNotes'),
  }
}

function lists(labels: Readonly<Record<string, string>>) {
  const list = (key: Key) => listOf(labelled(labels, key)?.value)
  return { tags: list('tags'), versions: list('versions'), variants: list('variants') }
}

function listOf(text: string | undefined): string[] | undefined {
  const items =
    bounded(text)
      ?.split(',')
      .map((item) => item.trim()) ?? []
  const found = items.filter((item) => item !== '').slice(0, mostItems)
  return found.length > 0 ? found : undefined
}

/** The words of Go's `strconv.ParseBool`, as the images were made for them. */
function booleanOf(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined
  if (['1', 't', 'T', 'TRUE', 'true', 'True'].includes(text)) return true
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(text) ? false : undefined
}

function ociMetadata(labels: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(ociKeys).map(([field, older]) => {
    const value = textAt(labels, `org.opencontainers.image.${field}`)
    return [field, bounded(value ?? (older && textAt(labels, `org.label-schema.${older}`)))] as const
  })
  return Object.fromEntries(entries.filter((entry): entry is [keyof typeof ociKeys, string] => entry[1] !== undefined))
}

function bounded(text: string | undefined): string | undefined {
  return text === undefined || text.length <= longestText ? text : `${text.slice(0, longestText)}…`
}

/** All of them as they are, or with the largest told by their size alone. */
function boundedLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  const sizes = Object.entries(labels).map(([label, value]) => ({ label, value, bytes: Buffer.byteLength(value) }))
  let total = sizes.reduce((sum, { label, bytes }) => sum + Buffer.byteLength(label) + bytes, 0)
  const kept = new Map(Object.entries(labels))
  for (const { label, bytes } of sizes.toSorted((a, b) => b.bytes - a.bytes)) {
    if (total <= originalLabelsBytes) break
    const note = `<truncated ${bytes} bytes>`
    if (bytes > note.length) {
      kept.set(label, note)
      total += note.length - bytes
    } else {
      // Nothing but keys is left to save by.
      kept.delete(label)
      total -= Buffer.byteLength(label) + bytes
    }
  }
  return Object.fromEntries(kept)
}

function withoutAbsent<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>
  }
}
