import type { AnyResource } from '#machinery/meta.ts'
import { badRequest, detailsOf, notFound } from '#machinery/status.ts'
import type { Call, Context } from './context.ts'
import { type Decoded, decodeObject, readBody } from './decode.ts'
import { deleteOptions, remove, removeAll, warnOfOrphans } from './delete.ts'
import { create } from './create.ts'
import { type Answer, answerOf, encodeList, encodeObject, json, representationOf } from './encode.ts'
import { failedUidPrecondition, methodNotAllowed, methodNotSupported, noSuchResource } from './failures.ts'
import { listOptions } from './list-options.ts'
import { decodePatch, patch } from './patch.ts'
import { readObject } from './read-object.ts'
import { type WriteOptions, writeOptions } from './request-options.ts'
import { get, list } from './read.ts'
import { answerReview } from './review.ts'
import { keyIn } from './stored-object.ts'
import { verbsOf } from './served-kind.ts'
import { bind, evict, logs, scaleOf, writeScale } from './subresources.ts'
import { watch } from './watch.ts'
import { current, replace } from './write.ts'

/** Carries out a request for a resource. The verbs are generic; what differs by kind is its `ServedKind`. */
export async function serve(context: Context, call: Call): Promise<Response> {
  const { served, subresource, verb } = call.target
  if (served.use === 'review') return review(call)
  if (subresource === '' && !verbsOf(served).includes(verb)) throw methodNotAllowed()
  if (subresource !== '' && !served.subresources.includes(subresource)) {
    throw served.kind.builtin ? noSuchResource() : notFound(served.kind, call.target.name)
  }
  if (call.target.rest !== '') throw noSuchResource()
  switch (subresource) {
    case '':
    case 'status':
      return serveObject(context, call)
    case 'scale':
      return serveScale(context, call)
    case 'log':
      if (verb !== 'get') throw methodNotAllowed()
      return logs(context, call)
    default:
      return serveAction(context, call)
  }
}

