import { timestamp } from '#base/clock.ts'
import { isObject } from '#base/json.ts'
import { applyJsonPatch } from '#machinery/json-patch.ts'
import { applyServerSide } from '#machinery/managed-fields.ts'
import { applyMergePatch } from '#machinery/merge-patch.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { badRequest, conflict, invalid, notFound } from '#machinery/status.ts'
import { applyStrategicMergePatch } from '#machinery/strategic-merge.ts'
import type { Call, Context } from './context.ts'
import { type Body, type Decoded, decodeJson, decodeYaml, textOf } from './decode.ts'
import type { Answer } from './encode.ts'
import { unsupportedBody } from './failures.ts'
import type { ServedKind } from './served-kind.ts'
import { keyIn, servedObject } from './stored-object.ts'
import { checkPreconditions, create, current, objectFor, replace, type WriteOptions } from './write.ts'

const applyType = 'application/apply-patch+yaml'
const strategicType = 'application/strategic-merge-patch+json'
const patches = ['application/json-patch+json', 'application/merge-patch+json', applyType]

/** Decodes a patch of a type that the kind takes. Faults: 400, 415. */
export async function decodePatch(served: ServedKind, body: Body): Promise<Decoded> {
  const { mediaType } = body
  const supported = served.kind.builtin ? [...patches, strategicType] : patches
  if (!supported.includes(mediaType)) throw unsupportedBody(mediaType, supported)
  const text = textOf(body)
  return mediaType === applyType ? decodeYaml(text) : decodeJson(text, mediaType !== 'application/json-patch+json')
}

/** Applies a patch to a document by its media type; server-side apply has a way of its own. */
export function patched(mediaType: string, document: unknown, patch: unknown, served: ServedKind): unknown {
  switch (mediaType) {
    case 'application/json-patch+json':
      return applyJsonPatch(document, patch)
    case strategicType:
      return applyStrategicMergePatch(document, patch, served.kind.schema())
    default:
      return applyMergePatch(document, patch)
  }
}

/** Resolves to the answer and whether the object was made by it. */
export async function patch(
  context: Context,
  call: Call,
  mediaType: string,
  decoded: Decoded,
  options: WriteOptions,
): Promise<{ readonly answer: Answer; readonly created: boolean }> {
  if (mediaType === applyType) return apply(context, call, decoded, options)
  if (call.query.get('force') !== null) refuseForce()
  const before = current(context, call)
  const result = patched(mediaType, before.object, decoded.value, call.target.served)
  const proposed = objectFor(call, result)
  const answer = await replace(context, call, before, { proposed, problems: decoded.problems }, options)
  return { answer, created: false }
}

function refuseForce(): never {
  throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
    { field: 'force', type: 'FieldValueForbidden', detail: 'may not be specified for non-apply patch' },
  ])
}

/** @see https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
async function apply(context: Context, call: Call, decoded: Decoded, options: WriteOptions) {
  const { served, namespace, name, subresource } = call.target
  if ((call.query.get('fieldManager') ?? '') === '') {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [
      { field: 'fieldManager', type: 'FieldValueRequired', detail: 'is required for apply patch' },
    ])
  }
  const { value, problems } = decoded
  if (!isObject(value)) throw badRequest('the body is no object')
  for (const member of ['apiVersion', 'kind']) {
    if (typeof value[member] !== 'string') throw badRequest(`an applied configuration must have ${member}`)
  }
  const applied = objectFor(call, value)
  const key = keyIn(served, namespace, name)
  const entry = context.store.latest(key)
  const live = entry === undefined ? undefined : servedObject(entry, served)
  const object = applyServerSide({
    live,
    applied,
    schema: served.kind.schema(),
    manager: options.manager,
    force: call.query.get('force') === 'true',
    apiVersion: served.apiVersion,
    now: timestamp(context.clock.now()),
    hasStatus: served.kind.status,
    ...(subresource === '' ? {} : { subresource }),
  }) as AnyResource
  const { uid, resourceVersion: _, ...metadata } = object.metadata
  const proposed = { ...object, metadata }
  if (entry !== undefined && live !== undefined) {
    checkPreconditions(served, live, applied.metadata)
    const answer = await replace(context, call, { entry, object: live }, { proposed, problems, applied: true }, options)
    return { answer, created: false }
  }
  if (subresource !== '') throw notFound(served.kind, name)
  if (uid)
    throw conflict(
      served.kind,
      name,
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    )
  const answer = await create(context, call, { object: proposed, problems, applied: true }, options)
  return { answer, created: true }
}
