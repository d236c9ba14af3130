import type { Outcome } from '#controller/domain.ts'
import { failureText, graveFailures } from '#controller/failures.ts'
import type { Component } from './rollup.ts'

/** One part for all that could not be written, told with its failures; none where there are none. */
export function writeFailures(outcome: Outcome, { type, reason }: Pick<Component, 'type' | 'reason'>): Component[] {
  const failures = graveFailures(outcome)
  if (failures.length === 0) return []
  return [{ type, state: 'Degraded', reason, message: failures.map(failureText).join('; ') }]
}
