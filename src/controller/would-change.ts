import { isFault } from '#base/fault.ts'
import { equalJson, isObject } from '#base/json.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import { applyServerSide } from '#machinery/managed-fields.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'

export interface WouldChangeOptions {
  readonly manager: string
  readonly subresource?: 'status' | undefined
}

/**
 * Whether a forced apply of `desired` by `manager` would change `live`, as the API server would work it out: drift, a
 * field that we no longer want and one that somebody took from us show; what others own beside us does not.
 * A server that fills in more than its schema says makes this say true where nothing would change, never the reverse.
 */
export function wouldChange(
  kind: Kind,
  live: Resource,
  desired: AnyResource,
  { manager, subresource }: WouldChangeOptions,
): boolean {
  if (lacks(live, desired)) return true
  try {
    const applied = afterApply(kind, live, desired, { manager, subresource })
    return applied !== live && !equalJson(timeless(applied), timeless(live))
  } catch (error) {
    if (isFault(error)) return true // the server says better than we what is wrong with it
    throw error
  }
}

/**
 * What a forced apply of `desired` by `manager` makes of `live`, or of nothing, as the API server would work it out but
 * for what only a server can give. `live` itself where nothing changes.
 * @throws Fault as `applyServerSide`
 */
export function afterApply(
  kind: Kind,
  live: Resource | undefined,
  desired: AnyResource,
  { manager, subresource }: WouldChangeOptions,
): Resource {
  const schema = kind.schema()
  const applied = applyServerSide({
    live,
    applied: desired,
    schema,
    manager,
    force: true,
    subresource,
    apiVersion: apiVersionOf(kind),
    now: '',
    hasStatus: kind.status,
  })
  return applied === live ? live : compileSchema(schema).default(applied)
}

/**
 * Whether `live` is for certain without a value of `desired`, which spares the closer look. An item counts as there
 * wherever in its list it is, and nulls do not count: what they come to depends on the schema.
 */
function lacks(live: unknown, desired: unknown): boolean {
  if (desired === undefined || desired === null) return false
  if (Array.isArray(desired)) {
    return !Array.isArray(live) || desired.some((item) => live.every((each) => lacks(each, item)))
  }
  if (!isObject(desired)) return live !== desired
  return !isObject(live) || Object.keys(desired).some((name) => lacks(live[name], desired[name]))
}

/** Without the times of managedFields, which move with every write that changes anything. */
function timeless(object: Resource): Resource {
  const managedFields = object.metadata.managedFields?.map(({ time: _, ...entry }) => entry)
  return { ...object, metadata: { ...object.metadata, ...(managedFields && { managedFields }) } }
}
