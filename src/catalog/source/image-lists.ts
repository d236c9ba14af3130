import type { Client } from '#kube/client.ts'
import type { Credential } from '#oci/credentials.ts'
import type { Registries } from '#oci/registries.ts'
import { fetchPullSecrets } from '../pull-secrets.ts'
import type { SourceMeans } from './observe.ts'

export interface ListSources {
  readonly client: Client
  readonly registries: Registries
  /** Of the pull secrets. */
  readonly namespace: string
}

/** Lists as registries give them to who has the secrets, which are fetched once for all that is asked in a row. */
export function imageListsFrom({ client, registries, namespace }: ListSources): SourceMeans['listsFor'] {
  return (names) => {
    let fetched: Promise<readonly Credential[]> | undefined
    const credentialsFor = (signal: AbortSignal): Promise<readonly Credential[]> =>
      (fetched ??= fetchPullSecrets(client, { names, namespace }, signal).then(({ credentials }) => credentials))
    return {
      tags: async (repository, signal) =>
        registries.tags(repository, { credentials: await credentialsFor(signal), signal }),
      repositories: async (registry, owner, signal) =>
        registries.repositories(registry, owner, { credentials: await credentialsFor(signal), signal }),
    }
  }
}
