import type { Log } from '#base/log.ts'
import { type Kind, resourceName } from '#machinery/kind.ts'

/** What brings our definitions to a cluster. */
const install = 'kubectl apply --server-side -k config/crd'

/** That the API server does not have a kind, and what to do about it. */
export function missingNote(kind: Kind): string {
  const remedy = kind.builtin ? 'this Kubernetes is too old or too bare' : `${install} brings its definition`
  return `the API server does not have the kind ${kind.kind} (${resourceName(kind)}): ${remedy}`
}

/** Tells once when a kind is missed, and once when it comes. */
export function tellServed(log: Log): (kind: Kind, isServed: boolean) => void {
  return (kind, isServed) => {
    const facts = { kind: kind.kind, definition: resourceName(kind) }
    if (isServed) log.info('kind served', facts)
    else log.warn('kind missing', { ...facts, note: missingNote(kind) })
  }
}
