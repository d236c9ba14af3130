import { randomInt, randomUUID } from 'node:crypto'
import { timestamp } from '#base/clock.ts'
import type { AnyResource, ObjectMeta } from '#machinery/meta.ts'
import { alreadyExists, conflict, detailsOf, unreasoned } from '#machinery/status.ts'
import type { Entry } from '#embedded/store/store.ts'
import type { Call, Context } from './context.ts'
import { acceptDefinition } from './definitions.ts'
import { type Answer, answerOf, answerOfEntry } from './encode.ts'
import { failure } from './failures.ts'
import { admitNew } from './admit.ts'
import { checkNamespace, prepareNew } from './prepare.ts'
import type { WriteOptions } from './request-options.ts'
import type { ServedKind } from './served-kind.ts'
import { keyIn, storedText } from './stored-object.ts'
import { validateNew } from './validate.ts'
import { release, track, warn, withoutDuplicateOwners } from './write.ts'

/**
 * Creates what `object` describes. `applied` marks an object whose managedFields are already right.
 * Decides within the turn; resolves once it is on disk.
 */
export async function create(
  context: Context,
  call: Call,
  body: { readonly object: AnyResource; readonly applied?: boolean },
  options: WriteOptions,
): Promise<Answer> {
  const { store, clock } = context
  const { served, namespace } = call.target
  const given = withoutDuplicateOwners(call, body.object)
  if (given.metadata.resourceVersion) throw unreasoned('resourceVersion should not be set on objects to be created')
  const name = freeName(context, call, given.metadata)
  if (served.kind.namespaced) checkNamespace(context, served, namespace, name)
  if (served.closing === true) {
    throw conflict(served.kind, name, 'create not allowed while custom resource definition is terminating')
  }
  const now = timestamp(clock.now())
  const fresh = { ...given, metadata: newMetadata(served, given.metadata, name, now) }
  // What admission and the server itself add is nobody's.
  const tracked = body.applied === true ? fresh : track(call, { updated: fresh }, options.manager, now)
  const object = prepareNew(context, served, admitNew(served, withoutStatus(served, tracked)))
  try {
    validateNew(served, object)
    warn(call, object)
    const key = keyIn(served, namespace, name)
    const found = store.latest(key)
    if (found !== undefined) throw alreadyThere(served, found)
    if (!options.dryRun) {
      const put = store.put(key, (revision) => storedText(object, served, revision))
      const [entry] = await Promise.all([put, acceptDefinition(context, served, object)])
      return answerOfEntry(entry, served)
    }
    release(context, served, object)
    return answerOf(object)
  } catch (error) {
    release(context, served, object)
    throw error
  }
}

const generatedLength = 5
const maxGeneratedBase = 63 - generatedLength
const generatedAlphabet = 'bcdfghjklmnpqrstvwxz2456789'
const tries = 8

/** The name that is given, or a generated one that nobody has; empty when there is neither. */
function freeName({ store }: Context, { target }: Call, { name, generateName }: ObjectMeta): string {
  if (name) return name
  if (!generateName) return ''
  let generated = ''
  for (let i = 0; i < tries; i++) {
    const random = Array.from({ length: generatedLength }, () => generatedAlphabet[randomInt(generatedAlphabet.length)])
    generated = generateName.slice(0, maxGeneratedBase) + random.join('')
    if (store.latest(keyIn(target.served, target.namespace, generated)) === undefined) break
  }
  return generated
}

/** With what the server alone sets. */
function newMetadata(served: ServedKind, given: ObjectMeta, name: string, now: string): ObjectMeta {
  const {
    deletionTimestamp: _,
    deletionGracePeriodSeconds: __,
    selfLink: ___,
    ...kept
  } = given as ObjectMeta & { selfLink?: string }
  const generation = served.counted ? { generation: 1 } : {}
  return { ...kept, ...(name === '' ? {} : { name }), uid: randomUUID(), creationTimestamp: now, ...generation }
}

/** A status is written apart. */
function withoutStatus({ kind }: ServedKind, object: AnyResource): AnyResource {
  if (!kind.status || object.status === undefined) return object
  const { status: _, ...rest } = object
  return rest // its rest
}

function alreadyThere({ kind }: ServedKind, { name, text }: Entry): Error {
  const fault = alreadyExists(kind, name)
  if (!text.includes('"deletionTimestamp"')) return fault
  const { metadata } = JSON.parse(text) as AnyResource
  if (metadata.deletionTimestamp === undefined) return fault
  return failure(409, 'AlreadyExists', `object is being deleted: ${fault.message}`, detailsOf(kind, name))
}
