import { Node } from '#api/core/kinds.ts'
import { Fault, isFault } from '#base/fault.ts'
import type { Reader } from '#controller/domain.ts'
import type { Client } from '#kube/client.ts'
import type { Registries } from '#oci/registries.ts'
import { readImageMetadata } from '../image-metadata.ts'
import { fetchPullSecrets } from '../pull-secrets.ts'
import type { ReadImage } from './inspector.ts'

export interface ImageSources {
  readonly client: Client
  readonly registries: Registries
  readonly read: Reader
}

/** Reads an image with the credentials of its pull secrets; they are fetched for this and not kept. */
export function imageReader({ client, registries, read }: ImageSources): ReadImage {
  return async ({ image, pullSecrets, namespace, fresh }, signal) => {
    const { credentials, unsupported } = await fetchPullSecrets(client, { names: pullSecrets, namespace }, signal)
    const architectures = architecturesOf(read.list(Node))
    const options = { credentials, architectures, fresh, signal }
    const inspected = await registries.inspect(image, options).catch((error: unknown) => {
      throw withSecretTypes(error, unsupported)
    })
    const { metadata, malformed, ignored } = readImageMetadata(inspected.labels)
    return {
      digest: inspected.digest,
      mediaType: inspected.mediaType,
      platform: inspected.platform,
      metadata,
      malformed,
      ignored,
      unsupportedSecrets: unsupported,
    }
  }
}

/** Who is refused is told of the secrets that were of no use. */
function withSecretTypes(error: unknown, unsupported: readonly string[]): unknown {
  if (!isFault(error, 'denied') || unsupported.length === 0) return error
  const { kind, code, message } = error
  const hint = `${unsupported.join(', ')} is no Secret of the type kubernetes.io/dockerconfigjson`
  return new Fault(kind, code, `${message}; ${hint}`, { cause: error })
}

/** Of the nodes that are ready, the most frequent first. */
function architecturesOf(nodes: readonly Node[]): string[] {
  const ready = nodes.filter(({ status }) =>
    status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'),
  )
  const counts = Map.groupBy(ready, ({ metadata }) => metadata.labels?.['kubernetes.io/arch'] ?? '')
  return [...counts]
    .filter(([architecture]) => architecture !== '')
    .toSorted(([, a], [, b]) => b.length - a.length)
    .map(([architecture]) => architecture)
}
