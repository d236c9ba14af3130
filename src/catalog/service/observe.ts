import { Node, Service } from '#api/core/kinds.ts'
import type { AIMService } from '#api/aim-service.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { Reader } from '#controller/domain.ts'
import { inventoryOf } from '../gpu/inventory.ts'
import { envReferences, missingMessage, missingOf, secretReferences } from '../references.ts'
import { resolveRuntimeConfig, type RuntimeConfig } from '../runtime-config.ts'
import { canonicalService, type CanonicalService } from './canonical.ts'
import { type Ingredients, serviceEnv, workloadName } from './render.ts'
import { type ModelResolution, resolveModel } from './resolve-model.ts'
import { resolveTemplate, type TemplateResolution } from './resolve-template.ts'

export interface Observed {
  readonly canonical: CanonicalService
  readonly config: RuntimeConfig
  readonly model: ModelResolution
  readonly template: TemplateResolution
  /** What children are made from; `undefined` while something of it is missing. */
  readonly ingredients: Ingredients | undefined
  readonly missing: readonly string[]
  readonly serving: ModelServing | undefined
  readonly server: ModelServer | undefined
  readonly route: ModelRoute | undefined
  readonly address: Service | undefined
}

export function observe(service: AIMService, read: Reader): Observed {
  const canonical = canonicalService(service)
  const { namespace, name } = canonical
  const config = resolveRuntimeConfig(read, { name: service.spec.runtimeConfigName, namespace })
  const model = resolveModel(service, canonical, read)
  const inventory = inventoryOf(read.list(Node))
  const template = resolveTemplate(service, canonical, { model: model.found, inventory, read })
  const ingredients = ingredientsOf({ service, canonical, config, model, template })
  const env = ingredients === undefined ? (service.spec.env ?? []) : serviceEnv(ingredients)
  const references = [...secretReferences(service.spec.imagePullSecrets), ...envReferences(env)]
  const workload = workloadName(canonical)
  return {
    canonical,
    config,
    model,
    template,
    ingredients,
    missing: missingOf(references, namespace, read).map((each) => missingMessage(each, namespace)),
    serving: read.get(ModelServing, { namespace, name: workload }),
    server: read.get(ModelServer, { namespace, name: workload }),
    route: read.get(ModelRoute, { namespace, name }),
    address: read.get(Service, { namespace, name: `${workload}-predictor` }),
  }
}

type Sources = Pick<Observed, 'canonical' | 'config' | 'model' | 'template'> & { readonly service: AIMService }

function ingredientsOf({ service, canonical, config, model, template }: Sources): Ingredients | undefined {
  const { found } = model
  if (found === undefined || template.found === undefined) return undefined
  const { metadata, spec, status } = found.model
  const canonicalName = status?.imageMetadata?.model?.canonicalName
  return {
    service,
    canonical,
    model: { spec, name: metadata.name ?? '', canonicalName },
    template: template.found.template,
    config: config.spec,
  }
}
