import { Job, Pod } from '#api/core/kinds.ts'
import type { AIMModel } from '#api/aim-model.ts'
import { AIMClusterModel, AIMModel as AIMModelKind } from '#api/aim-model.ts'
import { AIMClusterRuntimeConfig, AIMRuntimeConfig } from '#api/aim-runtime-config.ts'
import type { AIMServiceTemplate, AIMServiceTemplateStatus } from '#api/aim-service-template.ts'
import { aimLabels } from '#api/aim-labels.ts'
import type { ControllerDefinition, Watch } from '#controller/controller.ts'
import type { Index, Reader } from '#controller/domain.ts'
import { keysOfController } from '#controller/owned.ts'
import { keyOf, type Kind, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { needsGpu } from '../gpu/availability.ts'
import { inventoryWatch } from '../gpu/inventory-watch.ts'
import { hardwareOf } from '../hardware.ts'
import { templatesByConfig, templatesByModel } from '../indexes.ts'
import { configMapNames, envReferences, secretNames, secretReferences } from '../references.ts'
import type { Scope } from '../scope.ts'
import { type Observed, observe, type TemplateSources } from './observe.ts'
import { plan } from './plan.ts'
import { status } from './status.ts'

/** Finds out whether and how each template can run. */
export function templateController(
  sources: TemplateSources,
): ControllerDefinition<AIMServiceTemplate, Observed, AIMServiceTemplateStatus> {
  const { scope, systemNamespace } = sources
  return {
    name: scope.templateManager,
    kind: scope.template,
    domain: { observe: (template, read, signal) => observe(template, read, sources, signal), plan, status },
    watches: watchesOf(scope, systemNamespace),
  }
}

function watchesOf(scope: Scope, systemNamespace: string): Watch[] {
  const { template: kind } = scope
  const keysIn = (templates: readonly AIMServiceTemplate[], namespace: string | undefined): string[] =>
    templates
      .filter(({ metadata }) => namespace === undefined || (metadata.namespace ?? systemNamespace) === namespace)
      .map((template) => keyOf(placeOf(template)))
  const naming =
    (index: Index<AIMServiceTemplate>): Watch['keysOf'] =>
    ({ metadata }, read) =>
      keysIn(read.find(kind, index, metadata.name ?? ''), metadata.namespace)
  const isNamespaced = kind.namespaced
  const models = isNamespaced ? [AIMModelKind, AIMClusterModel] : [AIMClusterModel]
  const configs = isNamespaced ? [AIMRuntimeConfig, AIMClusterRuntimeConfig] : [AIMClusterRuntimeConfig]
  return [
    { kind: Job, keysOf: keysOfController(kind) },
    { kind: Pod, keysOf: (pod, read) => templateOfPod(pod, read) },
    ...models.map((each: Kind<AIMModel>): Watch => ({ kind: each as Kind, keysOf: naming(templatesByModel) })),
    ...configs.map((each): Watch => ({ kind: each as Kind, keysOf: naming(templatesByConfig) })),
    inventoryWatch((read) =>
      read
        .list(kind)
        .filter(({ spec }) => needsGpu(hardwareOf(spec)?.gpu))
        .map((template) => keyOf(placeOf(template))),
    ),
    { kind: secretNames, keysOf: naming(bySecret) },
    { kind: configMapNames, keysOf: naming(byConfigMap) },
  ]

  function templateOfPod({ metadata }: Resource, read: Reader): string[] {
    const uid = metadata.labels?.[aimLabels.templateUid]
    if (uid === undefined) return []
    return read.find(kind, byUid, uid).map((template) => keyOf(placeOf(template)))
  }
}

const byUid: Index<AIMServiceTemplate> = { name: 'uid', valuesOf: ({ metadata }) => [metadata.uid ?? ''] }

const bySecret: Index<AIMServiceTemplate> = {
  name: 'aimSecret',
  valuesOf: ({ spec }) =>
    [...secretReferences(spec.imagePullSecrets), ...envReferences(spec.env)]
      .filter((reference) => reference.kind === 'Secret')
      .map(({ name }) => name),
}

const byConfigMap: Index<AIMServiceTemplate> = {
  name: 'aimConfigMap',
  valuesOf: ({ spec }) =>
    envReferences(spec.env)
      .filter((reference) => reference.kind === 'ConfigMap')
      .map(({ name }) => name),
}
