/** Keys of labels and annotations, and names of environment variables, that our kinds and their readers agree on. */

/** On every child of a ModelBooster, and but for the revision on its pods. */
export const modelLabels = {
  modelName: 'workload.serving.volcano.sh/model-name',
  /** Empty on what belongs to the model as a whole. */
  backendName: 'workload.serving.volcano.sh/backend-name',
  managedBy: 'workload.serving.volcano.sh/managed-by',
  modelUid: 'workload.serving.volcano.sh/model-uid',
  revision: 'workload.serving.volcano.sh/revision',
  /** The earlier key, for tools that select on it. */
  registryManagedBy: 'registry.volcano.sh/managed-by',
} as const

/** The value of each managed-by label is the group of its key. */
export const managedByLabels = {
  [modelLabels.managedBy]: 'workload.serving.volcano.sh',
  [modelLabels.registryManagedBy]: 'registry.volcano.sh',
} as const

/** On the pods of a backend whose LoRA adapters may change while engines run. */
export const loraAnnotations = {
  /** From the template: what an engine starts with, as JSON from names to sources. */
  template: 'workload.serving.volcano.sh/lora-template',
  /** On each pod: what its engine has by now. */
  loaded: 'workload.serving.volcano.sh/lora-loaded',
} as const

/** On the pods and services of a ModelServing. */
export const servingLabels = {
  /** Name of the ModelServing. */
  name: 'modelserving.volcano.sh/name',
  /** `<serving>-<group ordinal>`. */
  groupName: 'modelserving.volcano.sh/group-name',
  role: 'modelserving.volcano.sh/role',
  /** `<role>-<replica ordinal>`; unique within its group only. */
  roleId: 'modelserving.volcano.sh/role-id',
  /** `"true"` on the entry pod of a role replica, absent elsewhere. */
  entry: 'modelserving.volcano.sh/entry',
  /** Hash of all roles. */
  revision: 'modelserving.volcano.sh/revision',
  /** Hash of the pod's own role. */
  roleTemplateHash: 'modelserving.volcano.sh/role-template-hash',
} as const

export const servingAnnotations = {
  /** On a pod: which making of its role replica it belongs to, from 2 on. */
  incarnation: 'fairlead.dev/incarnation',
  /** On a ModelServing, and from there on its pods: a new value makes all pods anew, as a changed template would. */
  restartedAt: 'fairlead.dev/restarted-at',
} as const

/**
 * Readiness gate and condition of an entry pod: whether routers send it requests. Until somebody has said so they may, for
 * they are who is asked; `False` takes it out of routing while it goes on with what it has.
 */
export const routableGate = 'fairlead.dev/Routable'

/** In every container of a ModelServing's pods. */
export const servingEnv = {
  /** Pods of this role replica, entry included. */
  groupSize: 'GROUP_SIZE',
  /** `<entry pod>.<namespace>`, the headless service of the role replica. */
  entryAddress: 'ENTRY_ADDRESS',
  /** 0 on the entry pod. */
  workerIndex: 'WORKER_INDEX',
} as const

export const groups = {
  workload: 'workload.serving.volcano.sh',
  networking: 'networking.serving.volcano.sh',
  aim: 'aim.eai.amd.com',
} as const
