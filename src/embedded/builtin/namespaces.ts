import { Namespace } from '#api/core/kinds.ts'
import { isFault } from '#base/fault.ts'
import { createRunner, type PassResult, type Runner } from '#controller/runner.ts'
import { faultOf, isNotServed } from '#kube/create-client.ts'
import type { Kind } from '#machinery/kind.ts'
import type { KindSet } from './kind-set.ts'
import type { BuiltinRuntime } from './builtin-runtime.ts'

/** Held back only by what does not tell us when it goes. */
const recheckAfterMs = 2_000

/** Empties each namespace that is being deleted, kind by kind, and lets it go once nothing is left in it. */
export function startNamespaceController({ client, informers, clock, log }: BuiltinRuntime, kinds: KindSet): Runner {
  const runner = createRunner({
    clock,
    log: log.with({ controller: 'namespaces' }),
    workers: 2,
    run: ({ key, signal }) => empty(key, signal),
  })
  const namespaces = informers.of(Namespace)
  const isTerminating = (name: string) => namespaces.get({ name })?.metadata.deletionTimestamp !== undefined

  namespaces.subscribe({
    upsert({ metadata: { name = '', deletionTimestamp } }) {
      if (deletionTimestamp !== undefined) runner.add(name, { reason: 'deleted' })
    },
    remove() {},
  })
  kinds.subscribe((kind) => {
    if (!kind.namespaced) return
    informers.of(kind).subscribe({
      upsert() {},
      remove({ metadata: { namespace = '' } }) {
        if (isTerminating(namespace)) runner.add(namespace, { reason: `${kind.kind} gone` })
      },
    })
  })

  async function empty(name: string, signal: AbortSignal): Promise<PassResult | void> {
    const namespace = namespaces.get({ name })
    if (namespace === undefined || !isTerminating(name)) return
    const left = await Promise.all(
      kinds
        .all()
        .filter((kind) => kind.namespaced)
        .map((kind) => emptyOf(kind, name, signal)),
    )
    if (left.some((count) => count > 0)) return { recheckAfterMs }
    const finalizers = namespace.spec?.finalizers?.filter((finalizer) => finalizer !== 'kubernetes') ?? []
    const finalized = { ...namespace, spec: { ...namespace.spec, finalizers } }
    const response = await client.raw(`/api/v1/namespaces/${encodeURIComponent(name)}/finalize`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(finalized),
      signal,
    })
    if (!response.ok && response.status !== 404) throw await faultOf(response)
    await response.body?.cancel()
  }

  /** Resolves to how many objects were there. Asks the server, not the cache: none may be forgotten. */
  async function emptyOf(kind: Kind, namespace: string, signal: AbortSignal): Promise<number> {
    const { items } = await client.list(kind, { namespace }, { signal }).catch(noneServed)
    for (const { metadata } of items) {
      const { name = '', uid, deletionTimestamp } = metadata
      if (deletionTimestamp !== undefined || uid === undefined) continue
      try {
        await client.delete(kind, { namespace, name }, { uid, propagationPolicy: 'Background', signal })
      } catch (error) {
        if (!isFault(error, 'missing') && !isFault(error, 'conflict')) throw error // it went meanwhile
      }
    }
    return items.length
  }

  return runner
}

/** A definition that is gone took its objects along. */
function noneServed(error: unknown): { items: [] } {
  if (!isNotServed(error)) throw error
  return { items: [] }
}
