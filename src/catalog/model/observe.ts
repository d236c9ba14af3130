import type { Clock } from '#base/clock.ts'
import type { AIMModel } from '#api/aim-model.ts'
import { aimAnnotations } from '#api/aim-labels.ts'
import { AIMClusterModel } from '#api/aim-model.ts'
import { AIMService } from '#api/aim-service.ts'
import type { AIMServiceTemplate } from '#api/aim-service-template.ts'
import type { Reader } from '#controller/domain.ts'
import { controllerOf } from '#controller/owned.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import { sameImage } from '../image.ts'
import { servicesByTemplate, templatesByModel } from '../indexes.ts'
import {
  envReferences,
  missingMessage,
  missingOf,
  pullSecretNames,
  secretReferences,
  secretVersions,
} from '../references.ts'
import { resolveRuntimeConfig, type RuntimeConfig, unionByName } from '../runtime-config.ts'
import type { Scope } from '../scope.ts'
import { type CanonicalModel, canonicalModel } from './canonical.ts'
import type { ImageAnswer } from './image-answer.ts'
import { answered, asking, type Circumstances, type Failure, type Inspected, knownOf, requestOf } from './inspection.ts'
import type { Inspector } from './inspector.ts'

/** What a pass over a model decides from. */
export interface Observed {
  readonly scope: Scope
  readonly model: CanonicalModel
  readonly config: RuntimeConfig
  readonly inspected: Inspected
  /** All templates that name the model, whoever made them. */
  readonly templates: readonly AIMServiceTemplate[]
  /** Names of those that services use. */
  readonly used: ReadonlySet<string>
  /** What a template that we would make is called already, by somebody else. */
  readonly taken: (name: string) => boolean
  /** What the environment names and is not there. */
  readonly missingEnv: readonly string[]
  /** A pull secret that is named and not there. */
  readonly missingSecret: string | undefined
  readonly unsupportedSecrets: readonly string[]
  readonly ignoredDeployments: readonly string[]
  /** A model of the cluster that this one stands before. */
  readonly shadows: string | undefined
}

export interface ModelSources {
  readonly scope: Scope
  readonly inspector: Inspector
  readonly clock: Clock
  /** Of Secrets and ConfigMaps of the cluster's models. */
  readonly systemNamespace: string
}

export function observe(object: AIMModel, read: Reader, sources: ModelSources): Observed {
  const { scope, systemNamespace } = sources
  const model = canonicalModel(object)
  const { spec } = object
  const namespace = model.namespace ?? systemNamespace
  const config = resolveRuntimeConfig(read, { name: spec.runtimeConfigName, namespace: model.namespace })
  const missingSecret = missingOf(secretReferences(spec.imagePullSecrets), namespace, read)[0]
  const { inspected, answer } = inspectModel(object, read, { ...sources, namespace, config, missingSecret })
  const all = read.find(scope.template, templatesByModel, model.name)
  return {
    scope,
    model,
    config,
    inspected,
    templates: all.filter((template) => template.metadata.namespace === model.namespace),
    used: usedNames(all, model.namespace, read),
    taken(name) {
      const live = read.get(scope.template, { namespace: model.namespace, name })
      return live !== undefined && controllerOf(live)?.uid !== object.metadata.uid
    },
    missingEnv: missingOf(envReferences(spec.env), namespace, read).map((each) => missingMessage(each, namespace)),
    missingSecret: missingSecret && missingMessage(missingSecret, namespace),
    unsupportedSecrets: answer?.result.ok === true ? answer.result.image.unsupportedSecrets : [],
    ignoredDeployments: answer?.result.ok === true ? answer.result.image.ignored : [],
    shadows: model.namespace === undefined ? undefined : shadowedBy(model, read),
  }
}

interface Asking extends ModelSources {
  readonly namespace: string
  readonly config: RuntimeConfig
  readonly missingSecret: Parameters<typeof missingMessage>[0] | undefined
}

function inspectModel(
  object: AIMModel,
  read: Reader,
  { inspector, clock, namespace, config, missingSecret }: Asking,
): { readonly inspected: Inspected; readonly answer?: ImageAnswer } {
  const { spec, status } = object
  const { imagePullSecrets, serviceAccountName } = config.spec
  const account = { namespace, name: spec.serviceAccountName || serviceAccountName || 'default' }
  const secrets = pullSecretNames(unionByName(spec.imagePullSecrets, imagePullSecrets), account, read)
  const request = requestOf(object, secretVersions(secrets, namespace, read))
  const hindrance: Failure | undefined = missingSecret && {
    reason: 'SecretNotFound',
    message: missingMessage(missingSecret, namespace),
  }
  const circumstances: Circumstances = {
    extract: canonicalModel(object).extract ?? config.spec.model?.autoDiscovery ?? true,
    request,
    hindrance,
    nowMs: clock.now(),
  }
  const known = knownOf(object, circumstances)
  if (known !== undefined) return { inspected: known }
  if (config.missing) return { inspected: asking(object) }
  const former = status?.inspection
  // An answer that the status knows already is not the one that is asked for now.
  const sinceMs =
    former?.request === request ? Date.parse(former.nextAttemptTime ?? former.lastAttemptTime ?? '') || 0 : 0
  const fresh = object.metadata.annotations?.[aimAnnotations.reinspect] !== undefined
  const question = { request, image: spec.image, pullSecrets: secrets, namespace, fresh }
  const answer = inspector.look(keyOf(placeOf(object)), question, sinceMs)
  if (answer === undefined) return { inspected: asking(object) }
  return { inspected: answered(object, answer, circumstances), answer }
}

function usedNames(
  templates: readonly AIMServiceTemplate[],
  namespace: string | undefined,
  read: Reader,
): ReadonlySet<string> {
  const names = templates.map(({ metadata }) => metadata.name ?? '')
  return new Set(
    names.filter((name) =>
      read
        .find(AIMService, servicesByTemplate, name)
        .some(({ metadata }) => namespace === undefined || metadata.namespace === namespace),
    ),
  )
}

function shadowedBy({ name, image }: CanonicalModel, read: Reader): string | undefined {
  const shared = read
    .list(AIMClusterModel)
    .find((each) => each.metadata.name === name || sameImage(each.spec.image, image))
  return shared?.metadata.name
}
