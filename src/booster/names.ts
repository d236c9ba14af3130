/** Names, labels and owner of what a booster makes. All that differs between API families stands in their dialect. */
import { createHash } from 'node:crypto'
import { kindsOf } from '#api/family-kinds.ts'
import type { NormalBackend, NormalBooster } from '#api/model-booster-normal.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { ObjectMeta, OwnerReference } from '#machinery/meta.ts'

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
    labels: {
      ...memberLabels(booster, backend),
      ...booster.dialect.managedBy,
      [booster.dialect.labels.revision]: revision,
    },
    ownerReferences: [ownerReference(booster)],
  }
}

/** What tells whose a child or a pod is. Nothing in it changes during a backend's life, so no pod restarts for it. */
export function memberLabels(booster: NormalBooster, backend: NormalBackend | undefined): Record<string, string> {
  const { labels, managedBy: managers } = booster.dialect
  const { modelName, backendName, managedBy, modelUid } = labels
  return {
    [modelName]: booster.name,
    [backendName]: backend?.name ?? '',
    [managedBy]: managers[managedBy] ?? '',
    [modelUid]: booster.uid,
  }
}

function ownerReference({ dialect, name, uid }: NormalBooster): OwnerReference {
  const { apiVersion, kind } = typeOf(kindsOf(dialect).booster)
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** What an object of the kind says of itself first. */
export function typeOf(kind: Kind): { apiVersion: string; kind: string } {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind }
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
