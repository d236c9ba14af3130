import { timestamp } from '#base/clock.ts'
import type { Condition } from './meta.ts'

/** What Kubernetes allows. Where another project's definition of a kind checks it, more would have the whole status refused. */
const longestMessage = 32_768

/**
 * A list with this condition in it. `lastTransitionTime` moves only when
 * `status` flips. Other conditions stay as and where they are: each has its own owner.
 */
export function setCondition(
  conditions: readonly Condition[] | undefined,
  condition: Omit<Condition, 'lastTransitionTime'>,
  nowMs: number,
): Condition[] {
  const list = conditions ?? []
  const at = list.findIndex((one) => one.type === condition.type)
  const former = list[at]
  const lastTransitionTime = former?.status === condition.status ? former.lastTransitionTime : timestamp(nowMs)
  const next: Condition = { ...condition, message: condition.message.slice(0, longestMessage), lastTransitionTime }
  if (former === undefined) return [...list, next]
  return list.with(at, next)
}

export function findCondition(conditions: readonly Condition[] | undefined, type: string): Condition | undefined {
  return conditions?.find((condition) => condition.type === type)
}

export function isConditionTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True'
}
