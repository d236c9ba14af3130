import type { Plan, Step, Why } from '#controller/domain.ts'
import type { JsonPatchOperation } from '#kube/client.ts'
import { keyOf } from '#machinery/kind.ts'
import { decide, type Decision, type MemberDecision, type Verdict } from './decide.ts'
import { explain } from './explain.ts'
import { type Measured, type Observed, wakeTickMs } from './observe.ts'
import type { ReplicasField } from './members.ts'

/** What was measured, decided. The same for the plan and for the status, since it is pure. */
export function verdictOn(observed: Measured, nowMs: number): Verdict {
  return decide({ ...observed, nowMs })
}

/** Each number that changes, once; roles of one serving together, so that their ratio is never half there. */
export function plan(observed: Observed, nowMs: number): Plan {
  if (observed.kind === 'idle') return { stages: [] }
  if (observed.kind === 'not-due') return { stages: [], recheckAfterMs: observed.waitMs }
  if (observed.kind === 'refused') return { stages: [], recheckAfterMs: observed.tickMs }
  const { decisions } = verdictOn(observed, nowMs)
  const changes = decisions.flatMap((decision) =>
    decision.members
      .filter(({ current, desired }) => current !== desired)
      .map((member) => ({ decision, member, field: observed.fields[member.name] })),
  )
  const scaled = changes.flatMap(({ decision, member, field }): Step[] =>
    field?.kind === 'scale'
      ? [{ do: 'scale', ref: field.ref, from: member.current, to: member.desired, why: whyOf(decision, member) }]
      : [],
  )
  const roles = changes.flatMap(({ field, ...change }) => (field?.kind === 'role' ? [{ ...change, field }] : []))
  const patches = [...Map.groupBy(roles, ({ field }) => keyOf(field.ref)).values()].map(rolesStep)
  const asleep = decisions.some(({ members }) => members.some(({ desired }) => desired === 0))
  return {
    stages: [[...scaled, ...patches]],
    recheckAfterMs: asleep ? Math.min(wakeTickMs, observed.nextInMs) : observed.nextInMs,
  }
}

const scalingReasons = { up: 'ScaledUp', down: 'ScaledDown' } as const

function whyOf(decision: Decision, { name, current, desired }: MemberDecision): Why {
  return {
    reason: desired > current ? scalingReasons.up : scalingReasons.down,
    note: `${name} from ${current} to ${desired}: ${explain(decision)}`,
  }
}

interface RoleChange {
  readonly decision: Decision
  readonly member: MemberDecision
  readonly field: Extract<ReplicasField, { kind: 'role' }>
}

function rolesStep(changes: readonly [RoleChange, ...RoleChange[]] | readonly RoleChange[]): Step {
  const [first] = changes
  if (first === undefined) throw new Error('a group without members')
  const whys = changes.map(({ decision, member }) => whyOf(decision, member))
  const [why = { reason: scalingReasons.up, note: '' }] = whys
  return {
    do: 'patch',
    ref: first.field.ref,
    patch: changes.flatMap(roleOperations),
    why: { reason: why.reason, note: whys.map(({ note }) => note).join('; ') },
  }
}

/** Nothing happens when the roles have moved in their list, or somebody else has changed the number. */
function roleOperations({ member, field: { index, role, given } }: RoleChange): JsonPatchOperation[] {
  const path = `/spec/template/roles/${index}`
  return [
    { op: 'test', path: `${path}/name`, value: role },
    ...(given ? [{ op: 'test', path: `${path}/replicas`, value: member.current } as const] : []),
    { op: 'add', path: `${path}/replicas`, value: member.desired },
  ]
}
