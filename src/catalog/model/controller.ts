import type { Clock } from '#base/clock.ts'
import { Node, ServiceAccount } from '#api/core/kinds.ts'
import type { LocalObjectReference } from '#api/core/types.generated.ts'
import { AIMClusterModel, type AIMModel, type AIMModelStatus } from '#api/aim-model.ts'
import { AIMClusterRuntimeConfig, AIMRuntimeConfig, type AIMRuntimeConfigSpec } from '#api/aim-runtime-config.ts'
import { AIMService } from '#api/aim-service.ts'
import type { AIMServiceTemplate } from '#api/aim-service-template.ts'
import type { ControllerDefinition, Watch } from '#controller/controller.ts'
import type { Index, Reader } from '#controller/domain.ts'
import { keyOf, type Kind, placeOf } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { modelsByConfig, servicesByTemplate } from '../indexes.ts'
import { configMapNames, envReferences, secretNames, secretReferences } from '../references.ts'
import type { Scope } from '../scope.ts'
import { Inspector, type ReadImage } from './inspector.ts'
import { type Observed, observe } from './observe.ts'
import { plan } from './plan.ts'
import { status } from './status.ts'

export interface ModelOptions {
  readonly scope: Scope
  readonly readImage: ReadImage
  readonly clock: Clock
  readonly systemNamespace: string
}

/** Looks at the image of each model and makes its templates. */
export function modelController(options: ModelOptions): ControllerDefinition<AIMModel, Observed, AIMModelStatus> {
  const { scope, systemNamespace, clock } = options
  const inspector = new Inspector(options.readImage, clock)
  const sources = { scope, systemNamespace, clock, inspector }
  return {
    name: scope.modelManager,
    kind: scope.model,
    domain: { observe: (model, read) => observe(model, read, sources), plan, status },
    listen: (wake) => inspector.listen(wake),
    watches: watchesOf(scope, systemNamespace),
  }
}

/** Passes read them, so their caches must be filled before the first; what happens to them wakes nobody. */
const readBeside: readonly Kind[] = [AIMClusterModel, Node] as readonly Kind[]

function watchesOf(scope: Scope, systemNamespace: string): Watch[] {
  const isNamespaced = scope.model.namespaced
  const modelsIn = (models: readonly AIMModel[], namespace: string | undefined): string[] =>
    models
      .filter(({ metadata }) => namespace === undefined || (metadata.namespace ?? systemNamespace) === namespace)
      .map(keyOfObject)
  const naming =
    (index: Index<AIMModel>): Watch['keysOf'] =>
    ({ metadata }, read) =>
      modelsIn(read.find(scope.model, index, metadata.name ?? ''), metadata.namespace)
  const configs = isNamespaced ? [AIMRuntimeConfig, AIMClusterRuntimeConfig] : [AIMClusterRuntimeConfig]
  return [
    {
      kind: scope.template,
      keysOf: (template) => [keyOf({ ...template.metadata, name: (template as AIMServiceTemplate).spec.modelName })],
    },
    ...configs.map((kind): Watch => ({ kind, keysOf: naming(modelsByConfig) })),
    { kind: secretNames, keysOf: ofSecret },
    { kind: configMapNames, keysOf: naming(byConfigMap) },
    { kind: ServiceAccount, keysOf: ofAccount },
    ...readBeside.map((kind): Watch => ({ kind, keysOf: () => [] })),
    { kind: AIMService, keysOf: (service, read) => modelsOfService(scope, service as AIMService, read) },
  ]

  /** Of those that name it, or whose account or runtime config does. */
  function ofSecret(secret: Resource, read: Reader): string[] {
    const { name, namespace } = secret.metadata
    const isNamed = ({ imagePullSecrets = [] }: WithPullSecrets) => imagePullSecrets.some((each) => each.name === name)
    const accounts = read.list(ServiceAccount, { namespace }).filter(isNamed)
    return [
      ...naming(bySecret)(secret, read),
      ...accounts.flatMap((account) => ofAccount(account, read)),
      ...byDefault(namespace, read, isNamed),
    ]
  }

  function ofAccount(account: Resource, read: Reader): string[] {
    const { name, namespace } = account.metadata
    const ofDefault = byDefault(namespace, read, ({ serviceAccountName }) => serviceAccountName === name)
    return [...naming(byAccount)(account, read), ...ofDefault]
  }

  /** Models of the namespace for which such a runtime config holds. */
  function byDefault(
    namespace: string | undefined,
    read: Reader,
    isSuch: (config: AIMRuntimeConfigSpec) => boolean,
  ): string[] {
    const all = configs.flatMap((kind) => read.list(kind, kind.namespaced ? { namespace } : {}))
    const names = new Set(all.filter(({ spec }) => isSuch(spec)).map(({ metadata }) => metadata.name ?? ''))
    return [...names].flatMap((name) => modelsIn(read.find(scope.model, modelsByConfig, name), namespace))
  }
}

interface WithPullSecrets {
  readonly imagePullSecrets?: readonly LocalObjectReference[] | undefined
}

const bySecret: Index<AIMModel> = {
  name: 'aimSecret',
  valuesOf: ({ spec }) =>
    [...secretReferences(spec.imagePullSecrets), ...envReferences(spec.env)]
      .filter(({ kind }) => kind === 'Secret')
      .map(({ name }) => name),
}

const byConfigMap: Index<AIMModel> = {
  name: 'aimConfigMap',
  valuesOf: ({ spec }) =>
    envReferences(spec.env)
      .filter(({ kind }) => kind === 'ConfigMap')
      .map(({ name }) => name),
}

const byAccount: Index<AIMModel> = {
  name: 'aimAccount',
  valuesOf: ({ spec }) => [spec.serviceAccountName || 'default'],
}

/** A template that nobody uses any more may go. */
function modelsOfService({ template: kind }: Scope, service: AIMService, read: Reader): string[] {
  const namespace = kind.namespaced ? service.metadata.namespace : undefined
  return servicesByTemplate.valuesOf(service).flatMap((name) => {
    const template = read.get(kind, { namespace, name })
    return template === undefined ? [] : [keyOf({ ...template.metadata, name: template.spec.modelName })]
  })
}

function keyOfObject(object: Resource): string {
  return keyOf(placeOf(object))
}
