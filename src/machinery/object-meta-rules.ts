import { equalJson } from '#base/json.ts'
import {
  type FieldError,
  forbiddenField,
  immutable,
  invalidField,
  requiredField,
  tooLongField,
  unsupportedField,
} from './field-error.ts'
import type { ManagedFieldsEntry, ObjectMeta, OwnerReference } from './meta.ts'
import { dns1123LabelErrors, labelValueErrors, qualifiedNameErrors } from './names.ts'

/**
 * What must hold of the metadata of any object. Pure.
 * Source: apimachinery, `pkg/api/validation/objectmeta.go`; of `standardFinalizers` Kubernetes, `pkg/apis/core/validation`.
 */
export interface MetaRules {
  readonly namespaced: boolean
  readonly nameErrors: (name: string) => string[]
  /** Finalizers without a domain are those of Kubernetes itself, as on most of its own kinds. */
  readonly standardFinalizers: boolean
}

const maxAnnotationBytes = 256 * 1024
const orphan = 'orphan'
const foreground = 'foregroundDeletion'

/** Of an object to be created, once its name is known. */
export function objectMetaErrors(metadata: ObjectMeta, rules: MetaRules): FieldError[] {
  const { name = '', generateName = '' } = metadata
  const errors = [
    ...(generateName === '' ? [] : invalid('generateName', generateName, rules.nameErrors(asPrefix(generateName)))),
    ...(name === ''
      ? [required('name', 'name or generateName is required')]
      : invalid('name', name, rules.nameErrors(name))),
  ]
  return [...errors, ...placeErrors(metadata, rules), ...commonErrors(metadata), ...finalizerErrors(metadata, rules)]
}

/** Of an object as it shall be, against what it was. */
export function objectMetaUpdateErrors(metadata: ObjectMeta, old: ObjectMeta, rules: MetaRules): FieldError[] {
  const { generation = 0 } = metadata
  return [
    ...(old.deletionTimestamp === undefined ? [] : newFinalizerErrors(metadata, old)),
    ...(metadata.resourceVersion ? [] : invalid('resourceVersion', '', ['must be specified for an update'])),
    ...(generation < (old.generation ?? 0) ? invalid('generation', generation, ['must not be decremented']) : []),
    ...fixed.flatMap((name) =>
      equalJson(metadata[name], old[name]) ? [] : invalid(name, metadata[name], [immutable]),
    ),
    ...commonErrors(metadata),
    ...finalizerErrors(metadata, rules),
  ]
}

const fixed = [
  'name',
  'namespace',
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
] as const

/** A name to be gone on with may end with a hyphen. */
function asPrefix(name: string): string {
  return name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name
}

function placeErrors({ namespace = '' }: ObjectMeta, { namespaced }: MetaRules): FieldError[] {
  if (!namespaced) return namespace === '' ? [] : [forbidden('namespace', 'not allowed on this type')]
  return namespace === '' ? [required('namespace')] : invalid('namespace', namespace, dns1123LabelErrors(namespace))
}

function commonErrors({ labels, annotations, ownerReferences = [], managedFields = [] }: ObjectMeta): FieldError[] {
  return [
    ...labelErrors('metadata.labels', labels),
    ...annotationErrors(annotations),
    ...ownerReferences.flatMap(ownerErrors),
    ...controllerErrors(ownerReferences),
    ...managedFields.flatMap(managedFieldsErrors),
  ]
}

/** Of labels anywhere, such as those of a pod template. */
export function labelErrors(field: string, labels: Readonly<Record<string, string>> = {}): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => [
    ...invalidField(field, key, ...qualifiedNameErrors(key)),
    ...invalidField(field, value, ...labelValueErrors(value)),
  ])
}

function annotationErrors(annotations: Readonly<Record<string, string>> = {}): FieldError[] {
  const errors = Object.keys(annotations).flatMap((key) =>
    invalid('annotations', key, qualifiedNameErrors(key.toLowerCase())),
  )
  const bytes = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  )
  return bytes <= maxAnnotationBytes ? errors : [...errors, tooLongField('metadata.annotations', maxAnnotationBytes)]
}

