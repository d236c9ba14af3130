import { PodGroup } from '#api/volcano.ts'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import type { Client } from '#kube/client.ts'
import { discover } from '#kube/discovery.ts'

/** Whether PodGroups can be written: not at all, or with or without parts (`subGroupPolicy`, Volcano 1.14). */
export type Volcano = 'absent' | 'plain' | 'subGroups'

export interface VolcanoFinder {
  /** Throws `unavailable` as long as the server cannot be asked: what is not known is not absent. */
  find(signal: AbortSignal): Promise<Volcano>
}

export const noVolcano: VolcanoFinder = { find: () => Promise.resolve('absent') }

/** It is installed and removed seldom. */
export const lookAgainMs = 5_000

/**
 * Asks the API server which kinds it serves, as anybody may; a right to read definitions is not needed. Passes side by
 * side share the answer.
 */
export function findVolcano(client: Client, clock: Clock): VolcanoFinder {
  let last: { readonly atMs: number; readonly answer: Promise<Volcano> } | undefined
  return {
    find(signal) {
      if (last === undefined || clock.now() - last.atMs >= lookAgainMs) {
        const answer = look(client, signal)
        last = { atMs: clock.now(), answer }
        answer.catch(() => (last = undefined)) // told to who waits; the next one asks anew
      }
      return last.answer
    },
  }
}

async function look(client: Client, signal: AbortSignal): Promise<Volcano> {
  const { group, version } = PodGroup
  const resources = await discover(client, `/apis/${group}/${version}`, signal)
  const names = (resources as { resources?: readonly { name?: string }[] } | undefined)?.resources ?? []
  if (!names.some(({ name }) => name === PodGroup.plural)) return 'absent'
  const schemas = JSON.stringify((await discover(client, `/openapi/v3/apis/${group}/${version}`, signal)) ?? {})
  // A kind is served a moment before it is described.
  if (!schemas.includes(`"${PodGroup.kind}"`))
    throw new Fault('unavailable', 'NotDescribed', 'PodGroups are not described yet')
  return schemas.includes('"subGroupPolicy"') ? 'subGroups' : 'plain'
}
