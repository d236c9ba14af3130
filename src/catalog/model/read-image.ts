import { Node } from '#api/core/kinds.ts'
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
    const inspected = await registries.inspect(image, { credentials, architectures, fresh, signal })
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
