/**
 * Names of everything that a ModelServing `chat` consists of. Neither a group nor a role replica is an object of
 * its own: they exist as the pods and services whose names and labels say so.
 *
 *     chat ── group chat-0 ── role replica decode-1 ── pods chat-0-decode-1-0 (entry), chat-0-decode-1-1 (worker)
 */

/** One of the pods of a role replica; index 0 is the entry pod. */
export interface PodPosition {
  readonly group: number
  readonly role: string
  readonly replica: number
  readonly index: number
}

export const groupName = (serving: string, group: number): string => `${serving}-${group}`

/** Unique only within its group. */
export const replicaName = (role: string, replica: number): string => `${role}-${replica}`

export const podName = (serving: string, { group, role, replica, index }: PodPosition): string =>
  `${serving}-${group}-${role}-${replica}-${index}`

/** The headless service of a role replica has the name of its entry pod. */
export const serviceName = (serving: string, position: Omit<PodPosition, 'index'>): string =>
  podName(serving, { ...position, index: 0 })

/** Where a pod or service of `serving` belongs by its name; `undefined` when the name is not one of ours. */
export function positionOf(serving: string, name: string): PodPosition | undefined {
  if (!name.startsWith(`${serving}-`)) return undefined
  const match = /^(\d+)-(.+)-(\d+)-(\d+)$/.exec(name.slice(serving.length + 1))
  if (match === null) return undefined
  const [, group = '', role = '', replica = '', index = ''] = match
  return { group: Number(group), role, replica: Number(replica), index: Number(index) }
}

/** The smallest `count` numbers from 0 that are not taken. */
export function freeOrdinals(taken: ReadonlySet<number>, count: number): number[] {
  const free: number[] = []
  for (let ordinal = 0; free.length < count; ordinal++) if (!taken.has(ordinal)) free.push(ordinal)
  return free
}
