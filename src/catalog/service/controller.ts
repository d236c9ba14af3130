import { Service } from '#api/core/kinds.ts'
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMClusterRuntimeConfig, AIMRuntimeConfig } from '#api/aim-runtime-config.ts'
import { AIMService, type AIMServiceStatus } from '#api/aim-service.ts'
import { AIMClusterServiceTemplate, AIMServiceTemplate } from '#api/aim-service-template.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { ControllerDefinition, Watch } from '#controller/controller.ts'
import type { Reader } from '#controller/domain.ts'
import { keysOfController } from '#controller/owned.ts'
import { keyOf, type Kind, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { inventoryWatch } from '../gpu/inventory-watch.ts'
import { configNameOf } from '../indexes.ts'
import { sameImage } from '../image.ts'
import { controllerNames } from '../names.ts'
import { configMapNames, secretNames } from '../references.ts'
import { type Observed, observe } from './observe.ts'
import { plan } from './plan.ts'
import { status } from './status.ts'

/** Serves models of the catalog. */
export function serviceController(): ControllerDefinition<AIMService, Observed, AIMServiceStatus> {
  return {
    name: controllerNames.service,
    kind: AIMService,
    domain: { observe: (service, read) => observe(service, read), plan, status },
    watches: [
      ...[ModelServing, ModelServer, ModelRoute, Service].map(
        (kind): Watch => ({ kind: kind as Kind, keysOf: keysOfController(AIMService as Kind) }),
      ),
      ...[AIMModel, AIMClusterModel].map((kind): Watch => ({ kind: kind as Kind, keysOf: ofModel })),
      ...[AIMServiceTemplate, AIMClusterServiceTemplate].map(
        (kind): Watch => ({ kind: kind as Kind, keysOf: ofTemplate }),
      ),
      ...[AIMRuntimeConfig, AIMClusterRuntimeConfig].map((kind): Watch => ({ kind: kind as Kind, keysOf: ofConfig })),
      ...[secretNames, configMapNames].map((kind): Watch => ({ kind, keysOf: inNamespace })),
      inventoryWatch((read) => read.list(AIMService).map((service) => keyOf(placeOf(service)))),
    ],
  }
}

function services(read: Reader, { metadata }: Resource, wanted: (service: AIMService) => boolean): string[] {
  const found = read.list(AIMService, metadata.namespace === undefined ? {} : { namespace: metadata.namespace })
  return found.filter(wanted).map((service) => keyOf(placeOf(service)))
}

function ofModel(model: Resource, read: Reader): string[] {
  const { image } = (model as AIMModel).spec
  return services(read, model, ({ spec }) => {
    const { name, ref, image: wanted, custom } = spec.model
    return (
      (name ?? ref) === model.metadata.name ||
      (wanted !== undefined && sameImage(wanted, image)) ||
      custom !== undefined
    )
  })
}

/** Through the model: a template that was not chosen may come to be. */
function ofTemplate(template: Resource, read: Reader): string[] {
  const { name } = template.metadata
  const { modelName } = (template as AIMServiceTemplate).spec
  return services(read, template, ({ spec, status }) => {
    const names = [spec.template?.name, spec.templateName, status?.resolvedTemplate?.name]
    const models = [spec.model.name, spec.model.ref, status?.resolvedModel?.name]
    return names.includes(name) || models.includes(modelName)
  })
}

function ofConfig(config: Resource, read: Reader): string[] {
  return services(read, config, (service) => configNameOf(service) === config.metadata.name)
}

/** Those that miss something. */
function inNamespace(object: Resource, read: Reader): string[] {
  return services(read, object, ({ status }) =>
    (status?.conditions ?? []).some(({ type, status: value }) => type === 'ConfigValid' && value === 'False'),
  )
}
