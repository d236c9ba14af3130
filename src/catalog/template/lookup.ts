/** The model of a template: one of its namespace, else one of the cluster. */
import type { AimStatus, ResolvedReference } from '#api/aim-fields.ts'
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import type { AIMServiceTemplate } from '#api/aim-service-template.ts'
import type { Reader } from '#controller/domain.ts'
import type { Component } from '../rollup.ts'
import { clusterScope, namespaceScope, type Scope } from '../scope.ts'

export interface FoundModel {
  readonly model: AIMModel
  readonly scope: 'Namespace' | 'Cluster'
}

export function findModel({ metadata, spec }: AIMServiceTemplate, read: Reader): FoundModel | undefined {
  return modelNamed(spec.modelName, metadata.namespace, read)
}

export function modelNamed(name: string, namespace: string | undefined, read: Reader): FoundModel | undefined {
  const own = namespace === undefined ? undefined : read.get(AIMModel, { namespace, name })
  if (own !== undefined) return { model: own, scope: 'Namespace' }
  const shared = read.get(AIMClusterModel, { name })
  return shared && { model: shared, scope: 'Cluster' }
}

export function modelReference({ model, scope }: FoundModel): ResolvedReference {
  const { kind, metadata } = model
  const { name, namespace, uid } = metadata
  return { name, ...(namespace !== undefined && { namespace }), scope, kind, uid }
}

/** What a model is not ready for because of its templates does not count: they wait for each other otherwise. */
const aboutTemplates: ReadonlySet<string> = new Set([
  'Ready',
  namespaceScope.templatesReady,
  clusterScope.templatesReady,
])
const unhealthy: ReadonlySet<AimStatus> = new Set(['Failed', 'Degraded'])

export function modelComponent(found: FoundModel | undefined, scope: Scope, modelName: string): Component {
  const type = scope.modelReady
  const kind = scope.name === 'Cluster' ? 'ClusterModel' : 'Model'
  if (found === undefined) {
    const message = `there is no ${scope.name === 'Cluster' ? 'AIMClusterModel' : 'AIMModel or AIMClusterModel'} ${modelName}`
    return { type, state: 'Failed', reason: 'ModelNotFound', message }
  }
  const { conditions = [], status } = found.model.status ?? {}
  const trouble = conditions.find(
    (condition) =>
      condition.type.endsWith('Ready') && !aboutTemplates.has(condition.type) && condition.status === 'False',
  )
  if (trouble === undefined || status === undefined || !unhealthy.has(status)) {
    return { type, state: 'Ready', reason: `${kind}Found`, message: `${found.model.kind} ${modelName}` }
  }
  const message = `${found.model.kind} ${modelName} is ${status}: ${trouble.message}`
  return { type, state: status, reason: `${kind}Failed`, message }
}
