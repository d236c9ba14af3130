/** What an administrator says of registries, as containers' registries.conf does: where images come from instead. */
export interface RegistrySettings {
  /** The longest prefix that fits an image decides. */
  readonly rules?: readonly RegistryRule[]
  /** PEM; trusted besides the usual authorities. */
  readonly certificateAuthorities?: string
  readonly proxy?: ProxySettings
}

export interface RegistryRule {
  /** `registry[/path]`, in canonical form: `docker.io/library`, `ghcr.io`. */
  readonly prefix: string
  /**
   * `[http://|https://]registry[/path]`: what stands for the prefix in requests; itself when absent. Naming the prefix
   * itself with `http://` is how a registry without TLS is allowed. Without a scheme: TLS, but for this machine's own.
   */
  readonly location?: string
  /** Of the same form; asked before the location, in this order. What one of them cannot give, the next is asked for. */
  readonly mirrors?: readonly string[]
}

/** As the environment variables of these names are written; empty or absent for none. */
export interface ProxySettings {
  readonly http?: string | undefined
  readonly https?: string | undefined
  readonly no?: string | undefined
}
