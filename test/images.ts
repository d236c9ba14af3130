/** Images of labels and nothing else, as registries keep them. */
import { createHash } from 'node:crypto'

export interface TestImage {
  readonly labels?: Readonly<Record<string, string>>
  /** `os/architecture[/variant]`; `linux/amd64` by default. */
  readonly platform?: string
  /** OCI's by default. */
  readonly mediaTypes?: 'oci' | 'docker'
  /** The configuration, byte for byte, instead of one with the labels. */
  readonly config?: string
  /** Makes it an index of these. */
  readonly images?: readonly TestImage[]
  /** Of its entry in an index. */
  readonly annotations?: Readonly<Record<string, string>>
  /** Leaves the platform out of its entry in an index. */
  readonly hidesPlatform?: boolean
  /** Puts the configuration into the manifest, and nowhere else. */
  readonly inlinesConfig?: boolean
}

export interface Blob {
  readonly digest: string
  readonly mediaType: string
  readonly body: Buffer
}

/** What is to be stored, in an order in which a registry takes it: the last of `manifests` is the image itself. */
export interface ImageParts {
  readonly blobs: readonly Blob[]
  readonly manifests: readonly [...Blob[], Blob]
}

export const mediaTypes = {
  oci: {
    index: 'application/vnd.oci.image.index.v1+json',
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
  },
  docker: {
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
  },
} as const

export function imageParts(image: TestImage): ImageParts {
  const types = mediaTypes[image.mediaTypes ?? 'oci']
  if (image.images !== undefined) return indexParts(types.index, image.images)
  const [os = '', architecture = ''] = (image.platform ?? 'linux/amd64').split('/')
  const config = { os, architecture, config: { Labels: image.labels }, rootfs: { type: 'layers', diff_ids: [] } }
  const blob = blobOf(types.config, image.config ?? JSON.stringify(config))
  const inline = image.inlinesConfig === true && { data: blob.body.toString('base64') }
  const manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { ...descriptor(blob), ...inline },
    layers: [],
  }
  return { blobs: inline === false ? [blob] : [], manifests: [blobOf(types.manifest, JSON.stringify(manifest))] }
}

function indexParts(mediaType: string, images: readonly TestImage[]): ImageParts {
  const parts = images.map(imageParts)
  const entries = images.map((image, index) => {
    const last = parts[index]?.manifests.at(-1)
    if (last === undefined) throw new Error('an image without a manifest')
    const [os, architecture, variant] = (image.platform ?? 'linux/amd64').split('/')
    return {
      ...descriptor(last),
      ...(image.hidesPlatform !== true && {
        platform: { os, architecture, ...(variant !== undefined && { variant }) },
      }),
      ...(image.annotations !== undefined && { annotations: image.annotations }),
    }
  })
  const index = blobOf(mediaType, JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }))
  return {
    blobs: parts.flatMap(({ blobs }) => blobs),
    manifests: [...parts.flatMap(({ manifests }) => manifests), index],
  }
}

function descriptor({ mediaType, digest, body }: Blob) {
  return { mediaType, digest, size: body.length }
}

function blobOf(mediaType: string, text: string): Blob {
  const body = Buffer.from(text)
  return { mediaType, body, digest: `sha256:${createHash('sha256').update(body).digest('hex')}` }
}
