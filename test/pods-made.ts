import { Pod } from '#api/core/kinds.ts'
import type { Tools } from './tools.ts'

export interface PodsMade extends Disposable {
  /** Every pod that was made since, by uid; waits until those that are there now have been seen. */
  count(): Promise<number>
}

/** Follows the pods of all namespaces from now on, whoever makes them and whether or not they last. */
export async function podsMadeFromNow(tools: Tools): Promise<PodsMade> {
  const stop = new AbortController()
  const { items, metadata } = await tools.client.list(Pod)
  const before = new Set(items.map(({ metadata: { uid } }) => uid))
  const uids = new Set<string | undefined>()
  const follow = async (): Promise<void> => {
    const query = { resourceVersion: metadata.resourceVersion ?? '' }
    for await (const { type, object } of tools.client.watch(Pod, query, stop.signal))
      if (type === 'ADDED') uids.add(object.metadata.uid)
  }
  const following = follow().catch((error: unknown) => {
    if (!stop.signal.aborted) throw error
  })
  return {
    async count() {
      const there = await tools.list(Pod)
      const isSeen = ({ metadata: { uid } }: Pod): boolean => before.has(uid) || uids.has(uid)
      await Promise.race([following, tools.until('all pods to be seen', () => there.every(isSeen))])
      return uids.size
    },
    [Symbol.dispose]: () => stop.abort(),
  }
}
