import { Secret } from '#api/core/kinds.ts'
import type { Client } from '#kube/client.ts'
import { type ReadSecrets, readPullSecrets } from '#oci/credentials.ts'

/** Credentials of secrets, fetched for one use and never kept in a cache. */
export async function fetchPullSecrets(
  client: Client,
  { names, namespace }: { readonly names: readonly string[]; readonly namespace: string },
  signal: AbortSignal,
): Promise<ReadSecrets> {
  const secrets = await Promise.all(
    names.map(async (name) => {
      const { type, data = {} } = await client.get(Secret, { namespace, name }, { signal })
      return { name, namespace, type, data }
    }),
  )
  return readPullSecrets(secrets)
}
