import type { Client } from '#kube/client.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import type { Applier } from './apply.ts'
import type { PassWrites } from './expectations.ts'

export interface StatusRequest {
  readonly kind: Kind
  /** As it was read for the plan. */
  readonly object: Resource
  /** The whole status that this controller tells. */
  readonly status: unknown
  readonly writes: PassWrites
  readonly signal: AbortSignal
}

/**
 * One server-side apply to `/status`, or none when the object says the same already. What other controllers tell in
 * the same status (a condition of theirs) stays; what we told before and no longer do goes.
 * The uid keeps it from landing on an object that has taken the name since.
 */
export async function writeStatus(
  client: Client,
  applier: Applier,
  manager: string,
  { kind, object, status, writes, signal }: StatusRequest,
): Promise<boolean> {
  const { name, namespace, uid } = object.metadata
  const desired = {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name, namespace, uid },
    status,
  } as AnyResource
  if (!applier.mustWrite(kind, object, desired, 'status')) return false
  const written = await client.apply(kind, desired, {
    fieldManager: manager,
    force: true,
    subresource: 'status',
    signal,
  })
  writes.landed(written, object)
  applier.settle(written, desired, 'status')
  return written.metadata.resourceVersion !== object.metadata.resourceVersion
}
