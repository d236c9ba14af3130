/** A registry for tests, and images to push to it. */

export interface TestImage {
  readonly labels?: Readonly<Record<string, string>>
}

export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:port`: the first part of references to its images. */
  readonly host: string
  /** Every request that was answered, such as `GET /v2/amd/x/manifests/1`, oldest first. */
  readonly requests: readonly string[]
  /** Pushes `repository:tag`, such as `amd/x:1`; returns its digest. A tag that is there moves. */
  push(name: string, image: TestImage): Promise<string>
  /** `data` of a `kubernetes.io/dockerconfigjson` secret for this registry. */
  dockerConfig(user: string, password: string): Record<string, string>
}

export interface TestRegistryOptions {
  /** How clients prove who they are; nobody must by default. */
  readonly auth?: 'none' | 'basic' | 'token'
  /** User → password; `{ alice: 'secret' }` by default. */
  readonly users?: Readonly<Record<string, string>>
}

export function startRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  throw new Error(`not yet: ${JSON.stringify(options)}`)
}
