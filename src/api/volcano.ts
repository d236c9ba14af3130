/**
 * What we write of Volcano's PodGroup, from whatever version of it is installed; its scheduler places the pods of a group
 * all or none, near to each other where that is asked for.
 */
import type { Kind } from '#machinery/kind.ts'
import type { ObjectMeta } from '#machinery/meta.ts'
import { generatedSchema } from './generated-schema.ts'
import type { PodGroupSpec } from './schemas/volcano.ts'
export type { PodGroupSpec } from './schemas/volcano.ts'

export type PodGroup = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  spec?: PodGroupSpec
}

export const PodGroup: Kind<PodGroup> = {
  group: 'scheduling.volcano.sh',
  version: 'v1beta1',
  kind: 'PodGroup',
  plural: 'podgroups',
  singular: 'podgroup',
  listKind: 'PodGroupList',
  shortNames: ['pg'],
  categories: [],
  namespaced: true,
  status: false,
  columns: [],
  builtin: false,
  schema: generatedSchema('podgroups.scheduling.volcano.sh'),
}

/** On pods: the PodGroup that they belong to, and which part of it. On a ModelServing: the queue of its PodGroups. */
export const volcanoAnnotations = {
  groupName: 'scheduling.k8s.io/group-name',
  taskSpec: 'volcano.sh/task-spec',
  queueName: 'scheduling.volcano.sh/queue-name',
} as const

export const volcanoScheduler = 'volcano'