function ownerErrors(owner: OwnerReference, i: number): FieldError[] {
  const field = `ownerReferences[${i}]`
  const [group, version] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/', 2) : ['', owner.apiVersion]
  const missing = (name: 'apiVersion' | 'kind' | 'name' | 'uid'): FieldError[] =>
    owner[name] === '' ? [required(`${field}.${name}`, 'must not be empty')] : []
  const unread = owner.apiVersion !== '' && (owner.apiVersion.split('/').length > 2 || version === '')
  const isEvent = owner.kind === 'Event' && version === 'v1' && group === ''
  return [
    ...missing('apiVersion'),
    ...(unread ? invalid(`${field}.apiVersion`, owner.apiVersion, ['must be <group>/<version> or <version>']) : []),
    ...missing('kind'),
    ...missing('name'),
    ...missing('uid'),
    ...(isEvent ? invalid(field, inGoOrder(owner), ['/v1, Kind=Event is disallowed from being an owner']) : []),
  ]
}

function controllerErrors(owners: readonly OwnerReference[]): FieldError[] {
  const [first, ...others] = owners.filter(({ controller }) => controller === true)
  return others.flatMap((other) =>
    invalid('ownerReferences', owners.map(inGoOrder), [
      `Only one reference can have Controller set to true. Found "true" in references for ${first?.kind}/${first?.name} and ${other.kind}/${other.name}`,
    ]),
  )
}

/** Go writes members in the order of its types, whatever order they came in. */
function inGoOrder({ apiVersion, kind, name, uid, controller, blockOwnerDeletion }: OwnerReference): OwnerReference {
  return {
    apiVersion,
    kind,
    name,
    uid,
    ...(controller === undefined ? {} : { controller }),
    ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
  }
}

function finalizerErrors({ finalizers = [] }: ObjectMeta, { standardFinalizers }: MetaRules): FieldError[] {
  const errors = finalizers.flatMap((name) => invalid('finalizers', name, qualifiedNameErrors(name)))
  if (finalizers.includes(orphan) && finalizers.includes(foreground)) {
    errors.push(...invalid('finalizers', finalizers, [`finalizer ${orphan} and ${foreground} cannot be both set`]))
  }
  if (!standardFinalizers) return errors
  return [...errors, ...finalizers.flatMap((name, i) => standardFinalizerErrors(`metadata.finalizers[${i}]`, name))]
}

/** Finalizers must have a domain, unless they are Kubernetes' own. */
export function standardFinalizerErrors(field: string, name: string): FieldError[] {
  if (name.includes('/') || [orphan, foreground, 'kubernetes'].includes(name)) return []
  return invalidField(field, name, 'name is neither a standard finalizer name nor is it fully qualified')
}

function newFinalizerErrors({ finalizers = [] }: ObjectMeta, old: ObjectMeta): FieldError[] {
  const added = finalizers.filter((name) => old.finalizers?.includes(name) !== true)
  if (added.length === 0) return []
  const shown = [...new Set(added)].sort().map((name) => JSON.stringify(name))
  return [
    forbidden(
      'finalizers',
      `no new finalizers can be added if the object is being deleted, found new finalizers []string{${shown.join(', ')}}`,
    ),
  ]
}

function managedFieldsErrors({ operation, fieldsType }: ManagedFieldsEntry, i: number): FieldError[] {
  const field = `metadata.managedFields[${i}]`
  const errors: FieldError[] = []
  if (!operation) errors.push(required(`managedFields[${i}].operation`, 'must not be empty'))
  else if (operation !== 'Apply' && operation !== 'Update') {
    errors.push(unsupportedField(`${field}.operation`, operation, ['Apply', 'Update']))
  }
  if (fieldsType && fieldsType !== 'FieldsV1')
    errors.push(...invalidField(`${field}.fieldsType`, fieldsType, 'must be `FieldsV1`'))
  return errors
}

function invalid(member: string, value: unknown, details: readonly string[]): FieldError[] {
  return invalidField(`metadata.${member}`, value, ...details)
}

function required(member: string, detail?: string): FieldError {
  return requiredField(`metadata.${member}`, detail)
}

function forbidden(member: string, detail: string): FieldError {
  return forbiddenField(`metadata.${member}`, detail)
}
