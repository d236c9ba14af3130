import { timestamp } from '#base/clock.ts'
import { isObject } from '#base/json.ts'
import { applyJsonPatch } from '#machinery/json-patch.ts'
import { applyServerSide } from '#machinery/managed-fields.ts'
import { applyMergePatch } from '#machinery/merge-patch.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { badRequest, conflict, invalid, notFound } from '#machinery/status.ts'
import { applyStrategicMergePatch } from '#machinery/strategic-merge.ts'
import type { Call, Context } from './context.ts'
import { create } from './create.ts'
import { type Body, type Decoded, decodeJson, decodeYaml, textOf } from './decode.ts'
import { type Answer, representationOf } from './encode.ts'
import { unsupportedBody, unsupportedPatch } from './failures.ts'
import { emptyObject, inPlace, readObject, readResult } from './read-object.ts'
import { type WriteOptions, writeOptions } from './request-options.ts'
import type { ServedKind } from './served-kind.ts'
import { keyIn, servedObject } from './stored-object.ts'
import { current, replace } from './write.ts'

const jsonType = 'application/json-patch+json'
const mergeType = 'application/merge-patch+json'
export const applyType = 'application/apply-patch+yaml'
const strategicType = 'application/strategic-merge-patch+json'
const patches = [jsonType, mergeType, applyType]

export interface Patch extends Decoded {
  readonly mediaType: string
  readonly options: WriteOptions
}

/** Decodes a patch of a type that the kind takes. Faults: 400, 406, 415, 422. */
export async function decodePatch(call: Call, body: Body): Promise<Patch> {
  const { served } = call.target
  const { mediaType } = body
  if (mediaType === strategicType && !served.kind.builtin) throw unsupportedBody(patches)
  if (mediaType !== strategicType && !patches.includes(mediaType)) throw unsupportedPatch()
  representationOf(call)
  const options = writeOptions(call, mediaType === applyType)
  const strict = options.fieldValidation !== 'Ignore'
  const decoded =
    mediaType === applyType
      ? await decodeYaml(textOf(body), { strict, refuse: (why) => `error encoding patch: ${why}` })
      : decodeJson(textOf(body), { strict: strict && mediaType !== jsonType, refuse: () => 'invalid JSON patch' })
  const { value } = decoded
  const problems = mediaType === jsonType && strict ? operationProblems(value) : decoded.problems
  const wrong = wrongForm(mediaType, value)
  if (wrong !== undefined) throw badRequest(wrong)
  return { value, problems, mediaType, options }
}

function wrongForm(mediaType: string, value: unknown): string | undefined {
  const found = Array.isArray(value) ? 'array' : isObject(value) ? 'object' : typeof value
  if (mediaType === jsonType) {
    return found === 'array'
      ? undefined
      : `error decoding patch: json: cannot unmarshal ${found} into Go value of type []handlers.jsonPatchOp`
  }
  if (found === 'object' || value === null) return undefined
  const why = `json: cannot unmarshal ${found} into Go value of type map[string]interface {}`
  if (mediaType === applyType) return `error decoding patch: error unmarshaling JSON: while decoding JSON: ${why}`
  return mediaType === mergeType ? `error decoding patch: ${why}` : why
}

const operationMembers = ['op', 'path', 'from', 'value']

function operationProblems(operations: unknown): string[] {
  if (!Array.isArray(operations)) return []
  return operations.flatMap((operation, i) =>
    Object.keys(isObject(operation) ? operation : {})
      .filter((name) => !operationMembers.includes(name))
      .map((name) => `json patch unknown field "[${i}].${name}"`),
  )
}

/** Applies a patch to a document by its media type; server-side apply has a way of its own. */
export function patched({ mediaType, value }: Patch, document: unknown, served: ServedKind): unknown {
  switch (mediaType) {
    case jsonType:
      return applyJsonPatch(document, value)
    case strategicType:
      return applyStrategicMergePatch(document, value ?? {}, served.kind.schema())
    default:
      return applyMergePatch(document, value ?? {})
  }
}

/** A patch whose result cannot be read. Kubernetes quotes the whole result, whatever secrets are in it. */
function unfitResult(why: string): Error {
  return invalid({ group: '', kind: '' }, '', [{ field: 'patch', type: 'FieldValueInvalid', detail: why }])
}

/** Resolves to the answer and whether the object was made by it. */
export async function patch(
  context: Context,
  call: Call,
  body: Body,
): Promise<{ readonly answer: Answer; readonly created: boolean }> {
  const given = await decodePatch(call, body)
  if (given.mediaType === applyType) return apply(context, call, given)
  const { served } = call.target
  const before = current(context, call)
  const { problems, options } = given
  const result = patched(given, before.object, served)
  const proposed = readObject(call, result, { mode: options.fieldValidation, problems, refuse: unfitResult })
  return { answer: await replace(context, call, before, { proposed }, options), created: false }
}

/** @see https://kubernetes.io/docs/reference/using-api/server-side-apply/ */
async function apply(context: Context, call: Call, { value, problems, options }: Patch) {
  const { served, namespace, name, subresource } = call.target
  const applied = configuration(served, value)
  const entry = context.store.latest(keyIn(served, namespace, name))
  const live = entry === undefined ? undefined : servedObject(entry, served)
  const empty = emptyObject(served)
  if (live === undefined && subresource !== '') throw notFound(served.kind, name)
  const object = applyServerSide({
    live,
    empty,
    applied,
    schema: served.kind.schema(),
    manager: options.manager,
    force: ['true', '1'].includes(call.query.get('force') ?? ''),
    apiVersion: served.apiVersion,
    now: timestamp(context.clock.now()),
    hasStatus: served.kind.status,
    ...(subresource === '' ? {} : { subresource }),
  }) as AnyResource
  tellProblems(call, problems, options)
  const uid = applied.metadata?.uid
  if (live === undefined && uid) {
    throw conflict(
      served.kind,
      name,
      `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`,
    )
  }
  if (!object.metadata?.name) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
  }
  const proposed = inPlace(call, object === live ? live : readResult(served, object))
  if (entry === undefined || live === undefined) {
    const { resourceVersion: _, ...metadata } = proposed.metadata
    return {
      answer: await create(context, call, { object: { ...proposed, metadata }, applied: true }, options),
      created: true,
    }
  }
  const answer = await replace(context, call, { entry, object: live }, { proposed, applied: true }, options)
  return { answer, created: false }
}

/** Faults: 400 for an object of another kind. */
function configuration({ kind, apiVersion }: ServedKind, value: unknown): AnyResource {
  const { apiVersion: version = '', kind: name = '' } = isObject(value) ? value : {}
  if (version !== apiVersion || name !== kind.kind) {
    const group = String(version).includes('/') ? String(version) : `/${String(version)}`
    throw badRequest(`invalid object type: ${group}, Kind=${String(name)}`)
  }
  return { ...(value as AnyResource), metadata: (value as AnyResource).metadata ?? {} }
}

function tellProblems(call: Call, problems: readonly string[], { fieldValidation }: WriteOptions): void {
  if (problems.length === 0) return
  const text = `error converting YAML to JSON: ${problems.join(', ')}`
  if (fieldValidation === 'Strict') throw badRequest(`error strict decoding patch: ${text}`)
  if (fieldValidation !== 'Ignore') call.warnings.push(text)
}
