/** From an image's name to its labels: manifest, the one for our platform where there are several, its configuration. */
import { hash } from 'node:crypto'
import { Fault } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import { nonsense } from './failure.ts'
import { registryFaults } from './faults.ts'
import type { Answer } from './http.ts'
import {
  acceptedManifests,
  chooseImage,
  decodeManifest,
  type Descriptor,
  type IndexEntry,
  type Manifest,
  parseObject,
  platformOf,
  unsupported,
} from './manifest.ts'
import type { Session } from './session.ts'

export interface Inspection {
  readonly repository: string
  /** A tag or a digest. */
  readonly version: string
  readonly architectures: readonly string[]
  /** What is known of an image by its digest. */
  readonly known: (digest: string) => ImageFacts | undefined
}

/** As true as long as there is the digest they go by. */
export interface ImageFacts {
  readonly platform: string
  readonly labels: Readonly<Record<string, string>>
}

export interface Inspected extends ImageFacts {
  readonly digest: string
  readonly mediaType: string
}

const manifestLimitBytes = 4 << 20
const configLimitBytes = 8 << 20
const deepestIndex = 3

/** Rejects with a `Fault` that says what is wrong, not with which image. */
export async function inspect(session: Session, inspection: Inspection): Promise<Inspected> {
  const { version, known } = inspection
  const top = await fetchManifest(session, inspection, version)
  const facts = known(top.digest) ?? (await factsOf(session, inspection, top.manifest))
  return { ...facts, digest: top.digest, mediaType: top.manifest.mediaType }
}

async function factsOf(session: Session, inspection: Inspection, top: Manifest): Promise<ImageFacts> {
  let manifest = top
  let entry: IndexEntry | undefined
  for (let depth = 0; manifest.form === 'index'; depth++) {
    if (depth === deepestIndex) throw unsupported(`its index holds indexes more than ${deepestIndex} deep`)
    entry = chosen(manifest.entries, inspection.architectures)
    manifest = (await fetchManifest(session, inspection, entry.digest)).manifest
  }
  const config = parseObject(await fetchConfig(session, inspection, manifest.config))
  if (config === undefined) throw unsupported('its configuration is no JSON object')
  return { platform: entry === undefined ? configuredPlatform(config) : platformOf(entry), labels: labelsIn(config) }
}

function chosen(entries: readonly IndexEntry[], architectures: readonly string[]): IndexEntry {
  const entry = chooseImage(entries, architectures)
  if (entry !== undefined) return entry
  const offered = entries.map(platformOf).filter((platform) => platform !== 'unknown/unknown')
  const list = [...new Set(offered)].slice(0, 10).join(', ')
  throw new Fault('invalid', registryFaults.noPlatform, `it has no image for Linux, only for: ${list || 'none'}`)
}

async function fetchManifest(session: Session, { repository }: Inspection, version: string) {
  const answer = await session.get(`/v2/${repository}/manifests/${version}`, {
    accept: acceptedManifests,
    limitBytes: manifestLimitBytes,
  })
  if (version.includes(':') && !isDigestOf(version, answer.body)) throw nonsense(answer.url, notItsDigest)
  const manifest = decodeManifest(answer.body, contentType(answer))
  if (manifest === undefined) throw nonsense(answer.url, 'a manifest that is no JSON object')
  return { digest: version.includes(':') ? version : `sha256:${hash('sha256', answer.body)}`, manifest }
}

async function fetchConfig(session: Session, { repository }: Inspection, config: Descriptor): Promise<Buffer> {
  if (config.data !== undefined) {
    const body = Buffer.from(config.data, 'base64')
    if (isDigestOf(config.digest, body)) return body
  }
  const answer = await session.get(`/v2/${repository}/blobs/${config.digest}`, { limitBytes: configLimitBytes })
  if (!isDigestOf(config.digest, answer.body)) throw nonsense(answer.url, notItsDigest)
  return answer.body
}

const notItsDigest = 'something else than its digest says'

function isDigestOf(digest: string, body: Buffer): boolean {
  const [algorithm = '', value] = digest.split(':')
  return hash(algorithm, body) === value
}

function contentType({ headers }: Answer): string | undefined {
  return headers['content-type']
}

function configuredPlatform({ os, architecture, variant }: Record<string, unknown>): string {
  const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined)
  return platformOf({
    os: textOf(os) ?? 'linux',
    architecture: textOf(architecture) ?? 'amd64',
    variant: textOf(variant),
  })
}

/** None is no fault: an image need not have any. */
function labelsIn({ config }: Record<string, unknown>): Record<string, string> {
  const labels = isObject(config) && isObject(config['Labels']) ? config['Labels'] : {}
  return Object.fromEntries(
    Object.entries(labels).filter((each): each is [string, string] => typeof each[1] === 'string'),
  )
}
