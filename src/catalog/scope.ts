/** The two scopes of the catalog: what is a namespace's own, and what all of them share. */
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMClusterServiceTemplate, AIMServiceTemplate } from '#api/aim-service-template.ts'
import { groups } from '#api/labels.ts'
import type { Kind } from '#machinery/kind.ts'
import { controllerNames } from './names.ts'

export interface Scope {
  readonly name: 'Namespace' | 'Cluster'
  readonly model: Kind<AIMModel>
  readonly template: Kind<AIMServiceTemplate>
  readonly modelManager: string
  readonly templateManager: string
  /** Label of a template: its model, as other operators of this API look for it. */
  readonly modelNameLabel: string
  /** Types of conditions. */
  readonly templatesReady: string
  readonly modelReady: string
}

export const namespaceScope: Scope = {
  name: 'Namespace',
  model: AIMModel,
  template: AIMServiceTemplate,
  modelManager: controllerNames.model,
  templateManager: controllerNames.template,
  modelNameLabel: `${groups.aim}/model.name`,
  templatesReady: 'ServiceTemplatesReady',
  modelReady: 'ModelReady',
}

export const clusterScope: Scope = {
  name: 'Cluster',
  model: AIMClusterModel,
  template: AIMClusterServiceTemplate,
  modelManager: controllerNames.clusterModel,
  templateManager: controllerNames.clusterTemplate,
  modelNameLabel: `${groups.aim}/cluster-model.name`,
  templatesReady: 'ClusterServiceTemplatesReady',
  modelReady: 'ClusterModelReady',
}
