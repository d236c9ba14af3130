import { timestamp } from '#base/clock.ts'
import { isObject } from '#base/json.ts'
import { getAt, parsePath } from '#machinery/field-path.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { labelRequirements, formatLabelSelector } from '#machinery/selector.ts'
import { badRequest, conflict, invalid, methodNotAllowed } from '#machinery/status.ts'
import type { Call, Context } from './context.ts'
import type { Decoded } from './decode.ts'
import { deleteOptions, remove } from './delete.ts'
import { type Answer, answerOf, json } from './encode.ts'
import { failure } from './failures.ts'
import { patched } from './patch.ts'
import { valueAt } from './select.ts'
import { checkPreconditions, current, replace, type WriteOptions } from './write.ts'

/** `autoscaling/v1` Scale of an object, read off the paths that its kind names. */
export function scaleOf(call: Call, object: AnyResource): AnyResource {
  const { scale } = call.target.served.kind
  if (scale === undefined) throw methodNotAllowed(call.target.served.kind, 'scale')
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const replicas = (path: string): number => Number(getAt(object, parsePath(path) ?? []) ?? 0)
  const selector = scale.labelSelectorPath && getAt(object, parsePath(scale.labelSelectorPath) ?? [])
  const text = isObject(selector) ? formatLabelSelector(labelRequirements(selector)) : selector
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: Object.fromEntries(
      Object.entries({ name, namespace, uid, resourceVersion, creationTimestamp }).filter(([, v]) => v !== undefined),
    ),
    spec: { replicas: replicas(scale.specReplicasPath) },
    status: { replicas: replicas(scale.statusReplicasPath), ...(typeof text === 'string' ? { selector: text } : {}) },
  }
}

