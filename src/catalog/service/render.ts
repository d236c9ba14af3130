/** What serves a service: groups of pods, how the router speaks to them, an address, and a route. Pure. */
import type { AIMModelSpec } from '#api/aim-model.ts'
import type { AIMService } from '#api/aim-service.ts'
import { aimAnnotations, aimLabels } from '#api/aim-labels.ts'
import type { AIMServiceTemplate } from '#api/aim-service-template.ts'
import type { AIMRuntimeConfigSpec } from '#api/aim-runtime-config.ts'
import { Service } from '#api/core/kinds.ts'
import type { EnvVar, ResourceRequirements } from '#api/core/types.generated.ts'
import { servingEnv, servingLabels } from '#api/labels.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import { controllerReference } from '#controller/owned.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { mergeEnv } from '../environment.ts'
import { derivedName, labelOfName, labelValue } from '../names.ts'
import { propagatedLabels, unionByName } from '../runtime-config.ts'
import type { CanonicalService } from './canonical.ts'

const enginePort = 8000
const longestWorkload = 48

/** All that its children are made from. */
export interface Ingredients {
  readonly service: AIMService
  readonly canonical: CanonicalService
  readonly model: { readonly spec: AIMModelSpec; readonly name: string; readonly canonicalName: string | undefined }
  readonly template: AIMServiceTemplate
  readonly config: AIMRuntimeConfigSpec
}

/** Pods are named after it, so it must begin with a letter and leave them room. */
export function workloadName({ name, namespace }: Pick<CanonicalService, 'name' | 'namespace'>): string {
  const plain = `${name}-aim`
  if (plain.length <= longestWorkload && /^[a-z][-a-z0-9]*$/.test(plain)) return plain
  const derived = (prefix: string) =>
    prefix + derivedName([name, 'aim'], { inputs: [namespace, name], max: longestWorkload - prefix.length })
  return /^[a-z]/.test(name) ? derived('') : derived('m-')
}

export function routedName({ metadata }: AIMService): string {
  return metadata.annotations?.[aimAnnotations.routeModelName] || (metadata.name ?? '')
}

export function renderServing(ingredients: Ingredients): AnyResource {
  const { canonical, model, template, service } = ingredients
  const { resolvedNodeAffinity: nodeAffinity } = template.status ?? {}
  const pullSecrets = pullSecretsOf(ingredients)
  const account = accountOf(ingredients)
  const pod = {
    ...(pullSecrets.length > 0 && { imagePullSecrets: pullSecrets }),
    ...(account !== undefined && { serviceAccountName: account }),
    ...(nodeAffinity !== undefined && { affinity: { nodeAffinity } }),
    containers: [
      {
        name: 'engine',
        image: model.spec.image,
        env: serviceEnv(ingredients),
        resources: serviceResources(ingredients),
        ports: [{ name: 'http', containerPort: enginePort, protocol: 'TCP' }],
        readinessProbe: { tcpSocket: { port: enginePort }, periodSeconds: 10, timeoutSeconds: 1, failureThreshold: 3 },
        volumeMounts: [{ name: 'dshm', mountPath: '/dev/shm' }],
      },
    ],
    volumes: [{ name: 'dshm', emptyDir: { medium: 'Memory', sizeLimit: '8Gi' } }],
  }
  const role = {
    name: 'leader',
    replicas: 1,
    workerReplicas: 0,
    entryTemplate: { metadata: { labels: labelsOf(ingredients) }, spec: pod },
  }
  return child(ModelServing, workloadName(canonical), ingredients, {
    replicas: canonical.replicas,
    recoveryPolicy: 'RoleRecreate',
    rolloutStrategy: {
      type: 'ServingGroupRollingUpdate',
      rollingUpdateConfiguration: { maxUnavailable: 1 },
    },
    template: { restartGracePeriodSeconds: restartGraceSeconds(service), roles: [role] },
  })
}

const defaultGraceSeconds = 300

function restartGraceSeconds({ metadata }: AIMService): number {
  const given = Number(metadata.annotations?.['aim.eai.amd.com/restart-grace-seconds'] ?? defaultGraceSeconds)
  return Number.isInteger(given) && given >= 0 && given <= 86_400 ? given : defaultGraceSeconds
}

export function renderServer(ingredients: Ingredients): AnyResource {
  const { canonical, service, template, config } = ingredients
  const name = workloadName(canonical)
  const served = servedName(ingredients)
  const timeout = service.spec.routing?.requestTimeout ?? config.routing?.requestTimeout
  const engine = template.status?.profile?.metadata?.engine ?? ''
  return child(ModelServer, name, ingredients, {
    ...(served !== undefined && { model: served }),
    inferenceEngine: /sglang/i.test(engine) ? 'SGLang' : 'vLLM',
    workloadSelector: { matchLabels: { [servingLabels.name]: name, [servingLabels.entry]: 'true' } },
    workloadPort: { port: enginePort, protocol: 'http' },
    ...(timeout !== undefined && { trafficPolicy: { timeout } }),
  })
}

export function renderAddress(ingredients: Ingredients): AnyResource {
  const name = workloadName(ingredients.canonical)
  return child(Service, `${name}-predictor`, ingredients, {
    selector: { [servingLabels.name]: name, [servingLabels.entry]: 'true' },
    ports: [{ name: 'http', port: 80, targetPort: enginePort, protocol: 'TCP' }],
  })
}

export function renderRoute(ingredients: Ingredients): AnyResource {
  const { canonical, service, config } = ingredients
  const annotations = { ...config.routing?.annotations, ...service.spec.routing?.annotations }
  const route = child(ModelRoute, canonical.name, ingredients, {
    modelName: routedName(service),
    rules: [{ name: 'default', targetModels: [{ modelServerName: workloadName(canonical) }] }],
  })
  return Object.keys(annotations).length === 0 ? route : { ...route, metadata: { ...route.metadata, annotations } }
}

