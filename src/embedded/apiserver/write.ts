import { randomInt, randomUUID } from 'node:crypto'
import { timestamp } from '#base/clock.ts'
import { equalJson, isObject } from '#base/json.ts'
import type { FieldError } from '#machinery/field-error.ts'
import { trackUpdate } from '#machinery/managed-fields.ts'
import type { AnyResource, ManagedFieldsEntry, ObjectMeta } from '#machinery/meta.ts'
import { alreadyExists, badRequest, conflict, invalid, notFound } from '#machinery/status.ts'
import type { Entry } from '#embedded/store/store.ts'
import type { Call, Context } from './context.ts'
import { defaulted, type FieldValidation, fieldValidations } from './default.ts'
import { type Answer, answerOf, answerOfEntry } from './encode.ts'
import { failedPrecondition } from './failures.ts'
import { checkNamespace, mutated } from './mutate.ts'
import type { ServedKind } from './served-kind.ts'
import { keyIn, servedObject, storedText } from './stored-object.ts'
import { validateBuiltin, validateShape } from './validate.ts'

/** The options that every write takes. */
export interface WriteOptions {
  readonly dryRun: boolean
  readonly manager: string
  readonly fieldValidation: FieldValidation
}

/** Faults: 422 for options that no server knows. */
export function writeOptions({ query, request }: Call): WriteOptions {
  const errors: FieldError[] = []
  const dryRun = query.getAll('dryRun').filter((value) => value !== '')
  if (dryRun.some((value) => value !== 'All')) {
    errors.push({ field: 'dryRun', type: 'FieldValueNotSupported', value: dryRun, detail: 'supported values: "All"' })
  }
  const validation = query.get('fieldValidation') || 'Warn'
  if (!fieldValidations.some((known) => known === validation)) {
    const detail = 'supported values: "Ignore", "Strict", "Warn"'
    errors.push({ field: 'fieldValidation', type: 'FieldValueNotSupported', value: validation, detail })
  }
  const manager = query.get('fieldManager') || defaultManager(request)
  if (manager.length > 128) {
    errors.push({ field: 'fieldManager', type: 'FieldValueTooLong', detail: 'may not be more than 128 bytes' })
  }
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'UpdateOptions' }, '', errors)
  return { dryRun: dryRun.length > 0, manager, fieldValidation: validation as FieldValidation }
}

/** What stands before the version in the user agent, as Kubernetes names a manager that does not name itself. */
function defaultManager(request: Request): string {
  const agent = request.headers.get('user-agent') ?? ''
  return (
    agent
      .split('/', 1)[0]
      ?.replace(/[^\x20-\x7e]/g, '')
      .slice(0, 128) || 'unknown'
  )
}

