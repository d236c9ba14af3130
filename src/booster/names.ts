/** Names, labels and owner of what a booster makes. All that differs between API families stands in `family`. */
import { createHash } from 'node:crypto'
import { groups, managedByLabels, modelLabels, servingLabels } from '#api/labels.ts'
import type { NormalBackend, NormalBooster } from '#api/model-booster-normal.ts'
import type { ObjectMeta, OwnerReference } from '#machinery/meta.ts'

/** Our field manager, and the source of our events. */
export const controllerName = 'model-booster-controller'

/** The one API family spoken so far; what another would do differently stands here. */
export const family = {
  labels: modelLabels,
  managedBy: managedByLabels,
  podLabels: servingLabels,
  owner: { apiVersion: `${groups.workload}/v1alpha1`, kind: 'ModelBooster' },
  servingKind: 'ModelServing',
  /** In the controller's own namespace; tells which images the platform's own containers run. */
  configMap: {
    name: 'model-booster-controller-config',
    downloaderKey: 'model_serving_downloader_image',
    runtimeKey: 'model_serving_runtime_image',
  },
  images: { downloader: 'kthena/downloader:latest', runtime: 'kthena/runtime:latest' },
} as const

/** Of ModelServing and ModelServer, and of a backend's own autoscaling objects. */
export function backendChildName(booster: Pick<NormalBooster, 'name'>, backend: Pick<NormalBackend, 'name'>): string {
  return `${booster.name}-${backend.name}`
}

/**
 * Metadata of a child; without a backend it belongs to the model as a whole. `revision` is a hash of the spec that we
 * want: it tells that a field was given up, which comparing values cannot.
 */
export function childMeta(booster: NormalBooster, backend: NormalBackend | undefined, revision: string): ObjectMeta {
  return {
    name: backend === undefined ? booster.name : backendChildName(booster, backend),
    ...(booster.namespace === undefined ? {} : { namespace: booster.namespace }),
    labels: { ...memberLabels(booster, backend), ...family.managedBy, [family.labels.revision]: revision },
    ownerReferences: [ownerReference(booster)],
  }
}

/** What tells whose a child or a pod is. Nothing in it changes during a backend's life, so no pod restarts for it. */
export function memberLabels(booster: NormalBooster, backend: NormalBackend | undefined): Record<string, string> {
  const { modelName, backendName, managedBy, modelUid } = family.labels
  return {
    [modelName]: booster.name,
    [backendName]: backend?.name ?? '',
    [managedBy]: family.managedBy[managedBy],
    [modelUid]: booster.uid,
  }
}

function ownerReference({ name, uid }: NormalBooster): OwnerReference {
  return { ...family.owner, name, uid, controller: true, blockOwnerDeletion: true }
}

const maxContainerName = 63

/** `<model>-<suffix>`, shortened with a hash of the model's name where that is no container name. */
export function containerName(model: string, suffix: string): string {
  const name = `${model}-${suffix}`
  if (name.length <= maxContainerName && !name.includes('.')) return name
  const digest = md5(model).slice(0, 8)
  const room = maxContainerName - digest.length - suffix.length - 2
  return `${model.replaceAll('.', '-').slice(0, Math.min(40, room))}-${digest}-${suffix}`
}

/** Lower-case hex; names the directory of a downloaded source, so it must never change. */
export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex')
}
