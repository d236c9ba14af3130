import { equalJson } from '#base/json.ts'
import {
  type FieldError,
  forbiddenField,
  invalidField,
  requiredField,
  unlessKept,
  unlessOneOf,
  unsupportedField,
} from '#machinery/field-error.ts'
import { selectorErrors } from '#machinery/label-selector.ts'
import { dns1123SubdomainErrors } from '#machinery/names.ts'
import { compareQuantities, parseQuantity } from '#machinery/quantity.ts'
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
} from './types.generated.ts'

/** What must hold of volumes and claims to them. Pure. Source: Kubernetes, pkg/apis/core/validation/validation.go. */
export function checkClaim({ spec = {}, status }: PersistentVolumeClaim, old?: PersistentVolumeClaim): FieldError[] {
  const { accessModes = [], selector } = spec
  const storage = spec.resources?.requests?.['storage']
  return [
    ...(accessModes.length === 0 ? [requiredField('spec.accessModes', 'at least 1 access mode is required')] : []),
    ...(selector === undefined ? [] : selectorErrors('spec.selector', selector)),
    ...modesErrors(accessModes),
    ...(storage === undefined
      ? [requiredField('spec.resources[storage]')]
      : positiveErrors('spec.resources[storage]', storage)),
    ...classErrors(spec.storageClassName),
    ...unlessOneOf('spec.volumeMode', spec.volumeMode, volumeModes),
    ...(old === undefined ? [] : keptClaimErrors(spec, old, status?.phase === 'Bound')),
  ]
}

const maySayMore =
  'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims'
const volumeModes = ['Block', 'Filesystem']
const zero = parseQuantity(0)

function keptClaimErrors(
  spec: PersistentVolumeClaimSpec,
  { spec: old = {}, status }: PersistentVolumeClaim,
  isBound: boolean,
): FieldError[] {
  const fixed = ({
    resources,
    volumeAttributesClassName,
    volumeName,
    ...rest
  }: PersistentVolumeClaimSpec): unknown => ({
    ...rest,
    ...(isBound ? {} : { resources, volumeAttributesClassName }),
    ...(old.volumeName === undefined ? {} : { volumeName }),
  })
  const size = parseQuantity(spec.resources?.requests?.['storage'] ?? 0)
  const before = parseQuantity(old.resources?.requests?.['storage'] ?? 0)
  const had = parseQuantity(status?.capacity?.['storage'] ?? 0)
  const shrinks = compareQuantities(size, before) < 0 && compareQuantities(size, had) <= 0
  return [
    ...(equalJson(fixed(spec), fixed(old)) ? [] : [forbiddenField('spec', maySayMore)]),
    ...(shrinks
      ? [forbiddenField('spec.resources.requests.storage', 'field can not be less than status.capacity')]
      : []),
    ...unlessKept('volumeMode', spec.volumeMode, old.volumeMode),
  ]
}

export function checkVolume({ spec = {} }: PersistentVolume, old?: PersistentVolume): FieldError[] {
  const { capacity, accessModes = [] } = spec
  return [
    ...(accessModes.length === 0 ? [requiredField('spec.accessModes')] : []),
    ...modesErrors(accessModes),
    ...capacityErrors(capacity),
    ...unlessOneOf('spec.persistentVolumeReclaimPolicy', spec.persistentVolumeReclaimPolicy, [
      'Delete',
      'Recycle',
      'Retain',
    ]),
    ...sourceErrors(spec),
    ...classErrors(spec.storageClassName),
    ...unlessOneOf('spec.volumeMode', spec.volumeMode, volumeModes),
    ...(old === undefined ? [] : keptVolumeErrors(spec, old.spec ?? {})),
  ]
}

function keptVolumeErrors(spec: PersistentVolumeSpec, old: PersistentVolumeSpec): FieldError[] {
  const source = sourcesOf(spec).map(([, value]) => value)
  const kept = equalJson(
    source,
    sourcesOf(old).map(([, value]) => value),
  )
  const field = 'spec.persistentvolumesource'
  return [
    ...(kept ? [] : [forbiddenField(field, `${field} is immutable after creation`)]),
    ...unlessKept('volumeMode', spec.volumeMode, old.volumeMode),
  ]
}

const notSources: ReadonlySet<string> = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
])

function sourcesOf(spec: PersistentVolumeSpec): [name: string, source: unknown][] {
  return Object.entries(spec).filter(([name, value]) => value !== undefined && !notSources.has(name))
}

function sourceErrors(spec: PersistentVolumeSpec): FieldError[] {
  const [first, ...others] = sourcesOf(spec)
  if (first === undefined) return [requiredField('spec', 'must specify a volume type')]
  const { hostPath, nfs, local, nodeAffinity } = spec
  return [
    ...(hostPath?.path === '' ? [requiredField('spec.hostPath.path')] : []),
    ...(nfs?.server === '' ? [requiredField('spec.nfs.server')] : []),
    ...(nfs?.path === '' ? [requiredField('spec.nfs.path')] : []),
    ...(local?.path === '' ? [requiredField('spec.local.path')] : []),
    ...(local === undefined || nodeAffinity?.required !== undefined
      ? []
      : [requiredField('spec.nodeAffinity', 'Local volume requires node affinity')]),
    ...others.map(([name]) => forbiddenField(`spec.${name}`, 'may not specify more than 1 volume type')),
  ]
}

function capacityErrors(capacity: PersistentVolumeSpec['capacity'] = {}): FieldError[] {
  const field = 'spec.capacity'
  const names = Object.keys(capacity)
  const isStorage = names.length === 1 && names[0] === 'storage'
  return [
    ...(names.length === 0 ? [requiredField(field)] : []),
    ...(isStorage ? [] : [unsupportedField(field, names.length === 0 ? null : capacity, ['storage'])]),
    ...Object.entries(capacity).flatMap(([name, quantity]) => positiveErrors(`${field}[${name}]`, quantity)),
  ]
}

const accessModesThereAre = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod']

function modesErrors(modes: readonly string[]): FieldError[] {
  const field = 'spec.accessModes'
  const alone =
    modes.includes('ReadWriteOncePod') &&
    modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModesThereAre.includes(mode))
  return [
    ...modes.flatMap((mode) => unlessOneOf(field, mode, accessModesThereAre)),
    ...(alone ? [forbiddenField(field, 'may not use ReadWriteOncePod with other access modes')] : []),
  ]
}

function positiveErrors(field: string, quantity: number | string): FieldError[] {
  return compareQuantities(parseQuantity(quantity), zero) > 0
    ? []
    : invalidField(field, quantity, 'must be greater than zero')
}

function classErrors(name = ''): FieldError[] {
  return name === '' ? [] : invalidField('spec.storageClassName', name, ...dns1123SubdomainErrors(name))
}
