/**
 * From the states of an object's parts to its own: a condition for each part, `Ready` over them, and a word.
 *
 *     anything wrong with credentials, spec or references  →  Failed
 *     otherwise                                            →  the worst part
 */
import type { AimStatus } from '#api/aim-fields.ts'
import { setCondition } from '#machinery/conditions.ts'
import type { Condition } from '#machinery/meta.ts'

/** One part of an object, told by the condition of its type. */
export interface Component {
  readonly type: string
  readonly state: AimStatus
  readonly reason: string
  readonly message: string
}

/** What is wrong, by whose fault it is; `infra` is nobody's, and may pass. */
export interface Problem {
  readonly category: 'auth' | 'invalid' | 'reference' | 'infra'
  readonly message: string
}

export type Telling = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

export interface Parts {
  readonly components: readonly Component[]
  readonly problems: readonly Problem[]
  /** Conditions that say more about a part but do not count. */
  readonly further?: readonly Telling[]
  /** Of these kinds of problems nothing is known now: what was told of them stays. */
  readonly undecided?: readonly Problem['category'][]
}

export interface Before {
  readonly conditions: readonly Condition[] | undefined
  readonly generation: number
  readonly nowMs: number
}

export interface Rollup {
  readonly status: AimStatus
  readonly conditions: Condition[]
}

/** From the worst. */
const order: readonly AimStatus[] = ['Failed', 'NotAvailable', 'Degraded', 'Pending', 'Progressing', 'Ready']
const troubled: ReadonlySet<AimStatus> = new Set(['Failed', 'NotAvailable', 'Degraded'])

function worst(states: readonly AimStatus[]): AimStatus {
  return order.find((state) => states.includes(state)) ?? 'Ready'
}

/** Categories that decide alone, the gravest first, with the reason of `Ready`. */
const deciding = [
  ['auth', 'AuthError'],
  ['invalid', 'InvalidSpec'],
  ['reference', 'ReferenceNotFound'],
] as const

/** Conditions that no longer belong to a part go; those about problems stay once they were told. */
export function rollUp({ components, problems, further = [], undecided = [] }: Parts, before: Before): Rollup {
  const { status, reason, message } = verdict(components, problems)
  const tellings: Telling[] = [
    { type: 'Ready', status: status === 'Ready' ? 'True' : 'False', reason, message },
    ...components.map(conditionOf),
    ...further,
    ...problemConditions(problems, before.conditions, undecided),
  ]
  return { status, conditions: dated(tellings, before) }
}

function verdict(
  components: readonly Component[],
  problems: readonly Problem[],
): { readonly status: AimStatus; readonly reason: string; readonly message: string } {
  for (const [category, reason] of deciding) {
    const of = problems.filter((problem) => problem.category === category)
    if (of.length > 0) return { status: 'Failed', reason, message: messagesOf(of) }
  }
  const status = worst(components.map(({ state }) => state))
  if (status === 'Ready') return { status, reason: 'AllComponentsReady', message: 'all is ready' }
  const infra = problems.filter(({ category }) => category === 'infra')
  if (infra.length > 0) return { status, reason: 'InfrastructureError', message: messagesOf(infra) }
  const part = components.find(({ state }) => state === status)
  return {
    status,
    reason: troubled.has(status) ? (part?.reason ?? status) : 'Progressing',
    message: part?.message ?? '',
  }
}

function conditionOf({ type, state, reason, message }: Component): Telling {
  return { type, status: state === 'Ready' ? 'True' : 'False', reason, message }
}

const lazy = [
  { type: 'AuthValid', categories: ['auth'], well: 'AuthenticationValid', message: 'credentials are accepted' },
  {
    type: 'ConfigValid',
    categories: ['invalid', 'reference'],
    well: 'ConfigurationValid',
    message: 'all that is named is there',
  },
  { type: 'DependenciesReachable', categories: ['infra'], well: 'Reachable', message: 'all that is needed answers' },
] as const
const reasons = {
  auth: 'AuthError',
  invalid: 'InvalidSpec',
  reference: 'ReferenceNotFound',
  infra: 'InfrastructureError',
}

function problemConditions(
  problems: readonly Problem[],
  former: readonly Condition[] | undefined,
  undecided: readonly Problem['category'][],
): Telling[] {
  return lazy.flatMap(({ type, categories, well, message }): Telling[] => {
    const own = problems.filter(({ category }) => categories.some((each) => each === category))
    const [first] = own.toSorted((a, b) => a.category.localeCompare(b.category))
    if (first !== undefined)
      return [{ type, status: 'False', reason: reasons[first.category], message: messagesOf(own) }]
    const known = former?.find((condition) => condition.type === type)
    if (known === undefined) return []
    const stays = categories.some((each) => undecided.includes(each))
    return [stays ? known : { type, status: 'True', reason: well, message }]
  })
}

function messagesOf(problems: readonly Problem[]): string {
  return [...new Set(problems.map(({ message }) => message))].join('; ')
}

/** In the order told. A time moves only when a status flips. */
export function dated(tellings: readonly Telling[], { conditions, generation, nowMs }: Before): Condition[] {
  return tellings.map((telling) => {
    const next = { ...telling, observedGeneration: generation }
    const former = conditions?.filter(({ type }) => type === telling.type)
    return setCondition(former, next, nowMs)[0] as Condition // it was just put there
  })
}
