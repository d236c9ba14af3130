/** What children say that does not keep a model from serving, and yet is not what was asked for. */
import type { Condition } from '#machinery/meta.ts'
import type { Child } from './settle.ts'

/** Conditions that say so, each with the status that is bad. */
const shortcomings: readonly (readonly [type: string, bad: Condition['status']])[] = [
  ['Conflicted', 'True'],
  ['Accepted', 'False'],
  ['GangUnavailable', 'True'],
]

/** All of them in one message, under the reason of the first. */
export function shortcomingOf(children: readonly Child[]): Pick<Condition, 'reason' | 'message'> | undefined {
  const told = children.flatMap((child) =>
    shortcomings.flatMap(([type, bad]) => {
      const found = toldOf(child).find((condition) => condition.type === type && condition.status === bad)
      const name = `${child.kind.kind} ${child.desired.metadata.name}`
      return found === undefined ? [] : [{ reason: found.reason, message: `${name}: ${found.message}` }]
    }),
  )
  const [first] = told
  return first && { reason: first.reason, message: told.map(({ message }) => message).join('; ') }
}

/** Of its present form: what is told of one that is being put right is over by then. */
function toldOf({ live, state }: Child): readonly Condition[] {
  const { conditions = [] } = (live as { status?: { conditions?: Condition[] } } | undefined)?.status ?? {}
  const { generation = 0 } = live?.metadata ?? {}
  return state === 'current' ? conditions.filter(({ observedGeneration = 0 }) => observedGeneration >= generation) : []
}
