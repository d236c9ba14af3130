/** Secrets, ConfigMaps and accounts that an object names, of which only the metadata is read here. */
import { ConfigMap, Secret, ServiceAccount } from '#api/core/kinds.ts'
import type { EnvVar, LocalObjectReference } from '#api/core/types.generated.ts'
import type { Reader } from '#controller/domain.ts'
import { type Kind, metadataOf } from '#machinery/kind.ts'

/** Constants, so that all who watch them share one cache. */
export const secretNames: Kind = metadataOf(Secret)
export const configMapNames: Kind = metadataOf(ConfigMap)

export interface Reference {
  readonly kind: 'Secret' | 'ConfigMap'
  readonly name: string
  /** What names it, for messages. */
  readonly by: string
}

/** Those that must be there for the containers to start. */
export function envReferences(env: readonly EnvVar[] = []): Reference[] {
  return env.flatMap(({ name: variable, valueFrom }): Reference[] => {
    const { secretKeyRef, configMapKeyRef } = valueFrom ?? {}
    const by = `env ${variable}`
    if (secretKeyRef?.name !== undefined && secretKeyRef.optional !== true)
      return [{ kind: 'Secret', name: secretKeyRef.name, by }]
    if (configMapKeyRef?.name !== undefined && configMapKeyRef.optional !== true)
      return [{ kind: 'ConfigMap', name: configMapKeyRef.name, by }]
    return []
  })
}

export function secretReferences(secrets: readonly LocalObjectReference[] = []): Reference[] {
  return secrets.flatMap(({ name = '' }) => (name === '' ? [] : [{ kind: 'Secret', name, by: 'imagePullSecrets' }]))
}

const kinds: Record<Reference['kind'], Kind> = { Secret: secretNames, ConfigMap: configMapNames }

export function missingOf(references: readonly Reference[], namespace: string, read: Reader): Reference[] {
  return references.filter(({ kind, name }) => read.get(kinds[kind], { namespace, name }) === undefined)
}

export function missingMessage({ kind, name, by }: Reference, namespace: string): string {
  return `${kind} ${name} of ${by} is not in namespace ${namespace}; create it there`
}

/** The secrets whose credentials are used: those that are named, then those of the account, as far as they are there. */
export function pullSecretNames(
  named: readonly LocalObjectReference[],
  account: { readonly namespace: string; readonly name: string },
  read: Reader,
): string[] {
  const attached = read.get(ServiceAccount, account)?.imagePullSecrets ?? []
  const there = (name: string) => read.get(secretNames, { namespace: account.namespace, name }) !== undefined
  const names = [...named, ...attached].map(({ name = '' }) => name).filter((name) => name !== '')
  return [...new Set(names)].filter(there)
}

/** Changes whenever one of the secrets does. */
export function secretVersions(names: readonly string[], namespace: string, read: Reader): string[] {
  return names.map((name) => {
    const { uid, resourceVersion } = read.get(secretNames, { namespace, name })?.metadata ?? {}
    return `${namespace}/${name} ${uid} ${resourceVersion}`
  })
}
