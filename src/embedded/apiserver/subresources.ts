import { timestamp } from '#base/clock.ts'
import { isObject } from '#base/json.ts'
import { type FieldError, forbiddenField, invalidField } from '#machinery/field-error.ts'
import { getAt, parsePath } from '#machinery/field-path.ts'
import { applyServerSide } from '#machinery/managed-fields.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { labelRequirements, formatLabelSelector } from '#machinery/selector.ts'
import { badRequest, conflict, invalid, unreasoned } from '#machinery/status.ts'
import type { Call, Context } from './context.ts'
import type { Decoded } from './decode.ts'
import { deleteOptions, remove } from './delete.ts'
import { type Answer, answerOf, json } from './encode.ts'
import { failedUidPrecondition, failure, noSuchResource } from './failures.ts'
import { messageName } from './go-types.ts'
import { applyType, type Patch, patched } from './patch.ts'
import type { WriteOptions } from './request-options.ts'
import { storedText } from './stored-object.ts'
import { readTyped } from './typed-json.ts'
import { current, replace } from './write.ts'

/** A decoded body with the options of its request. */
type Written = Decoded & { readonly options: WriteOptions }

/** `autoscaling/v1` Scale of an object, read off the paths that its kind names. */
export function scaleOf(call: Call, object: AnyResource): AnyResource {
  const { scale } = call.target.served.kind
  if (scale === undefined) throw noSuchResource()
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const replicas = (path: string): number => Number(getAt(object, parsePath(path) ?? []) ?? 0)
  const wanted = replicas(scale.specReplicasPath)
  const selector = scale.labelSelectorPath && getAt(object, parsePath(scale.labelSelectorPath) ?? [])
  const text = isObject(selector) ? formatLabelSelector(labelRequirements(selector)) : selector
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: Object.fromEntries(
      Object.entries({ name, namespace, uid, resourceVersion, creationTimestamp }).filter(([, v]) => v !== undefined),
    ),
    spec: wanted === 0 ? {} : { replicas: wanted }, // Kubernetes leaves a zero out here, and not below
    status: { replicas: replicas(scale.statusReplicasPath), ...(typeof text === 'string' ? { selector: text } : {}) },
  }
}

/** Sets the replicas of an object through its Scale. Faults: 400, 409, 422. */
export async function writeScale(context: Context, call: Call, wanted: Patch | Written): Promise<Answer> {
  const { served, name } = call.target
  const { scale: paths } = served.kind
  const before = current(context, call)
  const old = scaleOf(call, before.object)
  if ('mediaType' in wanted && wanted.mediaType === applyType) return applyScale(context, call, before, wanted)
  const given = 'mediaType' in wanted ? patched(wanted, old, served) : wanted.value
  const scale = bodyOf('autoscaling/v1', 'Scale', given)
  checkName(scale, name)
  const replicas = Number(scale.spec?.['replicas'] ?? 0)
  const path = (parsePath(paths?.specReplicasPath ?? '') ?? []).map(String)
  const { resourceVersion, uid } = scale.metadata
  const metadata = {
    ...before.object.metadata,
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(uid ? { uid } : {}),
  }
  const proposed = { ...(withValue(before.object, path, replicas) as AnyResource), metadata }
  return answerOf(scaleOf(call, (await replace(context, call, before, { proposed }, wanted.options)).object()))
}

/** Server-side apply of a scale is that of the replicas alone. */
async function applyScale(
  context: Context,
  call: Call,
  before: ReturnType<typeof current>,
  { value, options }: Patch,
): Promise<Answer> {
  const { served, name } = call.target
  const { kind, apiVersion } = served
  const scale = bodyOf('autoscaling/v1', 'Scale', value)
  checkName(scale, name)
  const path = (parsePath(kind.scale?.specReplicasPath ?? '') ?? []).map(String)
  const config = { apiVersion, kind: kind.kind, metadata: { name } }
  const proposed = applyServerSide({
    live: before.object,
    applied: withValue(config, path, Number(scale.spec?.['replicas'] ?? 0)) as AnyResource,
    schema: kind.schema(),
    manager: options.manager,
    force: call.query.get('force') === 'true',
    apiVersion,
    subresource: 'scale',
    now: timestamp(context.clock.now()),
    toldVersion: 'autoscaling/v1',
  }) as AnyResource
  return answerOf(scaleOf(call, (await replace(context, call, before, { proposed, applied: true }, options)).object()))
}

/** A body of a kind that is stored nowhere. Faults: 400. */
function bodyOf(apiVersion: string, kind: string, value: unknown): AnyResource {
  const { apiVersion: version = apiVersion, kind: named = kind } = isObject(value) ? value : {}
  if (!isObject(value) || version !== apiVersion || named !== kind) {
    throw badRequest(
      `the object provided is unrecognized (must be of type ${kind}): it is of ${String(version)}, kind ${String(named)}`,
    )
  }
  const { value: read, error } = readTyped(messageName(apiVersion, kind) ?? '', value)
  if (error !== undefined)
    throw badRequest(`${kind} in version "${apiVersion.split('/').at(-1)}" cannot be handled as a ${kind}: ${error}`)
  return read as unknown as AnyResource // of the kind's own type
}

