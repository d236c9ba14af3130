import type { PodTemplateSpec } from '#api/core/types.generated.ts'
import type { LeaderWorkerSet } from '#api/leader-worker-set.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { Plan, Why } from '#controller/domain.ts'
import { controllerOf, controllerReference } from '#controller/owned.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'

export interface Observed {
  /** Of the same name, whoever's it is. */
  readonly serving: ModelServing | undefined
}

/** The count that the LeaderWorkerSet last asked for: while it asks for the same, whoever scaled the ModelServing since is right. */
const askedReplicas = 'fairlead.dev/leader-worker-set-replicas'

export function plan(set: LeaderWorkerSet, observed: Observed): Plan {
  const { metadata, spec } = set
  // What an API server without the schema of the kind may have let through is not looked into.
  if (metadata.deletionTimestamp !== undefined || spec?.leaderWorkerTemplate?.workerTemplate === undefined) {
    return { stages: [] }
  }
  const why = { reason: 'ModelServingApplied', note: `its pods are those of ModelServing ${metadata.name}` }
  return {
    stages: [[{ do: 'apply', kind: ModelServing, object: render(set, spec, observed), why }]],
    notes: unsupported(spec),
  }
}

export const isOwn = (set: LeaderWorkerSet, serving: ModelServing | undefined): serving is ModelServing =>
  serving !== undefined && controllerOf(serving)?.uid === set.metadata.uid

type Spec = NonNullable<LeaderWorkerSet['spec']>

function render(set: LeaderWorkerSet, spec: Spec, { serving }: Observed): AnyResource {
  const { name = '', namespace = '' } = set.metadata
  const { replicas = 1, leaderWorkerTemplate: template, rolloutStrategy } = spec
  const own = isOwn(set, serving) ? serving : undefined
  const asked = String(replicas)
  const isUnchanged = own?.metadata.annotations?.[askedReplicas] === asked
  const pace = rolloutStrategy?.rollingUpdateConfiguration
  return {
    apiVersion: apiVersionOf(ModelServing),
    kind: ModelServing.kind,
    metadata: {
      name,
      namespace,
      annotations: { [askedReplicas]: asked },
      ownerReferences: [{ ...controllerReference(set), blockOwnerDeletion: true }],
    },
    spec: {
      replicas: isUnchanged ? own.spec.replicas : replicas,
      recoveryPolicy: template.restartPolicy?.startsWith('None') === true ? 'None' : 'ServingGroupRecreate',
      plugins: [{ name: 'lws-standard-labels', type: 'BuiltIn' }],
      ...(pace !== undefined && {
        rolloutStrategy: { type: 'ServingGroupRollingUpdate', rollingUpdateConfiguration: pace },
      }),
      template: {
        roles: [
          {
            name: 'default',
            replicas: 1,
            entryTemplate: podsOf(template.leaderTemplate ?? template.workerTemplate),
            workerReplicas: Math.max(0, (template.size ?? 1) - 1),
            workerTemplate: podsOf(template.workerTemplate),
          },
        ],
      },
    },
  }
}

/** Labels and annotations are all that a ModelServing takes of a template's metadata. */
function podsOf({ metadata, spec }: PodTemplateSpec): PodTemplateSpec {
  const { labels, annotations } = metadata ?? {}
  return {
    ...((labels ?? annotations) !== undefined && {
      metadata: { ...(labels && { labels }), ...(annotations && { annotations }) },
    }),
    ...(spec !== undefined && { spec }),
  }
}

function unsupported({ startupPolicy, networkConfig }: Spec): Why[] {
  const fields = [
    ...(startupPolicy === 'LeaderReady' ? ['spec.startupPolicy: LeaderReady'] : []),
    ...(networkConfig === undefined ? [] : ['spec.networkConfig']),
  ]
  return fields.map((field) => ({ type: 'Warning', reason: 'NotSupported', note: `${field} has no effect here` }))
}
