import { isFault, messageOf } from '#base/fault.ts'
import type { Outcome, StepFailure } from './domain.ts'

/** Those that a status tells. That somebody wrote first is none: the next pass is on its way. A name that is taken stays so. */
export function graveFailures({ failures }: Pick<Outcome, 'failures'>): readonly StepFailure[] {
  return failures.filter(({ error }) => !isFault(error, 'conflict') || error.code === 'NameConflict')
}

/** `ModelServing chat: …` */
export function failureText({ step, error }: StepFailure): string {
  const { kind, name } = 'ref' in step ? step.ref : { kind: step.kind, name: step.object.metadata.name }
  return `${kind.kind} ${name}: ${messageOf(error)}`
}
