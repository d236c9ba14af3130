/** What every Kubernetes object carries. Plain JSON: timestamps stay RFC 3339 strings. */
export interface ObjectMeta {
  name?: string
  generateName?: string
  namespace?: string
  uid?: string
  resourceVersion?: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  deletionGracePeriodSeconds?: number
  labels?: Record<string, string>
  annotations?: Record<string, string>
  finalizers?: string[]
  ownerReferences?: OwnerReference[]
  managedFields?: ManagedFieldsEntry[]
}

export interface OwnerReference {
  apiVersion: string
  kind: string
  name: string
  uid: string
  controller?: boolean
  blockOwnerDeletion?: boolean
}

export interface ManagedFieldsEntry {
  manager: string
  operation: 'Apply' | 'Update'
  apiVersion: string
  time?: string
  fieldsType: 'FieldsV1'
  fieldsV1: Record<string, unknown>
  subresource?: string
}

export interface Resource {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
}

/** A resource of a kind that is not known at compile time. */
export interface AnyResource extends Resource {
  spec?: Record<string, unknown>
  status?: Record<string, unknown>
  [member: string]: unknown
}

export interface ResourceList<T extends Resource = Resource> {
  apiVersion: string
  kind: string
  metadata: ListMeta
  items: T[]
}

export interface ListMeta {
  resourceVersion?: string
  continue?: string
  remainingItemCount?: number
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  observedGeneration?: number
  lastTransitionTime: string
  reason: string
  message: string
}

/** Where an object lives, without its kind. */
export interface Place {
  readonly namespace?: string | undefined
  readonly name: string
}