/** A decoded body as an object of the target's kind and place. Faults: 400. */
export function objectFor(call: Call, value: unknown): AnyResource {
  const { served, namespace, name } = call.target
  if (!isObject(value)) throw badRequest('the body is no JSON object')
  const { apiVersion = served.apiVersion, kind = served.kind.kind, metadata = {} } = value
  if (kind !== served.kind.kind || apiVersion !== served.apiVersion) {
    throw badRequest(
      `the API version in the data (${String(apiVersion)}, kind ${String(kind)}) does not match the expected API version (${served.apiVersion}, kind ${served.kind.kind})`,
    )
  }
  if (!isObject(metadata)) throw badRequest('metadata must be an object')
  for (const member of ['name', 'namespace', 'generateName', 'resourceVersion', 'uid']) {
    if (metadata[member] !== undefined && metadata[member] !== null && typeof metadata[member] !== 'string') {
      throw badRequest(`metadata.${member} must be a string`)
    }
  }
  if (served.kind.namespaced && metadata['namespace'] && metadata['namespace'] !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (name !== '' && metadata['name'] && metadata['name'] !== name) {
    throw badRequest(
      `the name of the object (${String(metadata['name'])}) does not match the name on the URL (${name})`,
    )
  }
  return {
    ...value,
    apiVersion,
    kind,
    metadata: withoutEmpty({
      ...metadata,
      namespace: served.kind.namespaced ? namespace : undefined,
      name: name === '' ? metadata['name'] : name,
    }),
  }
}

/** Members of metadata that Kubernetes leaves out when they hold nothing; an empty `managedFields` is an order. */
const omittedEmpty: Readonly<Record<string, '{}' | '[]'>> = {
  labels: '{}',
  annotations: '{}',
  ownerReferences: '[]',
  finalizers: '[]',
}

function withoutEmpty(metadata: Record<string, unknown>): ObjectMeta {
  const members = Object.entries(metadata).filter(([name, value]) => {
    if (value === undefined || value === null) return false
    return omittedEmpty[name] === undefined || JSON.stringify(value) !== omittedEmpty[name]
  })
  return Object.fromEntries(members) as ObjectMeta // its shape is checked with the rest of the object
}

const generatedLength = 5
const maxGeneratedBase = 63 - generatedLength
const generatedAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

function nameFrom({ name, generateName }: ObjectMeta): string | undefined {
  if (name !== undefined && name !== '') return name
  if (generateName === undefined || generateName === '') return undefined
  const random = Array.from({ length: generatedLength }, () => generatedAlphabet[randomInt(generatedAlphabet.length)])
  return generateName.slice(0, maxGeneratedBase) + random.join('')
}

/**
 * Creates what `object` describes. `applied` marks an object whose managedFields are already right.
 * Decides within the turn; resolves once it is on disk.
 */
export async function create(
  context: Context,
  call: Call,
  body: { readonly object: AnyResource; readonly problems: readonly string[]; readonly applied?: boolean },
  options: WriteOptions,
): Promise<Answer> {
  const { store, clock } = context
  const { served, namespace } = call.target
  const { kind } = served
  const given = body.object.metadata
  if (given.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created')
  let name = nameFrom(given)
  if (name === undefined) {
    const detail = 'name or generateName is required'
    throw invalid(kind, '', [{ field: 'metadata.name', type: 'FieldValueRequired', detail }])
  }
  for (let tries = 0; !given.name && tries < 8 && store.latest(keyIn(served, namespace, name)) !== undefined; tries++) {
    name = nameFrom(given) ?? name
  }
  if (kind.namespaced) checkNamespace(context, served, namespace, name)
  if (served.closing === true) {
    throw conflict(kind, name, 'create not allowed while custom resource definition is terminating')
  }
  const key = keyIn(served, namespace, name)
  if (store.latest(key) !== undefined) throw alreadyExists(kind, name)
  const now = timestamp(clock.now())
  const {
    deletionTimestamp: _,
    deletionGracePeriodSeconds: __,
    selfLink: ___,
    ...kept
  } = given as ObjectMeta & {
    selfLink?: string
  }
  const metadata: ObjectMeta = {
    ...kept,
    name,
    uid: randomUUID(),
    creationTimestamp: now,
    ...(served.counted ? { generation: 1 } : {}),
  }
  const { status, ...rest } = body.object
  const fresh = kind.status ? { ...rest, metadata } : { ...rest, metadata, ...(status === undefined ? {} : { status }) }
  const filled = defaulted(call, fresh, body.problems, options.fieldValidation)
  validateShape(served, filled, undefined)
  const complete = mutated(context, served, filled, undefined)
  try {
    const object =
      body.applied === true
        ? complete
        : (trackUpdate({
            updated: complete,
            schema: kind.schema(),
            manager: options.manager,
            apiVersion: served.apiVersion,
            now,
            hasStatus: kind.status,
          }) as AnyResource)
    validateBuiltin(served, object, undefined)
    warn(call, object)
    if (options.dryRun) {
      release(context, served, complete)
      return answerOf(object)
    }
    return answerOfEntry(await store.put(key, (revision) => storedText(object, served, revision)), served)
  } catch (error) {
    release(context, served, complete)
    throw error
  }
}

/** Gives back what admission took for an object that is not stored after all, or no more. */
export function release({ clusterIps }: Context, served: ServedKind, object: AnyResource): void {
  if (served.resource !== 'services') return
  const address = object.spec?.['clusterIP']
  if (typeof address === 'string') clusterIps.release(address)
}

function warn(call: Call, object: AnyResource): void {
  for (const { field, detail } of call.target.served.kind.warn?.(object) ?? [])
    call.warnings.push(`${field}: ${detail}`)
}

/** The newest state of the target. Faults: 404. */
export function current({ store }: Context, call: Call): { readonly entry: Entry; readonly object: AnyResource } {
  const { served, namespace, name } = call.target
  const entry = store.latest(keyIn(served, namespace, name))
  if (entry === undefined) throw notFound(served.kind, name)
  return { entry, object: servedObject(entry, served) }
}

export interface Replacement {
  /** What the object shall be; its status, or all but its status, counts as the subresource says. */
  readonly proposed: AnyResource
  readonly problems: readonly string[]
  /** `managedFields` are already right. */
  readonly applied?: boolean
  /** Sets the status along with the rest, as only the server itself may. */
  readonly status?: AnyResource['status']
}

/** Replaces the state of an object that is there: the common end of update and of every patch. */
export async function replace(
  context: Context,
  call: Call,
  before: { readonly entry: Entry; readonly object: AnyResource },
  { proposed, problems, applied, status }: Replacement,
  options: WriteOptions,
): Promise<Answer> {
  const { store, clock } = context
  const { served, subresource } = call.target
  const { kind } = served
  const { entry, object: old } = before
  const name = entry.name
  checkPreconditions(served, old, proposed.metadata)
  const now = timestamp(clock.now())
  const counts = subresource === 'status' ? statusOf(proposed) : proposed
  const filled = defaulted(call, counts, problems, options.fieldValidation)
  const written = subresource === 'status' ? statusOnto(old, filled) : mainOnto(old, filled, kind.status)
  const merged = status === undefined ? written : { ...written, status }
  // What does not change is not judged anew: the rules may have become stricter since.
  if (!isSame(merged, old)) validateShape(served, merged, old)
  const complete = mutated(context, served, merged, old)
  const tracked =
    applied === true
      ? complete
      : (trackUpdate({
          live: old,
          updated: complete,
          schema: kind.schema(),
          manager: options.manager,
          ...(subresource === '' ? {} : { subresource }),
          apiVersion: served.apiVersion,
          now,
          hasStatus: kind.status,
        }) as AnyResource)
  if (isSame(tracked, old)) return answerOfEntry(await store.committed(entry), served)
  const object = counted(served, tracked, old)
  validateBuiltin(served, object, old)
  if (subresource === '') warn(call, object)
  if (options.dryRun) return answerOf(object)
  const key = keyIn(served, entry.namespace, name)
  const render = (revision: number): string => storedText(object, served, revision)
  if (isFinished(object)) {
    const last = await store.delete(key, render)
    release(context, served, object)
    return answerOfEntry(last, served)
  }
  return answerOfEntry(await store.put(key, render), served)
}

/** Faults: 409. */
export function checkPreconditions(
  served: ServedKind,
  { metadata }: AnyResource,
  wanted: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined },
): void {
  const name = metadata.name ?? ''
  if (wanted.uid && wanted.uid !== metadata.uid) {
    throw failedPrecondition(served, name, 'UID', wanted.uid, metadata.uid ?? '')
  }
  if (wanted.resourceVersion && wanted.resourceVersion !== metadata.resourceVersion) throw conflict(served.kind, name)
}

/** The new object with what only the server or another subresource may change as it was. */
function mainOnto(old: AnyResource, proposed: AnyResource, hasStatus: boolean): AnyResource {
  const { status: _, ...rest } = proposed
  const metadata = withServerFields(proposed.metadata, old.metadata)
  if (!hasStatus) return { ...proposed, metadata }
  return { ...rest, metadata, ...(old.status === undefined ? {} : { status: old.status }) }
}

/** The parts of an object that a write of its status looks at. */
function statusOf({ apiVersion, kind, metadata, status }: AnyResource): AnyResource {
  return { apiVersion, kind, metadata, ...(status === undefined ? {} : { status }) }
}

function statusOnto(old: AnyResource, proposed: AnyResource): AnyResource {
  const { status: _, ...rest } = old
  const { managedFields } = proposed.metadata
  const metadata = managedFields === undefined ? old.metadata : { ...old.metadata, managedFields }
  return { ...rest, metadata, ...(proposed.status === undefined ? {} : { status: proposed.status }) }
}

const serverFields = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'resourceVersion',
  'generateName',
] as const

