/** What the cases of an installation have in common. */
import { join } from 'node:path'
import type { AnyResource } from '#machinery/meta.ts'
import { modelServing } from '../builders.ts'
import { type Kubectl, linesOf } from '../conformance/kubectl.ts'
import { root } from '../install/objects.ts'

export const config = (folder: string): string => join(root, 'config', folder)

export const systemNamespace = 'fairlead-system'

/** Waits until the cluster serves our kinds. */
export async function established({ ok }: Kubectl): Promise<void> {
  await ok(`wait --for=condition=Established --timeout=30s -f ${config('crd')}`)
}

/** A namespace goes when all in it has gone, which a busy cluster takes its time for. */
export async function gone({ run }: Kubectl, what: string): Promise<void> {
  for (let tries = 0; (await run(`wait --for=delete ${what} --timeout=20s`)).code !== 0; tries++)
    if (tries === 5) throw new Error(`${what} would not go`)
}

/** Each object with its version, one a line. */
export async function versions({ ok }: Kubectl, what: string): Promise<string[]> {
  const each = String.raw`{.kind} {.metadata.name} {.metadata.resourceVersion}{"\n"}`
  return linesOf(await ok(['get', ...what.split(' '), '-o', `jsonpath={range .items[*]}${each}{end}`]))
}

/** In the namespace of whoever makes it. */
export function serving(name: string): AnyResource {
  const { metadata: _, ...rest } = modelServing(name)
  return { ...rest, metadata: { name } }
}
