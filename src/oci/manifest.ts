/** Manifests and indexes, in OCI's form and in Docker's. Pure. */
import { Fault } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import { registryFaults } from './faults.ts'

export interface Descriptor {
  readonly digest: string
  /** Its content itself, in base64, where that came along. */
  readonly data: string | undefined
}

export interface IndexEntry extends Descriptor {
  readonly os: string
  readonly architecture: string
  readonly variant: string | undefined
  /** Says something of another entry: a signature, a bill of materials. */
  readonly isAttestation: boolean
}

export type Manifest =
  | { readonly form: 'index'; readonly mediaType: string; readonly entries: readonly IndexEntry[] }
  | { readonly form: 'image'; readonly mediaType: string; readonly config: Descriptor }

const indexTypes: readonly string[] = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
]
const imageTypes: readonly string[] = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]
export const acceptedManifests = [...indexTypes, ...imageTypes].join(', ')

/**
 * Reads one by the type it was sent as, or by its own word where that says nothing. Undefined for what is no JSON
 * object; throws `UnsupportedImage` for one of a kind that we don't read.
 */
export function decodeManifest(body: Buffer, sentAs: string | undefined): Manifest | undefined {
  const document = parseObject(body)
  if (document === undefined) return undefined
  const mediaType = typeOf(document, sentAs)
  if (indexTypes.includes(mediaType)) {
    const entries: unknown = document['manifests']
    return { form: 'index', mediaType, entries: Array.isArray(entries) ? entries.flatMap(readEntry) : [] }
  }
  const config = imageTypes.includes(mediaType) ? readDescriptor(document['config']) : undefined
  if (config === undefined) throw unsupported(`it is of the type "${mediaType.slice(0, 100)}", which holds no image`)
  return { form: 'image', mediaType, config }
}

/**
 * The image to look at: linux/amd64, else of the first of `architectures` that there is, else any for Linux. Labels are
 * the same on all platforms, but for builds that went wrong. Undefined when there is none.
 */
export function chooseImage(entries: readonly IndexEntry[], architectures: readonly string[]): IndexEntry | undefined {
  const images = entries.filter(({ os, isAttestation }) => os === 'linux' && !isAttestation)
  const wanted = ['amd64', ...architectures]
  const found = wanted.map((each) => images.find(({ architecture }) => architecture === each))
  return found.find((each) => each !== undefined) ?? images[0]
}

export function platformOf({ os, architecture, variant }: Pick<IndexEntry, 'os' | 'architecture' | 'variant'>): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join('/')
}

export function unsupported(why: string): Fault {
  return new Fault('invalid', registryFaults.unsupported, why)
}

export function parseObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const document: unknown = JSON.parse(body.toString())
    return isObject(document) ? document : undefined
  } catch {
    return undefined
  }
}

/** Some registries send everything as JSON or as bytes. */
function typeOf(document: Record<string, unknown>, sentAs: string | undefined): string {
  const sent = sentAs?.split(';')[0]?.trim() ?? ''
  const saysNothing = sent === '' || ['application/json', 'application/octet-stream', 'text/plain'].includes(sent)
  if (!saysNothing) return sent
  const own = document['mediaType']
  if (typeof own === 'string') return own
  // OCI lets both leave their type out.
  const [index = '', image = ''] = [indexTypes[0], imageTypes[0]]
  if (Array.isArray(document['manifests'])) return index
  return isObject(document['config']) ? image : sent
}

/** Those of OCI's registry of algorithms that anybody uses. */
const digestForm = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

function readDescriptor(value: unknown): Descriptor | undefined {
  if (!isObject(value) || typeof value['digest'] !== 'string' || !digestForm.test(value['digest'])) return undefined
  return { digest: value['digest'], data: textOf(value['data']) }
}

/** What does not say its platform was built before there was another. */
function readEntry(value: unknown): IndexEntry[] {
  const descriptor = readDescriptor(value)
  if (descriptor === undefined || !isObject(value)) return []
  const platform = isObject(value['platform']) ? value['platform'] : {}
  const annotations = isObject(value['annotations']) ? value['annotations'] : {}
  return [
    {
      ...descriptor,
      os: textOf(platform['os']) ?? 'linux',
      architecture: textOf(platform['architecture']) ?? 'amd64',
      variant: textOf(platform['variant']),
      isAttestation: annotations['vnd.docker.reference.type'] === 'attestation-manifest',
    },
  ]
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
