import { z } from 'zod'
import { configIn } from './config-file.ts'
import type { NodeEntry } from './local-cluster.ts'

const NodesFile = z.strictObject({
  nodes: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        labels: z.record(z.string(), z.string()).exactOptional(),
        capacity: z.record(z.string(), z.union([z.string(), z.number()]).transform(String)).exactOptional(),
      }),
    )
    .min(1),
})

/** The nodes that a file for `--nodes` declares. */
export function nodesIn(file: string): readonly NodeEntry[] {
  return configIn(file, NodesFile, 'InvalidNodes').nodes
}
