/**
 * The API families that say the same in other words: groups, kinds, labels, and a few habits of their controllers. One planner
 * serves them all; whatever differs stands here, as data.
 */
import { groups, managedByLabels, modelLabels, servingLabels } from './labels.ts'

export interface Dialect {
  readonly name: 'kthena' | 'matrixinfer'
  /** Field manager of what the controller writes for a model, and source of its events. */
  readonly controllerName: string
  /** Groups of the objects of each kind. */
  readonly groups: Readonly<Record<DialectKind, string>>
  readonly boosterKind: string
  readonly servingKind: string
  readonly labels: Readonly<Record<keyof typeof modelLabels, string>>
  readonly managedBy: Readonly<Record<string, string>>
  readonly podLabels: Readonly<Record<keyof typeof servingLabels, string>>
  /** In the controller's own namespace; tells which images the platform's own containers run. */
  readonly configMap: { readonly name: string; readonly downloaderKey: string; readonly runtimeKey: string }
  readonly images: { readonly downloader: string; readonly runtime: string }
  /** What every serving says besides its template. */
  readonly servingSpec: Readonly<Record<string, unknown>>
  /** Scheduler of disaggregated backends that name none. */
  readonly pairScheduler: string | undefined
  /** After all other arguments of an engine. */
  readonly engineFlags: readonly string[]
  /** Whether engines are told of a Redis by a ConfigMap and a Secret. */
  readonly redis: boolean
  /** Whether a server says how prefill and decode hand over their cache. */
  readonly tellsConnector: boolean
  /** Whose `served-model-name` counts: the first of a worker that answers, or the last of all. */
  readonly servedName: 'first-answering' | 'last'
  /** Words of a serving that this family spells otherwise, ours first. */
  readonly spellings: readonly (readonly [ours: string, theirs: string])[]
}

export type DialectKind = 'booster' | 'serving' | 'server' | 'route' | 'policy' | 'binding'

export const kthena: Dialect = {
  name: 'kthena',
  controllerName: 'model-booster-controller',
  groups: {
    booster: groups.workload,
    serving: groups.workload,
    server: groups.networking,
    route: groups.networking,
    policy: groups.workload,
    binding: groups.workload,
  },
  boosterKind: 'ModelBooster',
  servingKind: 'ModelServing',
  labels: modelLabels,
  managedBy: managedByLabels,
  podLabels: servingLabels,
  configMap: {
    name: 'model-booster-controller-config',
    downloaderKey: 'model_serving_downloader_image',
    runtimeKey: 'model_serving_runtime_image',
  },
  images: { downloader: 'kthena/downloader:latest', runtime: 'kthena/runtime:latest' },
  servingSpec: {},
  pairScheduler: undefined,
  engineFlags: [],
  redis: true,
  tellsConnector: true,
  servedName: 'first-answering',
  spellings: [],
}

const registry = 'registry.matrixinfer.ai'
const pods = 'modelinfer.matrixinfer.ai'

/** What Kthena came from. */
export const matrixinfer: Dialect = {
  name: 'matrixinfer',
  controllerName: 'model-controller',
  groups: {
    booster: registry,
    serving: 'workload.matrixinfer.ai',
    server: 'networking.matrixinfer.ai',
    route: 'networking.matrixinfer.ai',
    policy: registry,
    binding: registry,
  },
  boosterKind: 'Model',
  servingKind: 'ModelInfer',
  labels: {
    modelName: `${registry}/model-name`,
    backendName: `${registry}/backend-name`,
    managedBy: `${registry}/managed-by`,
    modelUid: `${registry}/model-uid`,
    revision: `${registry}/revision`,
    registryManagedBy: modelLabels.registryManagedBy,
  },
  managedBy: { [`${registry}/managed-by`]: registry, [modelLabels.registryManagedBy]: 'registry.volcano.sh' },
  podLabels: {
    name: `${pods}/name`,
    groupName: `${pods}/group-name`,
    role: `${pods}/role`,
    roleId: `${pods}/role-id`,
    entry: `${pods}/entry`,
    revision: `${pods}/revision`,
    roleTemplateHash: `${pods}/role-template-hash`,
  },
  configMap: {
    name: 'model-controller-config',
    downloaderKey: 'model_infer_downloader_image',
    runtimeKey: 'model_infer_runtime_image',
  },
  images: { downloader: 'matrixinfer/downloader:latest', runtime: 'matrixinfer/runtime:latest' },
  servingSpec: { recoveryPolicy: 'InferGroupRecreate', rolloutStrategy: { type: 'InferGroupRollingUpdate' } },
  pairScheduler: 'volcano',
  engineFlags: ['--enforce-eager'],
  redis: false,
  tellsConnector: false,
  servedName: 'last',
  spellings: [
    ['ServingGroupRecreate', 'InferGroupRecreate'],
    ['ServingGroupRollingUpdate', 'InferGroupRollingUpdate'],
    ['Progressing', 'Progerssing'], // as its clients know it
  ],
}

export const dialects: readonly Dialect[] = [kthena, matrixinfer]

/** The family that an object belongs to, by its group; ours where it is of none. */
export function dialectOf({ apiVersion }: { readonly apiVersion: string }): Dialect {
  const group = typeof apiVersion === 'string' ? apiVersion.split('/')[0] : undefined
  return dialects.find((dialect) => Object.values(dialect.groups).some((each) => each === group)) ?? kthena
}
