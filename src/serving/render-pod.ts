import type { Container, EnvVar, Pod, PodTemplateSpec } from '#api/core/types.generated.ts'
import { routableGate, servingAnnotations, servingEnv } from '#api/labels.ts'
import type { ModelServing } from '#api/model-serving.ts'
import { volcanoAnnotations, volcanoScheduler } from '#api/volcano.ts'
import { controllerReference } from '#controller/owned.ts'
import type { AnyResource, OwnerReference } from '#machinery/meta.ts'
import { podLabelsOf } from './dialect.ts'
import { groupName, type PodPosition, podName, replicaName, serviceName } from './names.ts'
import { type RoleTemplate, roleRevisionOf } from './revision.ts'

export interface PodPlace {
  readonly serving: ModelServing
  readonly role: RoleTemplate
  readonly position: PodPosition
  /** Revision of the whole set of roles. */
  readonly revision: string
  readonly incarnation: number
  /** Whether its readiness waits for the routers. */
  readonly gated: boolean
  /** Whether it is placed with the rest of its group. */
  readonly gang: boolean
}

/** The pod at one position: the role's template, our labels and environment on top. */
export function renderPod({ serving, role, position, revision, incarnation, gated, gang }: PodPlace): Pod {
  const entry = position.index === 0
  const template: PodTemplateSpec = (entry ? role.entryTemplate : role.workerTemplate) ?? {}
  const name = serving.metadata.name ?? ''
  const podLabels = podLabelsOf(serving)
  const env: EnvVar[] = [
    { name: servingEnv.groupSize, value: String(role.workerReplicas + 1) },
    { name: servingEnv.entryAddress, value: `${serviceName(name, position)}.${serving.metadata.namespace}` },
    { name: servingEnv.workerIndex, value: String(position.index) },
  ]
  const spec = template.spec
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: podName(name, position),
      namespace: serving.metadata.namespace ?? '',
      labels: {
        ...template.metadata?.labels,
        ...replicaLabels(serving, position),
        [podLabels.revision]: revision,
        [podLabels.roleTemplateHash]: roleRevisionOf(role),
        ...(entry ? { [podLabels.entry]: 'true' } : {}),
      },
      ...annotationsOf(template, {
        ...(incarnation > 1 && { [servingAnnotations.incarnation]: String(incarnation) }),
        ...(gang && gangAnnotations(name, position)),
      }),
      ownerReferences: [ownerReference(serving)],
    },
    spec: {
      ...spec,
      ...(gated && { readinessGates: [...(spec?.readinessGates ?? []), { conditionType: routableGate }] }),
      ...schedulerOf(serving, gang),
      ...(spec?.initContainers && { initContainers: spec.initContainers.map((container) => withEnv(container, env)) }),
      containers: (spec?.containers ?? []).map((container) => withEnv(container, env)),
    },
  }
}

function schedulerOf({ spec: { schedulerName } }: ModelServing, gang: boolean) {
  if (schedulerName !== undefined) return { schedulerName }
  return gang ? { schedulerName: volcanoScheduler } : {}
}

function gangAnnotations(serving: string, { group, role, replica }: PodPosition): Record<string, string> {
  return {
    [volcanoAnnotations.groupName]: groupName(serving, group),
    [volcanoAnnotations.taskSpec]: replicaName(role, replica),
  }
}

function annotationsOf({ metadata }: PodTemplateSpec, own: Readonly<Record<string, string>>) {
  const annotations = { ...metadata?.annotations, ...own }
  return Object.keys(annotations).length === 0 ? {} : { annotations }
}

/** Ours come last and win, so that a template cannot take a pod out of its group by an environment variable. */
function withEnv(container: Container, env: readonly EnvVar[]): Container {
  const own = new Set(env.map((variable) => variable.name))
  return { ...container, env: [...(container.env ?? []).filter((variable) => !own.has(variable.name)), ...env] }
}

/**
 * The headless service that makes `ENTRY_ADDRESS` resolve before the entry pod is ready.
 * No ports: it is there for its name alone.
 */
export function renderService(serving: ModelServing, position: Omit<PodPosition, 'index'>): AnyResource {
  const name = serving.metadata.name ?? ''
  const podLabels = podLabelsOf(serving)
  const { [podLabels.name]: _, ...selector } = replicaLabels(serving, position)
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: serviceName(name, position),
      namespace: serving.metadata.namespace ?? '',
      labels: replicaLabels(serving, position),
      ownerReferences: [ownerReference(serving)],
    },
    spec: {
      clusterIP: 'None',
      publishNotReadyAddresses: true,
      selector: { ...selector, [podLabels.entry]: 'true' },
    },
  }
}

function replicaLabels(
  serving: ModelServing,
  { group, role, replica }: Omit<PodPosition, 'index'>,
): Record<string, string> {
  const { name = '' } = serving.metadata
  const podLabels = podLabelsOf(serving)
  return {
    [podLabels.name]: name,
    [podLabels.groupName]: groupName(name, group),
    [podLabels.role]: role,
    [podLabels.roleId]: replicaName(role, replica),
  }
}

export function ownerReference(serving: ModelServing): OwnerReference {
  return { ...controllerReference(serving), blockOwnerDeletion: true }
}
