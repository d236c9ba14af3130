import { timestamp } from '#base/clock.ts'
import { isObject } from '#base/json.ts'
import type { AnyResource, ObjectMeta } from '#machinery/meta.ts'
import { type FieldError, invalidField, unsupportedField } from '#machinery/field-error.ts'
import { badRequest, forbidden, invalid } from '#machinery/status.ts'
import type { Entry } from '#embedded/store/store.ts'
import type { Call, Context } from './context.ts'
import { type Answer, answerOf, answerOfEntry } from './encode.ts'
import type { ServedKind } from './served-kind.ts'
import { keyIn, servedObject, storedText } from './stored-object.ts'
import { customResourceCleanup, definitionsResource } from './custom-kinds.ts'
import { failedDeletePrecondition } from './failures.ts'
import { metaPackage } from './go-types.ts'
import { readTyped } from './typed-json.ts'
import { isFinished, release } from './write.ts'

const foregroundFinalizer = 'foregroundDeletion'
const orphanFinalizer = 'orphan'

/** `metav1.DeleteOptions`, checked. */
export interface DeleteOptions {
  readonly dryRun: boolean
  readonly propagation: 'Background' | 'Foreground' | 'Orphan' | undefined
  readonly gracePeriodSeconds: number | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
}

/** From the body, or else the query. Faults: 400, 422. */
export function deleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  const given = body === undefined ? fromQuery(query) : fromBody(body)
  const { dryRun = [], propagationPolicy: policy, orphanDependents: orphan } = given
  const errors: FieldError[] = []
  const field = 'propagationPolicy'
  if (policy !== undefined && orphan !== undefined) {
    errors.push(...invalidField(field, policy, 'orphanDependents and deletionPropagation cannot be both set'))
  }
  if (policy !== undefined && !isPropagation(policy))
    errors.push(unsupportedField(field, policy, [...propagations, 'nil']))
  if (dryRun.some((value) => value !== 'All')) errors.push(unsupportedField('dryRun', dryRun, ['All']))
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors)
  const asked = orphan === undefined ? undefined : orphan ? 'Orphan' : 'Background'
  const grace = given.gracePeriodSeconds
  return {
    dryRun: dryRun.length > 0,
    propagation: policy !== undefined && isPropagation(policy) ? policy : asked,
    gracePeriodSeconds: grace !== undefined && grace < 0 ? 1 : grace,
    uid: given.preconditions?.uid,
    resourceVersion: given.preconditions?.resourceVersion,
  }
}

const propagations = ['Foreground', 'Background', 'Orphan'] as const

function isPropagation(text: string): text is (typeof propagations)[number] {
  return propagations.some((known) => known === text)
}

/** As it is sent. */
interface GivenOptions {
  readonly dryRun?: readonly string[]
  readonly propagationPolicy?: string
  readonly orphanDependents?: boolean
  readonly gracePeriodSeconds?: number
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string }
}

function fromBody(body: unknown): GivenOptions {
  if (!isObject(body)) throw badRequest('the body is no DeleteOptions')
  if (body['kind'] !== undefined && body['kind'] !== 'DeleteOptions') {
    throw badRequest(`expected DeleteOptions in the body, got ${JSON.stringify(body['kind'])}`)
  }
  const { value, error } = readTyped(`${metaPackage}.DeleteOptions`, body)
  if (error !== undefined) throw badRequest(error)
  return value // of its own type
}

