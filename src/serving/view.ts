/** One look at a ModelServing, for plan and status alike: its history, its groups, and the moves they call for. */
import type { ModelServing } from '#api/model-serving.ts'
import { type Group, groupsOf, type Memory, type Rules } from './groups.ts'
import { type History, historyOf } from './history.ts'
import { type Move, movesOf, type Wanted } from './moves.ts'
import type { Observed } from './observe.ts'
import { paceOf } from './pace.ts'

export interface View {
  readonly history: History
  readonly groups: readonly Group[]
  readonly wanted: Wanted
  readonly moves: readonly Move[]
  readonly memory: Memory
}

const seen = new WeakMap<Observed, { readonly serving: ModelServing; readonly nowMs: number; readonly view: View }>()

export function viewOf(serving: ModelServing, observed: Observed, nowMs: number): View {
  const known = seen.get(observed)
  if (known?.serving === serving && known.nowMs === nowMs) return known.view
  const view = look(serving, observed, nowMs)
  seen.set(observed, { serving, nowMs, view })
  return view
}

function look(serving: ModelServing, observed: Observed, nowMs: number): View {
  const history = historyOf(serving, observed.revisions)
  const memory = memoryOf(serving)
  const rules = rulesOf(serving, history)
  const groups = groupsOf(observed.facts, memory, rules, nowMs)
  const wanted = wantedBy(serving, groups, rules)
  return { history, memory, groups, wanted, moves: movesOf(groups, wanted) }
}

/** What an API server without our schema may have let through is not looked into. */
export function hasTemplate(serving: ModelServing): boolean {
  const { spec } = serving as { readonly spec?: { readonly template?: { readonly roles?: unknown } } }
  return Array.isArray(spec?.template?.roles)
}

export const graceMsOf = ({ spec }: ModelServing): number => Math.max(0, spec.template.restartGracePeriodSeconds) * 1000

function rulesOf(serving: ModelServing, history: History): Rules {
  const { spec } = serving
  return {
    roles: spec.template.roles,
    recoveryPolicy: spec.recoveryPolicy,
    graceMs: graceMsOf(serving),
    byRole: spec.rolloutStrategy?.type === 'RoleRollingUpdate',
    update: history.update,
    rolesOf: history.rolesOf,
    roleHashOf: history.roleHashOf,
  }
}

function wantedBy(serving: ModelServing, groups: readonly Group[], rules: Rules): Wanted {
  const { spec } = serving
  // Roles without any replica make a group without pods, and of such there are none.
  const replicas = spec.template.roles.some((role) => role.replicas > 0) ? spec.replicas : 0
  const pace = paceOf(spec.rolloutStrategy?.rollingUpdateConfiguration ?? {}, replicas)
  const paused = spec.rolloutStrategy?.paused === true
  return {
    replicas,
    rules,
    pace,
    paused,
    paceOf(name) {
      const role = spec.template.roles.find((each) => each.name === name)
      return paceOf(role ?? {}, role?.replicas ?? 0)
    },
    current: currentRevision(serving.status?.currentRevision, groups, { rules, holds: paused || pace.partition > 0 }),
    served: servedRevision(serving.status?.servedRevision, groups, rules.update),
  }
}

/** The revision that is being left: kept while any group is on it, or ordinals that shall stay on it are to be filled. */
export function currentRevision(
  former: string | undefined,
  groups: readonly Group[],
  { rules, holds }: { readonly rules: Rules; readonly holds: boolean },
): string {
  const present = groups.filter((group) => !group.deleting)
  if (former !== undefined) {
    if (present.some((group) => group.revision === former)) return former
    if (holds && rules.rolesOf(former) !== undefined) return former
  }
  const others = present.map((group) => group.revision).filter((revision) => revision !== undefined)
  return others.find((revision) => revision !== rules.update) ?? rules.update
}

export function servedRevision(
  former: string | undefined,
  groups: readonly Group[],
  update: string,
): string | undefined {
  const serve = groups.filter((group) => group.ready).map((group) => group.revision)
  return serve.includes(update) ? update : (former ?? serve[0])
}

/** The groups to tell of: those there are, and those that have gone and are to be made anew. */
export function toldOf(groups: readonly Group[], { replicas }: Wanted): readonly Group[] {
  const held = groups.filter((group) => !group.gone).length
  return groups.filter((group) => group.replicas.length > 0 && (!group.gone || held < replicas))
}

function memoryOf(serving: ModelServing): Memory {
  const groups = serving.status?.groups ?? []
  return new Map(
    groups.map(({ ordinal, revision, roles }) => [
      ordinal,
      {
        revision,
        replicas: new Map(
          roles.map(({ name, phase, revision: own, incarnation }) => [
            name,
            { phase, revision: own ?? revision, incarnation: incarnation ?? 1 },
          ]),
        ),
      },
    ]),
  )
}
