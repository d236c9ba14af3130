/** The objects behind a target: how many instances are asked for, which pods answer, which ModelServers lead to them. */
import { type Pod, Pod as PodKind } from '#api/core/kinds.ts'
import type { Dialect } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import { selectorOf } from '#api/model-server-selector.ts'
import type { ModelServing } from '#api/model-serving.ts'
import type { Reader } from '#controller/domain.ts'
import { keyOf, placeOf, type Ref } from '#machinery/kind.ts'
import { labelRequirements, type Labels, matchesLabels, type Requirement } from '#machinery/selector.ts'
import { parseLabelSelector } from '#machinery/selector-parse.ts'
import { named } from './normalise.ts'
import type { Member, MetricSource } from './scaling-target.ts'
import type { ScaleReader } from './scale-reader.ts'

export interface MemberState {
  readonly member: Member
  /** Where the number is written. */
  readonly write: ReplicasField
  readonly current: number
  readonly podsEach: number
  readonly pods: readonly Pod[]
  /** `namespace/name` of the ModelServers that send requests to its pods. */
  readonly servers: readonly string[]
}

export type ReplicasField =
  | { readonly kind: 'scale'; readonly ref: Ref }
  /** The replicas of the role at this place of the list; whether the number is written out. */
  | { readonly kind: 'role'; readonly ref: Ref; readonly index: number; readonly role: string; readonly given: boolean }

export interface MemberProblem {
  readonly reason: 'TargetNotFound' | 'TargetForbidden' | 'RoleNotFound' | 'AmbiguousRole' | 'NotScalable'
  readonly message: string
}

/** What the policy is written in, and where its objects are found. */
interface Surroundings {
  readonly dialect: Dialect
  readonly namespace: string
  readonly read: Reader
}

export async function memberState(
  member: Member,
  {
    scales,
    signal,
    ...around
  }: Surroundings & {
    readonly scales: ScaleReader
    readonly signal: AbortSignal
  },
): Promise<MemberState | MemberProblem> {
  const { dialect, namespace, read } = around
  if (member.ref.kind === dialect.servingKind) return servingState(member, around)
  const scale = await scales.read(member.ref, namespace, signal)
  if ('reason' in scale) return scale
  const requirements = scale.selector === undefined ? undefined : parseLabelSelector(scale.selector)
  const labels = Object.fromEntries(
    (requirements ?? []).flatMap(({ key, operator, values }) =>
      operator === 'In' && values.length === 1 ? [[key, values[0] ?? '']] : [],
    ),
  )
  return {
    member,
    write: { kind: 'scale', ref: scale.ref },
    current: scale.replicas,
    podsEach: 1,
    pods:
      requirements === undefined || requirements.length === 0
        ? []
        : read.list(PodKind, { namespace }).filter(({ metadata }) => matchesLabels(requirements, metadata.labels)),
    servers: serversFor([labels], around),
  }
}

function servingState(member: Member, around: Surroundings): MemberState | MemberProblem {
  const { dialect, namespace, read } = around
  const { podLabels } = dialect
  const kind = kindsOf(dialect).serving
  const serving = read.get(kind, { namespace, name: member.ref.name })
  if (serving === undefined || serving.metadata.deletionTimestamp !== undefined) {
    return { reason: 'TargetNotFound', message: `there is no ${kind.kind} ${member.ref.name} in ${namespace}` }
  }
  const ref = { kind, ...placeOf(serving) }
  const { replicas: groups, template } = serving.spec
  const index = template.roles.findIndex(({ name }) => name === member.role)
  if (member.role !== undefined && index === -1) {
    const roles = template.roles.map(({ name }) => name).join(', ')
    return {
      reason: 'RoleNotFound',
      message: `${kind.kind} ${member.ref.name} has no role ${member.role}; it has ${roles}`,
    }
  }
  const role = template.roles[index]
  const asked = role === undefined ? rolesAsked(serving, member, dialect) : [role]
  if (asked.length > 1) {
    const roles = asked.map(({ name }) => name).join(' and ')
    const message = `the metrics of ${named(member)} could be those of ${roles}; name one by the label ${podLabels.role}`
    return { reason: 'AmbiguousRole', message }
  }
  const [answering] = asked
  const labels: Record<string, string> = { [podLabels.name]: member.ref.name, [podLabels.entry]: 'true' }
  if (answering !== undefined) labels[podLabels.role] = answering.name
  const current = role === undefined ? groups : (role.replicas ?? 1)
  return {
    member,
    write:
      role === undefined
        ? { kind: 'scale', ref }
        : { kind: 'role', ref, index, role: role.name, given: role.replicas !== undefined },
    current,
    podsEach: Math.max(1, role === undefined ? (answering?.replicas ?? 1) : groups),
    pods: read.list(PodKind, { namespace, labels }),
    servers: serversFor(
      (role === undefined ? template.roles : [role]).map((each) => entryLabels(serving, each, dialect)),
      around,
    ),
  }
}

type Role = ModelServing['spec']['template']['roles'][number]

/** The roles whose pods the metrics of a whole serving would be read from. */
function rolesAsked(serving: ModelServing, { metrics }: Member, dialect: Dialect): readonly Role[] {
  const sources = metrics.flatMap(({ source }) => (source?.kind === 'pod' ? [source] : []))
  const roles = serving.spec.template.roles.filter(({ replicas }) => replicas > 0)
  if (sources.length === 0) return roles.slice(0, 1)
  return roles.filter((role) => sources.some((source) => takes(source, entryLabels(serving, role, dialect), dialect)))
}

/** Labels of the entry pod of a role, as far as they are the same for all groups. */
function entryLabels(serving: ModelServing, role: Role, { podLabels }: Dialect): Labels {
  return {
    ...role.entryTemplate.metadata?.labels,
    [podLabels.name]: serving.metadata.name ?? '',
    [podLabels.role]: role.name,
    [podLabels.entry]: 'true',
  }
}

/** Labels that differ from group to group: no selector over all of them is decided by one. */
const varying = ['groupName', 'roleId', 'revision', 'roleTemplateHash'] as const

type PodSource = Extract<MetricSource, { kind: 'pod' }>

function takes({ selector }: PodSource, labels: Labels, dialect: Dialect): boolean {
  return matchesLabels(steady(selector, dialect), labels)
}

const steady = (requirements: readonly Requirement[], { podLabels }: Dialect): Requirement[] =>
  requirements.filter(({ key }) => !varying.some((each) => podLabels[each] === key))

/** By the labels that pods will have: at zero there are none to look at. */
function serversFor(all: readonly Labels[], { dialect, namespace, read }: Surroundings): readonly string[] {
  return read
    .list(kindsOf(dialect).server, { namespace })
    .filter((server) => {
      const wanted = selectorOf(server)
      const requirements = steady(labelRequirements({ matchLabels: wanted }), dialect)
      return Object.keys(wanted).length > 0 && all.some((labels) => matchesLabels(requirements, labels))
    })
    .map((server) => keyOf(placeOf(server)))
}