function withServerFields(metadata: ObjectMeta, old: ObjectMeta): ObjectMeta {
  const members = Object.entries(metadata).filter(([name]) => !serverFields.some((field) => field === name))
  const kept = serverFields.filter((name) => old[name] !== undefined).map((name) => [name, old[name]] as const)
  return Object.fromEntries([...members, ...kept])
}

/** Nothing but the times of managedFields differs, and with them their order. */
function isSame(object: AnyResource, old: AnyResource): boolean {
  const key = ({ manager, operation, apiVersion, subresource }: Omit<ManagedFieldsEntry, 'time'>): string =>
    [operation, manager, apiVersion, subresource].join(' ')
  const bare = ({ metadata, ...rest }: AnyResource): unknown => ({
    ...rest,
    metadata: {
      ...metadata,
      managedFields: metadata.managedFields
        ?.map(({ time: _, ...entry }) => entry)
        .toSorted((a, b) => (key(a) < key(b) ? -1 : 1)),
    },
  })
  return equalJson(bare(object), bare(old))
}

/** The generation counts changes of what is wanted: anything but metadata and status. */
function counted(served: ServedKind, object: AnyResource, old: AnyResource): AnyResource {
  if (!served.counted) return object
  const wanted = ({ metadata: _, status: __, ...rest }: AnyResource): unknown => rest
  if (equalJson(wanted(object), wanted(old))) return object
  return { ...object, metadata: { ...object.metadata, generation: (old.metadata.generation ?? 0) + 1 } }
}

/** Being deleted, and nothing holds it any more. */
export function isFinished({ metadata, kind, spec }: AnyResource): boolean {
  if (metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0) return false
  if ((metadata.deletionGracePeriodSeconds ?? 0) > 0) return false
  const held = kind === 'Namespace' ? spec?.['finalizers'] : undefined
  return !Array.isArray(held) || held.length === 0
}
