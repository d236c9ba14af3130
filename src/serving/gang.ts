/**
 * Gangs: for each group that asks for it a PodGroup, which has the pods of the group placed all or none, and near to each
 * other. Sizes are those of the group's own template, so that one that is still on a former can be placed again.
 */
import { podRequests, sumOf } from '#api/core/pod-requests.ts'
import type { ModelServing, NetworkTopology } from '#api/model-serving.ts'
import { PodGroup, type PodGroupSpec, volcanoAnnotations } from '#api/volcano.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { formatQuantity, type Quantity } from '#machinery/quantity.ts'
import { podLabelsOf } from './dialect.ts'
import type { GroupRole } from './groups.ts'
import { groupName } from './names.ts'
import { ownerReference } from './render-pod.ts'
import type { RoleTemplate } from './revision.ts'

export const asksForGang = ({ spec: { template } }: ModelServing): boolean =>
  template.gangPolicy !== undefined || template.networkTopology !== undefined

export interface GangPlace {
  readonly serving: ModelServing
  readonly ordinal: number
  readonly roles: readonly GroupRole[]
  readonly templates: readonly RoleTemplate[]
  /** Whether the installed Volcano knows parts of a group. */
  readonly subGroups: boolean
}

export function renderPodGroup({ serving, ordinal, roles, templates, subGroups }: GangPlace): AnyResource {
  const { name = '', namespace = '', annotations } = serving.metadata
  const podLabels = podLabelsOf(serving)
  const least = serving.spec.template.gangPolicy?.minRoleReplicas ?? {}
  const parts = roles.map((role) => ({ ...role, least: Math.min(least[role.name] ?? role.replicas, role.replicas) }))
  const { group, role: byRole } = topologyOf(serving.spec.template.networkTopology)
  const queue = annotations?.[volcanoAnnotations.queueName]
  const spec: PodGroupSpec = {
    minMember: parts.reduce((sum, part) => sum + (1 + part.workerReplicas) * part.least, 0),
    minResources: resourcesOf(parts, templates),
    ...(queue !== undefined && { queue }),
    ...(group !== undefined && { networkTopology: group }),
    ...(subGroups && {
      subGroupPolicy: parts.map((part) => ({
        name: part.name,
        labelSelector: { matchLabels: { [podLabels.name]: name, [podLabels.role]: part.name } },
        matchLabelKeys: [podLabels.roleId],
        subGroupSize: 1 + part.workerReplicas,
        minSubGroups: part.least,
        ...(byRole !== undefined && { networkTopology: byRole }),
      })),
    }),
  }
  const gang = groupName(name, ordinal)
  return {
    apiVersion: apiVersionOf(PodGroup),
    kind: PodGroup.kind,
    metadata: {
      name: gang,
      namespace,
      labels: { [podLabels.name]: name, [podLabels.groupName]: gang },
      annotations: { [volcanoAnnotations.groupName]: gang },
      ownerReferences: [ownerReference(serving)],
    },
    spec,
  }
}

type Policy = NonNullable<NetworkTopology['groupPolicy']>

/** The older form speaks of the group alone. */
export function topologyOf(topology: NetworkTopology | undefined): {
  group: Policy | undefined
  role: Policy | undefined
} {
  const { groupPolicy, rolePolicy, mode, highestTierAllowed } = topology ?? {}
  const older =
    mode === undefined && highestTierAllowed === undefined
      ? undefined
      : { mode: mode ?? 'hard', ...(highestTierAllowed !== undefined && { highestTierAllowed }) }
  return { group: groupPolicy ?? older, role: rolePolicy }
}

type Part = GroupRole & { readonly least: number }

function resourcesOf(parts: readonly Part[], templates: readonly RoleTemplate[]): Record<string, string> {
  let all: Readonly<Record<string, Quantity>> = {}
  for (const { name, least, workerReplicas } of parts) {
    const template = templates.find((each) => each.name === name)
    for (const [pod, count] of [
      [template?.entryTemplate, least],
      [template?.workerTemplate, least * workerReplicas],
    ] as const) {
      if (pod === undefined || count === 0) continue
      all = sumOf(all, times(podRequests(pod.spec), count))
    }
  }
  return Object.fromEntries(Object.entries(all).map(([name, amount]) => [name, formatQuantity(amount)]))
}

function times(amounts: Readonly<Record<string, Quantity>>, count: number): Record<string, Quantity> {
  return Object.fromEntries(
    Object.entries(amounts).map(([name, amount]) => [name, { ...amount, nanos: amount.nanos * BigInt(count) }]),
  )
}
