/** Which pods a ModelServer takes, by their labels: one answer for the router, for its status and for who waits for it. */
import type { ModelServer } from './model-server.ts'

type Labels = Readonly<Record<string, string>>

/** None for what an API server with another schema than ours let through without any. */
export function selectorOf({ spec }: ModelServer): Labels {
  return spec?.workloadSelector?.matchLabels ?? {}
}

export function selectsLabels(server: ModelServer, labels: Labels | undefined): boolean {
  return hasLabels(labels, selectorOf(server))
}

/** A pod with both roles' labels decodes; undefined for a pod that could be neither, or that has no group. */
export function roleOf(
  { spec }: ModelServer,
  labels: Labels | undefined,
): { readonly group: string; readonly decodes: boolean } | undefined {
  const { pdGroup } = spec.workloadSelector
  const group = pdGroup === undefined ? undefined : labels?.[pdGroup.groupKey]
  if (pdGroup === undefined || group === undefined) return undefined
  if (hasLabels(labels, pdGroup.decodeLabels)) return { group, decodes: true }
  return hasLabels(labels, pdGroup.prefillLabels) ? { group, decodes: false } : undefined
}

/** No pairs select nothing: a forgotten selector must not take all pods. */
function hasLabels(labels: Labels | undefined, wanted: Labels | undefined): boolean {
  let some = false
  for (const name in wanted) {
    if (labels?.[name] !== wanted[name]) return false
    some = true
  }
  return some
}