async function serveObject(context: Context, call: Call): Promise<Response> {
  const { clock } = context
  const { verb, subresource, served } = call.target
  if (subresource !== '' && !['get', 'update', 'patch'].includes(verb)) throw notAllowed(call)
  switch (verb) {
    case 'get':
      return get(context, call)
    case 'list':
      return list(context, call)
    case 'watch':
      return watch(context, call)
    case 'create': {
      if (call.target.name !== '') throw methodNotAllowed()
      const { object, options } = await readBodyObject(call)
      return encodeObject(call, await create(context, call, { object }, options), clock, 201)
    }
    case 'update': {
      const { object, options } = await readBodyObject(call)
      const { name } = call.target
      if (!object.metadata.name) {
        throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`)
      }
      if (!isThere(context, call) && served.createdByUpdate && subresource === '') {
        const { resourceVersion: _, uid, ...metadata } = object.metadata
        if (uid !== undefined) throw failedUidPrecondition(served, metadata, uid)
        const fresh = { ...object, metadata }
        return encodeObject(call, await create(context, call, { object: fresh }, options), clock, 201)
      }
      const answer = await replace(context, call, current(context, call), { proposed: object }, options)
      return encodeObject(call, answer, clock)
    }
    case 'patch': {
      const body = await readBody(call.request)
      const { answer, created } = await patch(context, call, body)
      return encodeObject(call, answer, clock, created ? 201 : 200)
    }
    case 'delete': {
      const options = deleteOptions(call.query, await optionsBody(call))
      warnOfOrphans(call, options)
      const { answer, gone } = await remove(context, call, current(context, call), options)
      return encodeObject(call, gone && !served.shownWhenDeleted ? deletedStatus(call, answer) : answer, clock)
    }
    case 'deletecollection': {
      const options = deleteOptions(call.query, await optionsBody(call))
      warnOfOrphans(call, options)
      const { namespace } = call.target
      const { wants } = listOptions(call.query, served, false)
      const entries = context.store
        .list({ resource: served.resource, namespace: namespace === '' ? undefined : namespace })
        .filter((entry) => wants === undefined || wants(entry))
      const { revision } = context.store
      await removeAll(context, call, entries, options)
      return encodeList(call, entries, { resourceVersion: String(revision) }, clock)
    }
  }
}

/** Before anything else it is checked that the answer can be written, and the body read. Faults: 400, 406, 413, 415, 422. */
async function readBodyObject(call: Call): Promise<{ readonly object: AnyResource; readonly options: WriteOptions }> {
  const { value, problems, options } = await decodeFor(call, call.target.served.kind.kind)
  return { object: readObject(call, value, { mode: options.fieldValidation, problems }), options }
}

async function decodeFor(call: Call, kind: string): Promise<Decoded & { readonly options: WriteOptions }> {
  representationOf(call)
  const body = await readBody(call.request)
  const options = writeOptions(call)
  const refuse = (why: string): string =>
    `the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(body.bytes)})`
  const strict = options.fieldValidation !== 'Ignore'
  const needsKind = !call.target.served.kind.builtin && call.target.subresource !== 'scale'
  return { ...(await decodeObject(body, { strict, needsKind, refuse })), options }
}

/** The beginning of a body, as a cluster quotes what it cannot read. */
function summary(bytes: Uint8Array): string {
  if (bytes.length === 0) return '<empty>'
  const start = Buffer.from(bytes.subarray(0, 30))
  const text = bytes[0] === 0x7b ? start.toString('utf8') : start.toString('hex')
  return bytes.length > 30 ? `${text} ...` : text
}

function isThere({ store }: Context, { target }: Call): boolean {
  return store.latest(keyIn(target.served, target.namespace, target.name)) !== undefined
}

async function optionsBody(call: Call): Promise<unknown> {
  const body = await readBody(call.request)
  return body.bytes.length === 0 ? undefined : (await decodeObject(body, { strict: false })).value
}

function deletedStatus(call: Call, answer: Answer): Answer {
  const { name = '', uid = '' } = answer.object().metadata
  const details = { ...detailsOf(call.target.served.kind, name), uid }
  return answerOf({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })
}

/** Of custom kinds the server knows what was asked for. */
function notAllowed({ target }: Call): Error {
  return target.served.kind.builtin ? methodNotAllowed() : methodNotSupported(target.served.kind, target.verb)
}

async function serveScale(context: Context, call: Call): Promise<Response> {
  const { verb } = call.target
  if (verb === 'get') return encodeObject(call, answerOf(scaleOf(call, current(context, call).object)), context.clock)
  if (verb !== 'update' && verb !== 'patch') throw notAllowed(call)
  const wanted =
    verb === 'patch' ? await decodePatch(call, await readBody(call.request)) : await decodeFor(call, 'Scale')
  return encodeObject(call, await writeScale(context, call, wanted), context.clock)
}

async function serveAction(context: Context, call: Call): Promise<Response> {
  const { verb, subresource } = call.target
  const wantedVerb = subresource === 'finalize' ? 'update' : 'create'
  if (verb !== wantedVerb) throw methodNotAllowed()
  switch (subresource) {
    case 'finalize': {
      const { object, options } = await readBodyObject(call)
      const answer = await replace(context, call, current(context, call), { proposed: object }, options)
      return encodeObject(call, answer, context.clock)
    }
    case 'binding':
      return encodeObject(call, await bind(context, call, await decodeFor(call, 'Binding')), context.clock, 201)
    default:
      return encodeObject(call, await evict(context, call, await decodeFor(call, 'Eviction')), context.clock, 201)
  }
}

async function review(call: Call): Promise<Response> {
  if (call.target.verb !== 'create') throw methodNotAllowed()
  const { object } = await readBodyObject(call)
  return json(answerReview(object, call.user), 201)
}
