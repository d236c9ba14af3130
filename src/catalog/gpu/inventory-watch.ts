import { Node } from '#api/core/kinds.ts'
import type { Watch } from '#controller/controller.ts'
import type { Reader } from '#controller/domain.ts'
import { inventoryKey, inventoryOf } from './inventory.ts'

/** Nodes tell of themselves all the time; only a change of what GPUs there are wakes anybody. */
export function inventoryWatch(keysOf: (read: Reader) => readonly string[]): Watch {
  let known: string | undefined
  return {
    kind: Node,
    keysOf(_node, read) {
      const now = inventoryKey(inventoryOf(read.list(Node)))
      if (now === known) return []
      known = now
      return keysOf(read)
    },
  }
}
