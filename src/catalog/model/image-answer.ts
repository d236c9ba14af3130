import type { ImageMetadata } from '#api/aim-fields.ts'
import type { Fault } from '#base/fault.ts'

/** What a registry said of an image, and when. */
export interface ImageAnswer {
  readonly atMs: number
  readonly result: { readonly ok: true; readonly image: ImageFacts } | { readonly ok: false; readonly fault: Fault }
}

export interface ImageFacts {
  readonly digest: string
  readonly mediaType: string
  readonly platform: string
  readonly metadata: ImageMetadata
  /** Why the recommended deployments could not be read; the rest of the metadata holds. */
  readonly malformed: string | undefined
  /** A sentence for each recommended deployment that could not be read. */
  readonly ignored: readonly string[]
  /** Secrets that hold no registry credentials. */
  readonly unsupportedSecrets: readonly string[]
}
