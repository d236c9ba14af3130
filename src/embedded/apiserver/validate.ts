import { isDeepStrictEqual } from 'node:util'
import { equalJson, isObject } from '#base/json.ts'
import type { FieldError } from '#machinery/field-error.ts'
import type { AnyResource, ObjectMeta } from '#machinery/meta.ts'
import {
  dns1035LabelErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from '#machinery/names.ts'
import { compileSchema } from '#machinery/schema.ts'
import { invalid } from '#machinery/status.ts'
import { checkDefinition } from './custom-kinds.ts'
import { valueAt } from './select.ts'
import type { ServedKind } from './served-kind.ts'

/**
 * What schema and metadata have against an object. Comes before whatever reads the object by its type, which must not
 * meet one of another shape. Faults: 422 with a cause for each error.
 */
export function validateShape(served: ServedKind, object: AnyResource, old: AnyResource | undefined): void {
  const { kind } = served
  const errors = [
    ...checkMetadata(served, object.metadata, old?.metadata),
    ...compileSchema(kind.schema()).validate(object, old),
  ]
  if (errors.length > 0) throw invalid(kind, object.metadata.name ?? '', errors)
}

/** What only Kubernetes' own kinds demand. Faults: 422. */
export function validateBuiltin(served: ServedKind, object: AnyResource, old: AnyResource | undefined): void {
  if (!served.kind.builtin) return
  const errors = checkBuiltin(served, object, old)
  if (errors.length > 0) throw invalid(served.kind, object.metadata.name ?? '', errors)
}

const maxAnnotationBytes = 256 * 1024

function checkMetadata(served: ServedKind, metadata: ObjectMeta, old: ObjectMeta | undefined): FieldError[] {
  const errors: FieldError[] = []
  const refuse = (field: string, value: unknown, details: readonly string[]): void => {
    for (const detail of details) errors.push({ field: `metadata.${field}`, type: 'FieldValueInvalid', value, detail })
  }
  if (old === undefined) refuse('name', metadata.name, nameErrors(served, metadata.name))
  for (const [key, value] of entriesOf(metadata.labels)) {
    refuse('labels', key, qualifiedNameErrors(key))
    if (typeof value === 'string') refuse('labels', value, labelValueErrors(value))
  }
  let annotationBytes = 0
  for (const [key, value] of entriesOf(metadata.annotations)) {
    refuse('annotations', key, qualifiedNameErrors(key.toLowerCase()))
    annotationBytes += key.length + (typeof value === 'string' ? value.length : 0)
  }
  if (annotationBytes > maxAnnotationBytes) {
    errors.push({
      field: 'metadata.annotations',
      type: 'FieldValueTooLong',
      detail: `may not be more than ${maxAnnotationBytes} bytes`,
    })
  }
  for (const finalizer of listOf(metadata.finalizers)) {
    if (typeof finalizer === 'string') refuse('finalizers', finalizer, qualifiedNameErrors(finalizer))
  }
  const controllers = listOf(metadata.ownerReferences).filter(
    (owner) => isObject(owner) && owner['controller'] === true,
  )
  if (controllers.length > 1) {
    refuse('ownerReferences', undefined, ['Only one reference can have Controller set to true'])
  }
  if (old?.deletionTimestamp !== undefined) {
    const added = listOf(metadata.finalizers).filter((finalizer) => !old.finalizers?.includes(String(finalizer)))
    if (added.length > 0) {
      const detail = `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`
      errors.push({ field: 'metadata.finalizers', type: 'FieldValueForbidden', detail })
    }
  }
  return errors
}

function entriesOf(value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : []
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}

function nameErrors({ kind, resource }: ServedKind, name: unknown): string[] {
  if (typeof name !== 'string') return ['must be a string']
  if (resource === 'namespaces') return dns1123LabelErrors(name)
  if (resource === 'services') return dns1035LabelErrors(name)
  if (kind.group === 'rbac.authorization.k8s.io') {
    return name === '.' || name === '..' || /[/%]/.test(name)
      ? [`may not be '.' or '..' and may not contain '/' or '%'`]
      : []
  }
  return dns1123SubdomainErrors(name)
}

type Check = (object: AnyResource, old: AnyResource | undefined) => FieldError[]

/** What must not change once an object is there. */
function immutable(path: string, detail = 'field is immutable'): Check {
  const names = path.split('.')
  return (object, old) => {
    if (old === undefined || equalJson(valueAt(object, names), valueAt(old, names))) return []
    return [{ field: path, type: 'FieldValueInvalid', value: valueAt(object, names), detail }]
  }
}

const checks: Readonly<Record<string, readonly Check[]>> = {
  pods: [checkContainers, checkPodUpdate],
  services: [checkServicePorts, checkClusterIp],
  configmaps: [checkFrozen('data', 'binaryData')],
  secrets: [checkFrozen('data'), immutable('type')],
  'jobs.batch': [immutable('spec.selector'), immutable('spec.template'), immutable('spec.completionMode')],
  'rolebindings.rbac.authorization.k8s.io': [immutable('roleRef', 'cannot change roleRef')],
  'clusterrolebindings.rbac.authorization.k8s.io': [immutable('roleRef', 'cannot change roleRef')],
  'controllerrevisions.apps': [immutable('data')],
  'endpointslices.discovery.k8s.io': [immutable('addressType')],
  'customresourcedefinitions.apiextensions.k8s.io': [
    checkDefinition,
    immutable('spec.group'),
    immutable('spec.scope'),
    immutable('spec.names.kind'),
    immutable('spec.names.plural'),
  ],
}

function checkBuiltin(served: ServedKind, object: AnyResource, old: AnyResource | undefined): FieldError[] {
  return [
    ...(served.kind.check?.(object, old) ?? []),
    ...(checks[served.resource] ?? []).flatMap((check) => check(object, old)),
  ]
}

function checkContainers({ spec }: AnyResource): FieldError[] {
  const containers = listOf(spec?.['containers'])
  if (containers.length === 0) return [{ field: 'spec.containers', type: 'FieldValueRequired', detail: '' }]
  return containers.flatMap((container, i): FieldError[] => {
    const { name, image } = isObject(container) ? container : {}
    const field = `spec.containers[${i}]`
    return [
      ...dns1123LabelErrors(String(name)).map(
        (detail): FieldError => ({ field: `${field}.name`, type: 'FieldValueInvalid', value: name, detail }),
      ),
      ...(typeof image === 'string' && image.trim() !== ''
        ? []
        : [{ field: `${field}.image`, type: 'FieldValueRequired', detail: '' } as const]),
    ]
  })
}

/** Members of a pod's spec that may change; the binding sets `nodeName` by a way of its own. */
const mutablePodFields = [
  'activeDeadlineSeconds',
  'terminationGracePeriodSeconds',
  'tolerations',
  'schedulingGates',
  'nodeName',
]

function checkPodUpdate(object: AnyResource, old: AnyResource | undefined): FieldError[] {
  if (old === undefined) return []
  const bare = (spec: AnyResource['spec']): unknown => ({
    ...spec,
    ...Object.fromEntries(mutablePodFields.map((name) => [name, undefined])),
    containers: listOf(spec?.['containers']).map(withoutImage),
    initContainers: listOf(spec?.['initContainers']).map(withoutImage),
  })
  const bound = old.spec?.['nodeName']
  const moved = bound !== undefined && object.spec?.['nodeName'] !== bound
  if (!moved && equalJson(bare(object.spec), bare(old.spec))) return []
  const detail =
    'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds`'
  return [{ field: 'spec', type: 'FieldValueForbidden', detail }]
}

function withoutImage(container: unknown): unknown {
  return isObject(container) ? { ...container, image: undefined } : container
}

function checkServicePorts({ spec }: AnyResource): FieldError[] {
  const ports = listOf(spec?.['ports'])
  if (ports.length === 0 && spec?.['clusterIP'] !== 'None' && spec?.['type'] !== 'ExternalName') {
    return [{ field: 'spec.ports', type: 'FieldValueRequired', detail: '' }]
  }
  return ports.flatMap((item, i): FieldError[] => {
    const { port, name } = isObject(item) ? item : {}
    const errors: FieldError[] = []
    if (typeof port !== 'number' || port < 1 || port > 65_535) {
      const detail = 'must be between 1 and 65535, inclusive'
      errors.push({ field: `spec.ports[${i}].port`, type: 'FieldValueInvalid', value: port, detail })
    }
    if (ports.length > 1 && !name)
      errors.push({ field: `spec.ports[${i}].name`, type: 'FieldValueRequired', detail: '' })
    return errors
  })
}

function checkClusterIp(object: AnyResource, old: AnyResource | undefined): FieldError[] {
  const [now, before] = [object, old].map((service) => valueAt(service, ['spec', 'clusterIP']))
  if (old === undefined || before === undefined || now === before || object.spec?.['type'] === 'ExternalName') return []
  return [{ field: 'spec.clusterIPs[0]', type: 'FieldValueInvalid', value: [now], detail: 'may not change once set' }]
}

function checkFrozen(...members: readonly string[]): Check {
  return (object, old) => {
    if (old?.['immutable'] !== true) return []
    const changed = members.filter((name) => !isDeepStrictEqual(object[name] ?? {}, old[name] ?? {}))
    if (object['immutable'] !== true) changed.push('immutable')
    return changed.map((field) => ({
      field,
      type: 'FieldValueForbidden' as const,
      detail: 'field is immutable when `immutable` is set',
    }))
  }
}
