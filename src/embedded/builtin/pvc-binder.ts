import { PersistentVolumeClaim } from '#api/core/kinds.ts'
import { createRunner, type Runner } from '#controller/runner.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { BuiltinRuntime } from './builtin-runtime.ts'

/** Says that no PersistentVolume stands behind a bound claim. */
const storageAnnotation = 'fairlead.dev/storage'
const storageNote = 'a directory of the node that runs the pod; no PersistentVolume, and no limit on its size'

/** Calls every claim bound: the node gives each a directory when the first pod asks for it. */
export function startPvcBinder({ client, informers, clock, log }: BuiltinRuntime): Runner {
  const claims = informers.of(PersistentVolumeClaim)
  const runner = createRunner({
    clock,
    log: log.with({ controller: 'pvc-binder' }),
    workers: 1,
    async run({ key, signal }) {
      const [namespace, name = ''] = key.split('/')
      const claim = claims.get({ namespace, name })
      if (claim === undefined || !isWaiting(claim)) return
      const { accessModes = [], resources } = claim.spec ?? {}
      const capacity = resources?.requests ?? {}
      const annotations = { [storageAnnotation]: storageNote }
      await client.patch(
        PersistentVolumeClaim,
        { namespace, name },
        { type: 'merge', patch: { metadata: { annotations } } },
        { signal },
      )
      const status = { phase: 'Bound', accessModes, capacity }
      await client.patch(
        PersistentVolumeClaim,
        { namespace, name },
        { type: 'merge', patch: { status } },
        { subresource: 'status', signal },
      )
    },
  })
  claims.subscribe({
    upsert(claim) {
      if (isWaiting(claim)) runner.add(keyOf(placeOf(claim)), { reason: 'claim appeared' })
    },
    remove() {},
  })
  return runner
}

function isWaiting({ status, metadata }: PersistentVolumeClaim): boolean {
  return status?.phase !== 'Bound' && metadata.deletionTimestamp === undefined
}