/** Sets the replicas of an object through its Scale. Faults: 400, 409, 422. */
export async function writeScale(
  context: Context,
  call: Call,
  decoded: Decoded,
  patchType: string | undefined,
  options: WriteOptions,
): Promise<Answer> {
  const { kind } = call.target.served
  const { entry, object } = current(context, call)
  const scale = scaleOf(call, object)
  const wanted = patchType === undefined ? decoded.value : patched(patchType, scale, decoded.value, call.target.served)
  if (!isObject(wanted)) throw badRequest('the body is no Scale')
  const replicas = valueAt(wanted, ['spec', 'replicas']) ?? 0
  if (typeof replicas !== 'number' || !Number.isSafeInteger(replicas) || replicas < 0) {
    const detail = 'must be an integer greater than or equal to 0'
    throw invalid({ group: 'autoscaling', kind: 'Scale' }, entry.name, [
      { field: 'spec.replicas', type: 'FieldValueInvalid', value: replicas, detail },
    ])
  }
  const metadata = isObject(wanted['metadata']) ? wanted['metadata'] : {}
  checkPreconditions(call.target.served, object, {
    uid: textOf(metadata['uid']),
    resourceVersion: textOf(metadata['resourceVersion']),
  })
  const path = parsePath(kind.scale?.specReplicasPath ?? '') ?? []
  const main = { ...call, target: { ...call.target, subresource: '' } }
  const proposed = withValue(object, path.map(String), replicas) as AnyResource
  const answer = await replace(context, main, { entry, object }, { proposed, problems: [] }, options)
  return answerOf(scaleOf(call, answer.object()))
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function withValue(object: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value
  const members = isObject(object) ? object : {}
  return { ...members, [name]: withValue(members[name], rest, value) }
}

/** Binds a pod to a node, once. Faults: 400, 409. */
export async function bind(context: Context, call: Call, decoded: Decoded, options: WriteOptions): Promise<Answer> {
  const node = valueAt(decoded.value, ['target', 'name'])
  if (typeof node !== 'string' || node === '') throw badRequest('a Binding must name its node in target.name')
  const { entry, object } = current(context, call)
  const { kind } = call.target.served
  if (object.metadata.deletionTimestamp !== undefined) {
    throw conflict(kind, entry.name, `pod ${entry.name} is being deleted, cannot be assigned to a host`)
  }
  if (object.spec?.['nodeName']) {
    throw conflict(
      kind,
      entry.name,
      `pod ${entry.name} is already assigned to node ${JSON.stringify(object.spec['nodeName'])}`,
    )
  }
  const bound = {
    ...object,
    spec: { ...object.spec, nodeName: node },
  }
  const main = { ...call, target: { ...call.target, subresource: '' } }
  const scheduled = { type: 'PodScheduled', status: 'True', lastTransitionTime: timestamp(context.clock.now()) }
  await replace(
    context,
    main,
    { entry, object },
    { proposed: bound, problems: [], status: withCondition(bound, scheduled) },
    options,
  )
  return answerOf({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}

function withCondition({ status }: AnyResource, condition: { readonly type: string }): AnyResource['status'] {
  const before = Array.isArray(status?.['conditions']) ? (status['conditions'] as { type: string }[]) : []
  return { ...status, conditions: [...before.filter(({ type }) => type !== condition.type), condition] }
}

/** No disruption budgets here: an eviction is a deletion. */
export async function evict(context: Context, call: Call, decoded: Decoded): Promise<Answer> {
  const before = current(context, call)
  const body = isObject(decoded.value) ? decoded.value['deleteOptions'] : undefined
  await remove(context, call, before, deleteOptions(call.query, body))
  return answerOf({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}

/** Sets what holds a namespace: the namespace controller takes its hold away once the content is gone. */
export async function finalize(
  context: Context,
  call: Call,
  proposed: AnyResource,
  options: WriteOptions,
): Promise<Answer> {
  const before = current(context, call)
  const main = { ...call, target: { ...call.target, subresource: '' } }
  const finalizers = valueAt(proposed, ['spec', 'finalizers']) ?? []
  const next = {
    ...before.object,
    spec: { ...before.object.spec, finalizers },
    metadata: { ...before.object.metadata, ...resourceVersionOf(proposed) },
  }
  return replace(context, main, before, { proposed: next, problems: [] }, options)
}

function resourceVersionOf({ metadata }: AnyResource): { resourceVersion?: string } {
  return metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }
}

/** Container logs, as Kubernetes has them: the server asks the kubelet of the pod's node. */
export async function logs(context: Context, call: Call): Promise<Response> {
  const { entry, object } = current(context, call)
  const names = ['containers', 'initContainers'].flatMap((list) => namesIn(object.spec?.[list]))
  const container = call.query.get('container') || defaultContainer(object)
  if (container === undefined) {
    throw badRequest(`a container name must be specified for pod ${entry.name}, choose one of: [${names.join(' ')}]`)
  }
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${entry.name}`)
  const node = object.spec?.['nodeName']
  if (typeof node !== 'string') {
    throw badRequest(`pod ${entry.name} does not have a host assigned`)
  }
  const kubelet = context.kubelet(node)
  if (kubelet === undefined) throw failure(503, 'ServiceUnavailable', `node ${node} cannot be reached`)
  const path = [entry.namespace, entry.name, container].map(encodeURIComponent).join('/')
  const query = new URLSearchParams(call.query)
  query.delete('container')
  const response = await kubelet(
    new Request(`http://${encodeURIComponent(node)}/containerLogs/${path}?${query}`, { signal: call.request.signal }),
  )
  if (response.ok) {
    return new Response(response.body, {
      headers: { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' },
    })
  }
  const message = (await response.text()).slice(0, 1024) || `the kubelet answered ${response.status}`
  return json(
    { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason: 'BadRequest', code: 400 },
    400,
  )
}

function namesIn(list: unknown): string[] {
  return Array.isArray(list) ? list.flatMap((item) => (isObject(item) ? [String(item['name'])] : [])) : []
}

function defaultContainer({ metadata, spec }: AnyResource): string | undefined {
  const named = metadata.annotations?.['kubectl.kubernetes.io/default-container']
  const containers = namesIn(spec?.['containers'])
  return named ?? (containers.length === 1 ? containers[0] : undefined)
}
