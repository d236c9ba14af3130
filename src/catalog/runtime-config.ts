/** The defaults that apply to an object: those of its namespace over those of the cluster, member by member. */
import type { ResolvedReference } from '#api/aim-fields.ts'
import { AIMClusterRuntimeConfig, AIMRuntimeConfig, type AIMRuntimeConfigSpec } from '#api/aim-runtime-config.ts'
import type { LocalObjectReference } from '#api/core/types.generated.ts'
import { groups } from '#api/labels.ts'
import { matchesGlob } from '#base/wildcard.ts'
import type { Reader } from '#controller/domain.ts'
import { mergeEnv } from './environment.ts'
import type { Component } from './rollup.ts'

export const defaultConfig = 'default'

export interface RuntimeConfig {
  readonly name: string
  readonly spec: AIMRuntimeConfigSpec
  readonly reference: ResolvedReference | undefined
  /** Neither the namespace nor the cluster has it, and it was asked for by name. */
  readonly missing: boolean
}

/** Cluster-scoped objects, which have no namespace, go by the cluster's alone. */
export function resolveRuntimeConfig(
  read: Reader,
  { name = '', namespace }: { readonly name?: string | undefined; readonly namespace?: string | undefined },
): RuntimeConfig {
  const wanted = name === '' ? defaultConfig : name
  const own = namespace === undefined ? undefined : read.get(AIMRuntimeConfig, { namespace, name: wanted })
  const shared = read.get(AIMClusterRuntimeConfig, { name: wanted })
  const found = own ?? shared
  const scope = own === undefined ? 'Cluster' : shared === undefined ? 'Namespace' : 'Merged'
  return {
    name: wanted,
    spec: mergeConfigs(shared?.spec ?? {}, own?.spec ?? {}),
    reference: found && referenceTo(found, scope),
    missing: found === undefined && wanted !== defaultConfig,
  }
}

function referenceTo(
  { kind, metadata: { name, namespace, uid } }: AIMRuntimeConfig,
  scope: ResolvedReference['scope'],
): ResolvedReference {
  return { name, ...(namespace !== undefined && { namespace }), scope, kind, uid }
}

export function configComponent({ name, reference, missing }: RuntimeConfig): Component {
  const type = 'RuntimeConfigReady'
  if (missing) {
    const message = `there is no runtime config ${name}, neither in the namespace nor of the cluster; create it, or take it out of runtimeConfigName`
    return { type, state: 'Failed', reason: 'ConfigNotFound', message }
  }
  if (reference === undefined) {
    const message = 'there is no runtime config default, so the built-in defaults hold'
    return { type, state: 'Ready', reason: 'DefaultConfigNotFound', message }
  }
  return { type, state: 'Ready', reason: 'ConfigFound', message: `runtime config ${name} applies (${reference.scope})` }
}

/** What is present in `own` wins, be it false, zero or empty; neither argument is changed. */
export function mergeConfigs(shared: AIMRuntimeConfigSpec, own: AIMRuntimeConfigSpec): AIMRuntimeConfigSpec {
  const [lower, higher] = [canonicalConfig(shared), canonicalConfig(own)]
  const routing = { ...lower.routing, ...higher.routing }
  const annotations = { ...lower.routing?.annotations, ...higher.routing?.annotations }
  const env = mergeEnv(lower.env, higher.env)
  const pullSecrets = unionByName(higher.imagePullSecrets, lower.imagePullSecrets)
  return {
    ...lower,
    ...higher,
    storage: { ...lower.storage, ...higher.storage },
    routing: { ...routing, ...(Object.keys(annotations).length > 0 && { annotations }) },
    model: { ...lower.model, ...higher.model },
    labelPropagation: { ...lower.labelPropagation, ...higher.labelPropagation },
    env,
    imagePullSecrets: pullSecrets,
  }
}

/** Members in their present places. */
function canonicalConfig(spec: AIMRuntimeConfigSpec): AIMRuntimeConfigSpec {
  const { defaultStorageClassName, pvcHeadroomPercent, ...rest } = spec
  const moved = {
    ...(defaultStorageClassName !== undefined && { defaultStorageClassName }),
    ...(pvcHeadroomPercent !== undefined && { pvcHeadroomPercent }),
  }
  return { ...rest, storage: { ...moved, ...rest.storage } }
}

/** In order; the first of a name stays. */
export function unionByName(
  ...lists: readonly (readonly LocalObjectReference[] | undefined)[]
): LocalObjectReference[] {
  const named = lists.flatMap((list) => list ?? []).filter(({ name }) => name !== undefined && name !== '')
  return named.filter(({ name }, i) => named.findIndex((each) => each.name === name) === i)
}

/** Those labels of a parent that its children get: the catalog's own always, others where the config says so. */
export function propagatedLabels(
  labels: Readonly<Record<string, string>> = {},
  { labelPropagation }: AIMRuntimeConfigSpec,
): Record<string, string> {
  const patterns = labelPropagation?.enabled === true ? (labelPropagation.match ?? []) : []
  const chosen = Object.entries(labels).filter(
    ([key]) => key.startsWith(ownPrefix) || patterns.some((pattern) => matchesGlob(pattern, key)),
  )
  return Object.fromEntries(chosen)
}

const ownPrefix = `${groups.aim}/`