function checkName({ metadata }: AnyResource, name: string): void {
  if (!metadata.name || metadata.name === name) return
  throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
}

function withValue(object: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value
  const members = isObject(object) ? object : {}
  return { ...members, [name]: withValue(members[name], rest, value) }
}

/** Binds a pod to a node, once. Nobody owns what this sets. Faults: 400, 404, 409. */
export async function bind(context: Context, call: Call, { value, options }: Written): Promise<Answer> {
  const { served, name } = call.target
  const binding = bodyOf('v1', 'Binding', value)
  if (binding.metadata.name && binding.metadata.name !== name)
    throw badRequest('name in URL does not match name in Binding object')
  const { kind: what = '', name: node = '' } = binding['target'] as { readonly kind?: string; readonly name?: string }
  if (node === '') throw unreasoned('target.name: Required value')
  if (what !== '' && what !== 'Node') {
    throw unreasoned(`target.kind: Unsupported value: ${JSON.stringify(what)}: supported values: "Node", "<empty>"`)
  }
  const { entry, object } = current(context, call)
  const { uid } = binding.metadata
  if (uid && uid !== object.metadata.uid)
    throw failedUidPrecondition({ ...served, resource: 'pods/binding' }, object.metadata, uid)
  const refuse = (why: string): never => {
    throw conflict({ group: '', plural: 'pods/binding' }, name, why)
  }
  if (object.metadata.deletionTimestamp !== undefined)
    refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
  if (object.spec?.['nodeName'])
    refuse(`pod ${name} is already assigned to node ${JSON.stringify(object.spec['nodeName'])}`)
  const { annotations } = binding.metadata
  const bound = {
    ...object,
    metadata:
      annotations === undefined
        ? object.metadata
        : { ...object.metadata, annotations: { ...object.metadata.annotations, ...annotations } },
    spec: { ...object.spec, nodeName: node },
    status: scheduled(object, timestamp(context.clock.now())),
  } as AnyResource
  if (!options.dryRun) await context.store.put(entry, (revision) => storedText(bound, served, revision))
  return succeeded
}

const succeeded = answerOf({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })

function scheduled({ status }: AnyResource, lastTransitionTime: string): Record<string, unknown> {
  const before = Array.isArray(status?.['conditions']) ? (status['conditions'] as { type: string }[]) : []
  const condition = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime }
  return { ...status, conditions: [...before.filter(({ type }) => type !== condition.type), condition] }
}

/** No disruption budgets here: an eviction is a deletion. Faults: 400, 404, 409. */
export async function evict(context: Context, call: Call, { value, options }: Written): Promise<Answer> {
  const { name } = call.target
  const eviction = bodyOf('policy/v1', 'Eviction', value)
  if (eviction.metadata.name && eviction.metadata.name !== name)
    throw badRequest('name in URL does not match name in Eviction object')
  const given = deleteOptions(call.query, eviction['deleteOptions'])
  await remove(context, call, current(context, call), { ...given, dryRun: given.dryRun || options.dryRun })
  return succeeded
}

/** Container logs, as Kubernetes has them: the server asks the kubelet of the pod's node. Faults: 400, 404, 422, 503. */
export async function logs(context: Context, call: Call): Promise<Response> {
  const { entry, object } = current(context, call)
  checkLogOptions(call.query, entry.name)
  const names = ['containers', 'initContainers'].flatMap((list) => namesIn(object.spec?.[list]))
  const container = call.query.get('container') || defaultContainer(object)
  if (container === undefined) {
    throw badRequest(`a container name must be specified for pod ${entry.name}, choose one of: [${names.join(' ')}]`)
  }
  if (!names.includes(container)) throw badRequest(`container ${container} is not valid for pod ${entry.name}`)
  const node = object.spec?.['nodeName']
  // As on a cluster: who is nowhere has said nothing.
  if (typeof node !== 'string')
    return new Response(null, { status: 204, headers: { 'cache-control': 'no-cache, private' } })
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

function checkLogOptions(query: URLSearchParams, name: string): void {
  const below = (option: string, least: number, detail: string): FieldError[] => {
    const value = Number(query.get(option) ?? least)
    return value < least ? invalidField(option, value, detail) : []
  }
  const errors = [
    ...below('tailLines', 0, 'must be greater than or equal to 0'),
    ...below('limitBytes', 1, 'must be greater than 0'),
    ...below('sinceSeconds', 1, 'must be greater than 0'),
  ]
  if (query.has('sinceSeconds') && query.has('sinceTime')) {
    errors.push(forbiddenField('', 'at most one of `sinceTime` or `sinceSeconds` may be specified'))
  }
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, name, errors)
}

function namesIn(list: unknown): string[] {
  return Array.isArray(list) ? list.flatMap((item) => (isObject(item) ? [String(item['name'])] : [])) : []
}

function defaultContainer({ metadata, spec }: AnyResource): string | undefined {
  const named = metadata.annotations?.['kubectl.kubernetes.io/default-container']
  const containers = namesIn(spec?.['containers'])
  return named ?? (containers.length === 1 ? containers[0] : undefined)
}