function fromQuery(query: URLSearchParams): GivenOptions {
  const dryRun = query.getAll('dryRun').filter((value) => value !== '')
  const policy = query.get('propagationPolicy')
  const orphan = query.get('orphanDependents')
  const grace = query.get('gracePeriodSeconds')
  if (grace !== null && !/^[+-]?\d{1,18}$/.test(grace)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`)
  }
  return {
    dryRun,
    ...(policy ? { propagationPolicy: policy } : {}),
    ...(orphan ? { orphanDependents: orphan === 'true' || orphan === '1' } : {}),
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
  }
}

const orphans =
  'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning'

/** Of what nobody asked for and few expect. */
export function warnOfOrphans({ target, warnings }: Call, { propagation }: DeleteOptions): void {
  if (propagation === undefined && target.served.propagation === 'Orphan') warnings.push(orphans)
}

/**
 * Deletes an object, or marks it as being deleted where something holds it: finalizers, a pod's grace period, a
 * namespace's content. Orphaning and foreground deletion are finalizers that the garbage collector takes away.
 */
export async function remove(
  context: Context,
  call: Pick<Call, 'target'>,
  before: { readonly entry: Entry; readonly object: AnyResource },
  options: DeleteOptions,
): Promise<{ readonly answer: Answer; readonly gone: boolean }> {
  const { store, clock } = context
  const { served } = call.target
  const { entry, object: old } = before
  if (served.resource === 'namespaces' && immortal.has(entry.name)) {
    throw forbidden(served.kind, entry.name, 'this namespace may not be deleted')
  }
  checkPreconditions(served, old, options)
  const { object, gone } = marked(served, old, options, clock.now())
  if (options.dryRun) return { answer: answerOf(object), gone }
  const key = keyIn(served, entry.namespace, entry.name)
  const render = (revision: number): string => storedText(object, served, revision)
  if (gone) {
    // What is given time is marked first, even where its time is none: who watches is told both.
    const marking = object === old ? undefined : store.put(key, render)
    const [last] = await Promise.all([store.delete(key, render), marking])
    release(context, served, object)
    return { answer: answerOfEntry(last, served), gone }
  }
  if (object === old) return { answer: answerOfEntry(await store.committed(entry), served), gone }
  return { answer: answerOfEntry(await store.put(key, render), served), gone }
}

const immortal: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public'])

/** Faults: 409. */
function checkPreconditions(
  served: ServedKind,
  { metadata }: AnyResource,
  { uid, resourceVersion }: DeleteOptions,
): void {
  const name = metadata.name ?? ''
  if (uid !== undefined && uid !== metadata.uid) {
    throw failedDeletePrecondition(
      served,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    )
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw failedDeletePrecondition(
      served,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    )
  }
}

/** The object as being deleted, the same object if it already is so; what nothing holds goes as it is. Pure. */
function marked(
  served: ServedKind,
  old: AnyResource,
  options: DeleteOptions,
  nowMs: number,
): { readonly object: AnyResource; readonly gone: boolean } {
  const { metadata } = old
  const present = metadata.finalizers ?? []
  const finalizers = finalizersFor(served, held(served, present), options.propagation)
  const isNamespace = served.resource === 'namespaces'
  if (finalizers.length === 0 && !isNamespace && served.resource !== 'pods') return { object: old, gone: true }
  const seconds = graceFor(served, old, options.gracePeriodSeconds)
  const again = metadata.deletionTimestamp !== undefined
  const sameGrace = again && seconds >= (metadata.deletionGracePeriodSeconds ?? 0)
  if (sameGrace && finalizers.join() === present.join()) return { object: old, gone: isFinished(old) }
  const { finalizers: _, ...rest } = metadata
  const next: ObjectMeta = {
    ...rest,
    ...(finalizers.length === 0 ? {} : { finalizers: [...finalizers] }),
    ...(sameGrace ? {} : { deletionTimestamp: timestamp(nowMs + seconds * 1000) }),
    ...(sameGrace || isNamespace ? {} : { deletionGracePeriodSeconds: seconds }),
    ...(metadata.generation === undefined || again ? {} : { generation: metadata.generation + 1 }),
  }
  const phase = isNamespace ? { status: { ...old.status, phase: 'Terminating' } } : {}
  const object = { ...old, metadata: next, ...phase }
  return { object, gone: isFinished(object) }
}

/** The objects of a custom kind go before its definition does. */
function held({ resource }: ServedKind, finalizers: readonly string[]): readonly string[] {
  const isDefinition = resource === definitionsResource
  return isDefinition && !finalizers.includes(customResourceCleanup)
    ? [...finalizers, customResourceCleanup]
    : finalizers
}

function finalizersFor(
  served: ServedKind,
  present: readonly string[],
  asked: DeleteOptions['propagation'],
): readonly string[] {
  const isSettled = present.includes(foregroundFinalizer) || present.includes(orphanFinalizer)
  const propagation = asked ?? (isSettled ? undefined : served.propagation)
  if (propagation === undefined || served.resource === 'events') return present
  const others = present.filter((name) => name !== foregroundFinalizer && name !== orphanFinalizer)
  if (propagation === 'Foreground') return [...others, foregroundFinalizer]
  return propagation === 'Orphan' ? [...others, orphanFinalizer] : others
}

/** Only pods are given time, and only those that may be running somewhere. */
function graceFor(served: ServedKind, { spec, status, metadata }: AnyResource, asked: number | undefined): number {
  if (served.resource !== 'pods') return 0
  if (!spec?.['nodeName'] || status?.['phase'] === 'Succeeded' || status?.['phase'] === 'Failed') return 0
  if (asked !== undefined) return asked
  return metadata.deletionGracePeriodSeconds ?? Number(spec['terminationGracePeriodSeconds'] ?? 30)
}

/** Deletes each of some entries; what went meanwhile is no failure. */
export async function removeAll(
  context: Context,
  call: Pick<Call, 'target'>,
  entries: readonly Entry[],
  options: DeleteOptions,
): Promise<void> {
  const { served } = call.target
  await Promise.all(
    entries.map(async (entry) => {
      const latest = context.store.latest(entry)
      if (latest === undefined) return
      const target = { ...call.target, namespace: latest.namespace, name: latest.name }
      await remove(context, { target }, { entry: latest, object: servedObject(latest, served) }, options)
    }),
  )
}
