import { isObject } from '#base/json.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { methodNotAllowed } from '#machinery/status.ts'
import type { Call, Context } from './context.ts'
import { decodeObject, readBody } from './decode.ts'
import { deleteOptions, remove, removeAll } from './delete.ts'
import { type Answer, answerOf, encodeList, encodeObject, json } from './encode.ts'
import { noSuchPath } from './failures.ts'
import { decodePatch, patch } from './patch.ts'
import { get, list } from './read.ts'
import { answerReview } from './review.ts'
import { selection } from './select.ts'
import { bind, evict, finalize, logs, scaleOf, writeScale } from './subresources.ts'
import { watch } from './watch.ts'
import { create, current, objectFor, replace, writeOptions } from './write.ts'

/** Carries out a request for a resource. The verbs are generic; what differs by kind is its `ServedKind`. */
export async function serve(context: Context, call: Call): Promise<Response> {
  const { served, subresource, verb } = call.target
  if (served.use === 'review') return review(call)
  if (subresource !== '' && !served.subresources.includes(subresource)) throw noSuchPath()
  if (call.target.rest !== '') throw noSuchPath()
  switch (subresource) {
    case '':
    case 'status':
      return serveObject(context, call)
    case 'scale':
      return serveScale(context, call)
    case 'log':
      if (verb !== 'get') throw notAllowed(call)
      return logs(context, call)
    default:
      return serveAction(context, call)
  }
}

function notAllowed({ target }: Call): Error {
  return methodNotAllowed(target.served.kind, target.verb)
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
      if (call.target.name !== '') throw notAllowed(call)
      const options = writeOptions(call)
      const { value, problems } = await decodeObject(await readBody(call.request), options.fieldValidation !== 'Ignore')
      const answer = await create(context, call, { object: objectFor(call, value), problems }, options)
      return encodeObject(call, answer, clock, 201)
    }
    case 'update': {
      const options = writeOptions(call)
      const { value, problems } = await decodeObject(await readBody(call.request), options.fieldValidation !== 'Ignore')
      const proposed = objectFor(call, value)
      return encodeObject(
        call,
        await replace(context, call, current(context, call), { proposed, problems }, options),
        clock,
      )
    }
    case 'patch': {
      const options = writeOptions(call)
      const body = await readBody(call.request)
      const { answer, created } = await patch(context, call, body.mediaType, await decodePatch(served, body), options)
      return encodeObject(call, answer, clock, created ? 201 : 200)
    }
    case 'delete': {
      const options = deleteOptions(call.query, await optionsBody(call))
      const { answer, gone } = await remove(context, call, current(context, call), options)
      // As on a cluster, a deleted pod is shown, and of anything else only that it is gone.
      return encodeObject(call, gone && served.resource !== 'pods' ? deletedStatus(call, answer) : answer, clock)
    }
    case 'deletecollection': {
      const options = deleteOptions(call.query, await optionsBody(call))
      const { namespace } = call.target
      const wants = selection(call.query, served, '')
      const entries = context.store
        .list({ resource: served.resource, namespace: namespace === '' ? undefined : namespace })
        .filter((entry) => wants === undefined || wants(entry))
      await removeAll(context, call, entries, options)
      return encodeList(call, entries, { resourceVersion: String(context.store.revision) }, clock)
    }
  }
}

async function optionsBody(call: Call): Promise<unknown> {
  const body = await readBody(call.request)
  return body.bytes.length === 0 ? undefined : (await decodeObject(body, false)).value
}

function deletedStatus(call: Call, answer: Answer): Answer {
  const { group, plural } = call.target.served.kind
  const { name, uid } = answer.object().metadata
  const details = { name: name ?? '', ...(group === '' ? {} : { group }), kind: plural, uid: uid ?? '' }
  return answerOf({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })
}

async function serveScale(context: Context, call: Call): Promise<Response> {
  const { verb } = call.target
  if (verb === 'get') return encodeObject(call, answerOf(scaleOf(call, current(context, call).object)), context.clock)
  if (verb !== 'update' && verb !== 'patch') throw notAllowed(call)
  const options = writeOptions(call)
  const body = await readBody(call.request)
  const isPatch = verb === 'patch'
  const decoded = isPatch ? await decodePatch(call.target.served, body) : await decodeObject(body, false)
  const answer = await writeScale(context, call, decoded, isPatch ? body.mediaType : undefined, options)
  return encodeObject(call, answer, context.clock)
}

async function serveAction(context: Context, call: Call): Promise<Response> {
  const { verb, subresource } = call.target
  const wantedVerb = subresource === 'finalize' ? 'update' : 'create'
  if (verb !== wantedVerb) throw notAllowed(call)
  const options = writeOptions(call)
  const decoded = await decodeObject(await readBody(call.request), false)
  switch (subresource) {
    case 'finalize':
      return encodeObject(call, await finalize(context, call, objectFor(call, decoded.value), options), context.clock)
    case 'binding':
      return encodeObject(call, await bind(context, call, decoded, options), context.clock, 201)
    default:
      return encodeObject(call, await evict(context, call, decoded), context.clock, 201)
  }
}

async function review(call: Call): Promise<Response> {
  if (call.target.verb !== 'create') throw notAllowed(call)
  const { value } = await decodeObject(await readBody(call.request), false)
  const question = objectFor(call, isObject(value) ? value : {})
  const answer: AnyResource = answerReview(question, call.user)
  return json(answer, 201)
}
