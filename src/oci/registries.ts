import type { Credential } from './credentials.ts'

export interface InspectOptions {
  /** From `readPullSecrets`; those that fit the registry are tried in turn, then nobody's. */
  readonly credentials: readonly Credential[]
  /** Of an index without linux/amd64: the architectures to look for instead, best first, as OCI spells them. */
  readonly architectures?: readonly string[]
  /** Asks the registry whatever is remembered. */
  readonly fresh?: boolean
  readonly signal: AbortSignal
}

export interface InspectedImage {
  /** In canonical form: `docker.io/library/x:latest`. */
  readonly reference: string
  /** Of what the reference names, be it an image or an index. */
  readonly digest: string
  /** Of what the reference names. */
  readonly mediaType: string
  /** As `os/architecture[/variant]`: of the image that was looked at. */
  readonly platform: string
  /** Of the image's configuration; empty when it has none. */
  readonly labels: Readonly<Record<string, string>>
}

/** Registries as one place to ask. Every call is bounded in time, size and number at once; all reject with a `Fault`. */
export interface Registries extends AsyncDisposable {
  /** The labels of an image. Asked for the same at the same time, or again soon, the registry is asked once. */
  inspect(image: string, options: InspectOptions): Promise<InspectedImage>
}

export interface RegistrySettings {
  /** As registries.conf has them; the longest prefix that fits a reference decides. */
  readonly rules?: readonly RegistryRule[]
  /** `host[:port]` of registries that speak no TLS. This machine's own addresses need no mention. */
  readonly plainHttp?: readonly string[]
  /** PEM; trusted besides the usual authorities. */
  readonly certificateAuthorities?: string
}

export interface RegistryRule {
  /** `registry[/path]`, in canonical form. */
  readonly prefix: string
  /** What the prefix is replaced by; itself when absent. */
  readonly location?: string
  /** Asked before the location, in this order. */
  readonly mirrors?: readonly string[]
}
