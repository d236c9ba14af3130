import { timestamp } from '#base/clock.ts'
import { isObject } from '#base/json.ts'
import type { AnyResource, ObjectMeta } from '#machinery/meta.ts'
import { badRequest, invalid } from '#machinery/status.ts'
import type { Entry } from '#embedded/store/store.ts'
import type { Call, Context } from './context.ts'
import { type Answer, answerOf, answerOfEntry } from './encode.ts'
import type { ServedKind } from './served-kind.ts'
import { keyIn, servedObject, storedText } from './stored-object.ts'
import { checkPreconditions, isFinished, release } from './write.ts'

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

/** From the body and the query; the body comes first. Faults: 400, 422. */
export function deleteOptions(query: URLSearchParams, body: unknown): DeleteOptions {
  if (body !== undefined && !isObject(body)) throw badRequest('the body is no DeleteOptions')
  const given: Record<string, unknown> = body ?? {}
  if (given['kind'] !== undefined && given['kind'] !== 'DeleteOptions') {
    throw badRequest(`expected DeleteOptions in the body, got ${String(given['kind'])}`)
  }
  const preconditions = isObject(given['preconditions']) ? given['preconditions'] : {}
  return {
    dryRun: dryRunOf(given['dryRun'] ?? query.getAll('dryRun').filter((value) => value !== '')),
    propagation: propagationOf(given, query),
    gracePeriodSeconds: graceOf(given['gracePeriodSeconds'] ?? query.get('gracePeriodSeconds') ?? undefined),
    uid: textOf(preconditions['uid'], 'preconditions.uid'),
    resourceVersion: textOf(preconditions['resourceVersion'], 'preconditions.resourceVersion'),
  }
}

function refuse(field: string, value: unknown, detail: string): never {
  throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [
    { field, type: 'FieldValueInvalid', value, detail },
  ])
}

function dryRunOf(value: unknown): boolean {
  if (!Array.isArray(value)) return refuse('dryRun', value, 'must be a list')
  if (value.some((item) => item !== 'All')) refuse('dryRun', value, 'supported values: "All"')
  return value.length > 0
}

function propagationOf(given: Record<string, unknown>, query: URLSearchParams): DeleteOptions['propagation'] {
  const policy = given['propagationPolicy'] ?? query.get('propagationPolicy') ?? undefined
  const orphan = given['orphanDependents'] ?? query.get('orphanDependents') ?? undefined
  if (policy === undefined) {
    if (orphan === undefined) return undefined
    return orphan === true || orphan === 'true' ? 'Orphan' : 'Background'
  }
  if (policy === 'Background' || policy === 'Foreground' || policy === 'Orphan') return policy
  return refuse('propagationPolicy', policy, 'supported values: "Background", "Foreground", "Orphan"')
}

function graceOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  const seconds = typeof value === 'string' && value !== '' ? Number(value) : value
  if (typeof seconds !== 'number' || !Number.isSafeInteger(seconds)) {
    return refuse('gracePeriodSeconds', value, 'must be an integer')
  }
  return Math.max(0, seconds)
}

function textOf(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined
  return typeof value === 'string' ? value : refuse(field, value, 'must be a string')
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
  checkPreconditions(served, old, options)
  const object = marked(served, old, options, clock.now())
  const gone = isFinished(object)
  if (options.dryRun) return { answer: answerOf(object), gone }
  const key = keyIn(served, entry.namespace, entry.name)
  const render = (revision: number): string => storedText(object, served, revision)
  if (gone) {
    const last = await store.delete(key, render)
    release(context, served, object)
    return { answer: answerOfEntry(last, served), gone }
  }
  if (object === old) return { answer: answerOfEntry(await store.committed(entry), served), gone }
  return { answer: answerOfEntry(await store.put(key, render), served), gone }
}

/** The object as being deleted; the same object if it already is so. Pure. */
function marked(served: ServedKind, old: AnyResource, options: DeleteOptions, nowMs: number): AnyResource {
  const { metadata } = old
  const finalizers = finalizersFor(metadata.finalizers ?? [], options.propagation)
  const seconds = graceFor(served, old, options.gracePeriodSeconds)
  const again = metadata.deletionTimestamp !== undefined
  const sameGrace = again && seconds >= (metadata.deletionGracePeriodSeconds ?? 0)
  if (sameGrace && finalizers.join() === (metadata.finalizers ?? []).join()) return old
  const { finalizers: _, ...rest } = metadata
  const next: ObjectMeta = {
    ...rest,
    ...(finalizers.length === 0 ? {} : { finalizers }),
    ...(sameGrace ? {} : { deletionTimestamp: timestamp(nowMs + seconds * 1000), deletionGracePeriodSeconds: seconds }),
    ...(metadata.generation === undefined || again ? {} : { generation: metadata.generation + 1 }),
  }
  const phase = old.kind === 'Namespace' ? { status: { ...old.status, phase: 'Terminating' } } : {}
  return { ...old, metadata: next, ...phase }
}

function finalizersFor(present: readonly string[], propagation: DeleteOptions['propagation']): string[] {
  if (propagation === undefined) return [...present]
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
  call: Call,
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