function child(kind: Kind, name: string, ingredients: Ingredients, spec: Record<string, unknown>): AnyResource {
  const { service } = ingredients
  return {
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: {
      name,
      namespace: service.metadata.namespace ?? '',
      labels: labelsOf(ingredients),
      ownerReferences: [controllerReference(service)],
    },
    spec,
  }
}

function labelsOf({ service, canonical, model, template, config }: Ingredients): Record<string, string> {
  const { metric, precision } = template.status?.profile?.metadata ?? {}
  return {
    ...propagatedLabels(service.metadata.labels, config),
    'app.kubernetes.io/component': 'inference',
    'app.kubernetes.io/managed-by': 'aim-engine',
    [aimLabels.service]: labelOfName(canonical.name),
    [aimLabels.template]: labelOfName(template.metadata.name ?? ''),
    [aimLabels.model]: labelOfName(model.name),
    ...(metric !== undefined && { [aimLabels.metric]: labelValue(metric) }),
    ...(precision !== undefined && { [aimLabels.precision]: labelValue(precision) }),
  }
}

/** What the serving sets itself. */
const reserved: ReadonlySet<string> = new Set(Object.values(servingEnv))

export function serviceEnv({ service, model, template, config }: Ingredients): EnvVar[] {
  const { profileId, metric, precision, env, modelSources = [] } = template.spec
  const asked = [
    ['AIM_PROFILE_ID', profileId],
    ['AIM_METRIC', metric],
    ['AIM_PRECISION', precision],
    ['AIM_MODEL_ID', modelSources[0]?.modelId],
  ] as const
  const fixed = [
    { name: 'AIM_CACHE_PATH', value: '/workspace/cache' },
    { name: 'VLLM_ENABLE_METRICS', value: 'true' },
  ]
  const fromTemplate = asked.flatMap(([name, value]) => (value === undefined || value === '' ? [] : [{ name, value }]))
  const merged = mergeEnv(fixed, config.env, model.spec.env, fromTemplate, env, service.spec.env)
  return merged.filter(({ name }) => !reserved.has(name))
}

function pullSecretsOf({ service, model, template, config }: Ingredients) {
  return unionByName(
    service.spec.imagePullSecrets,
    template.spec.imagePullSecrets,
    model.spec.imagePullSecrets,
    config.imagePullSecrets,
  )
}

function accountOf({ service, model, template, config }: Ingredients): string | undefined {
  const accounts = [service, template, model].map(({ spec }) => spec.serviceAccountName)
  return [...accounts, config.serviceAccountName].find((name) => name !== undefined && name !== '')
}

const perGpu = { cpu: 4, memoryGi: 32, memoryLimitGi: 48 }

/** From the number of GPUs; then what model, template and service say, one over the other. GPUs are never overcommitted. */
function serviceResources({ service, model, template }: Ingredients): ResourceRequirements {
  const { requests: count = 0, resourceName = 'amd.com/gpu' } = template.status?.resolvedHardware?.gpu ?? {}
  const { cpu } = template.status?.resolvedHardware ?? {}
  const byGpu =
    count === 0
      ? { requests: {}, limits: {} }
      : {
          requests: {
            cpu: `${perGpu.cpu * count}`,
            memory: `${perGpu.memoryGi * count}Gi`,
            [resourceName]: `${count}`,
          },
          limits: { memory: `${perGpu.memoryLimitGi * count}Gi`, [resourceName]: `${count}` },
        }
  const byCpu = {
    requests: cpu === undefined ? {} : { cpu: cpu.requests },
    limits: cpu?.limits === undefined ? {} : { cpu: cpu.limits },
  }
  const layers = [byGpu, byCpu, model.spec.resources, template.spec.resources, service.spec.resources]
  const merge = (side: 'requests' | 'limits') =>
    Object.assign({}, ...layers.map((layer) => layer?.[side])) as Record<string, string>
  const [requests, limits] = [merge('requests'), merge('limits')]
  const extended = Object.keys({ ...requests, ...limits }).filter((name) => name.includes('/'))
  for (const name of extended) {
    const value =
      service.spec.resources?.limits?.[name] ??
      service.spec.resources?.requests?.[name] ??
      limits[name] ??
      requests[name]
    requests[name] = limits[name] = String(value)
  }
  return {
    ...(Object.keys(requests).length > 0 && { requests }),
    ...(Object.keys(limits).length > 0 && { limits }),
  }
}

/** What the engine calls the model; the router rewrites requests to it. */
function servedName(ingredients: Ingredients): string | undefined {
  const { service, model, template } = ingredients
  const env = serviceEnv(ingredients)
  const valueOf = (name: string) => env.find((variable) => variable.name === name)?.value
  const candidates = [
    service.metadata.annotations?.[aimAnnotations.servedModelName],
    servedNameIn(valueOf('AIM_ENGINE_ARGS')),
    valueOf('AIM_MODEL_ID'),
    model.canonicalName,
    template.status?.modelSources?.[0]?.modelId,
  ]
  return candidates.find((name) => name !== undefined && name !== '')
}

function servedNameIn(engineArguments: string | undefined): string | undefined {
  try {
    const args = JSON.parse(engineArguments ?? '{}') as Record<string, unknown>
    const given = args['served-model-name'] ?? args['served_model_name']
    const first: unknown = Array.isArray(given) ? given[0] : given
    return typeof first === 'string' ? first : undefined
  } catch {
    return undefined // the engine will say so
  }
}
