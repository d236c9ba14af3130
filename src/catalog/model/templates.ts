/**
 * The templates that a model should have. Each name holds a hash over all that cannot be changed later, so a change there
 * makes another template, never one that the API server would refuse.
 */
import { canonicalJson } from '#base/json.ts'
import {
  type AimMetric,
  aimMetrics,
  type AimPrecision,
  aimPrecisions,
  type ImageMetadata,
  type RecommendedDeployment,
} from '#api/aim-fields.ts'
import { aimAnnotations, aimLabels } from '#api/aim-labels.ts'
import type { AIMModelSpec, CustomTemplate } from '#api/aim-model.ts'
import type { AIMServiceTemplateSpec } from '#api/aim-service-template.ts'
import { normalGpu } from '../gpu/devices.ts'
import { mergeEnv } from '../environment.ts'
import { mergeHardware, withResource } from '../hardware.ts'
import { derivedName, labelValue } from '../names.ts'
import type { CanonicalModel } from './canonical.ts'

export interface WantedTemplate {
  readonly name: string
  /** Where somebody else has the name. */
  readonly otherName: string
  readonly spec: AIMServiceTemplateSpec
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

export interface WantedTemplates {
  readonly templates: readonly WantedTemplate[]
  /** Why deployments were left out, one line each. */
  readonly ignored: readonly string[]
}

interface Deployment extends RecommendedDeployment {
  readonly metric?: AimMetric
  readonly precision?: AimPrecision
}

/** One for each deployment that the image recommends. */
export function deploymentTemplates(
  model: CanonicalModel,
  spec: AIMModelSpec,
  metadata: ImageMetadata,
): WantedTemplates {
  const ignored: string[] = []
  const read = (metadata.model?.recommendedDeployments ?? []).flatMap((given, i) => {
    const { metric, precision, wrong } = checked(given)
    if (wrong !== undefined) ignored.push(`recommendedDeployments[${i}]: ${wrong}`)
    return wrong === undefined ? [{ ...given, metric, precision } as Deployment] : []
  })
  const identities = read.map(identityOf)
  const unique = read.filter((_, i) => identities.indexOf(identities[i] ?? '') === i)
  const named = unique.map((each) => ({ each, ...deploymentName(model, each) }))
  const twins = new Map([...Map.groupBy(named, ({ name }) => name)].map(([name, group]) => [name, group.length > 1]))
  const templates = named.map(({ each, parts, hashInput, name }): WantedTemplate => {
    const longName = derivedName(parts, { inputs: [hashInput] })
    const { profileId = '' } = each
    const isTwin = twins.get(name) === true && profileId !== ''
    return {
      name: isTwin ? derivedName(parts, { inputs: [`${hashInput}-${profileId}`] }) : name,
      otherName: longName,
      spec: deploymentSpec(model, spec, each),
      labels: deploymentLabels(each),
      annotations: each.description ? { [aimAnnotations.description]: each.description } : {},
    }
  })
  return { templates, ignored }
}

/** What a template can hold; one that says more is refused whole, and keeps those that are unwanted from going. */
const longestGpuModel = 64
const longestProfileId = 253

function checked({ metric, precision, gpuModel = '', profileId = '' }: RecommendedDeployment): {
  metric?: AimMetric | undefined
  precision?: AimPrecision | undefined
  wrong?: string
} {
  const lower = (text: string | undefined) => text?.trim().toLowerCase() || undefined
  const [wantedMetric, wantedPrecision] = [lower(metric), lower(precision)]
  const foundMetric = aimMetrics.find((each) => each === wantedMetric)
  const foundPrecision = aimPrecisions.find((each) => each === wantedPrecision)
  if (wantedMetric !== foundMetric) return { wrong: `metric ${metric} is none of ${aimMetrics.join(', ')}` }
  if (wantedPrecision !== foundPrecision) {
    return { wrong: `precision ${precision} is none of ${aimPrecisions.join(', ')}` }
  }
  if (gpuModel.length > longestGpuModel) return { wrong: `gpuModel is longer than ${longestGpuModel} characters` }
  if (profileId.length > longestProfileId) return { wrong: `profileId is longer than ${longestProfileId} characters` }
  return { metric: foundMetric, precision: foundPrecision }
}

function identityOf({ gpuModel = '', gpuCount = 0, metric, precision, profileId = '' }: Deployment): string {
  return JSON.stringify([normalGpu(gpuModel), gpuCount, metric, precision, profileId])
}

const shortMetric: Readonly<Record<string, string>> = { latency: 'lat', throughput: 'thr' }

function deploymentName({ name: model, image }: CanonicalModel, deployment: Deployment) {
  const { gpuModel = '', gpuCount = 0, metric = '', precision = '' } = deployment
  const gpu =
    gpuModel === '' ? (gpuCount > 0 ? `x${gpuCount}` : '') : `${gpuCount > 0 ? `${gpuCount}x-` : ''}${gpuModel}`
  const suffix = [gpu, shortMetric[metric] ?? metric, precision].filter((part) => part !== '').join('-')
  const hashed = [gpuModel, gpuCount > 0 ? `x${gpuCount}` : '', metric, precision].filter((part) => part !== '')
  const parts = [image, suffix]
  const hashInput = [model, image, ...hashed].join('-')
  return { parts, hashInput, name: derivedName(parts, { inputs: [hashInput], hashLength: 4 }) }
}

function deploymentSpec(model: CanonicalModel, spec: AIMModelSpec, deployment: Deployment): AIMServiceTemplateSpec {
  const { gpuModel = '', gpuCount = 0, metric, precision, profileId = '' } = deployment
  const requests = gpuCount > 0 ? gpuCount : 1
  const gpu = gpuModel === '' && gpuCount <= 0 ? undefined : { requests, ...(gpuModel !== '' && { model: gpuModel }) }
  return {
    modelName: model.name,
    ...(metric !== undefined && { metric }),
    ...(precision !== undefined && { precision }),
    ...(gpu !== undefined && { hardware: { gpu } }),
    ...(profileId !== '' && { profileId }),
    ...handedDown(spec),
    ...(spec.env !== undefined && { env: spec.env }),
  }
}

/** What a template has of its model as it is. */
function handedDown({ imagePullSecrets, serviceAccountName, runtimeConfigName }: AIMModelSpec) {
  return {
    ...(imagePullSecrets !== undefined && { imagePullSecrets }),
    ...(serviceAccountName !== undefined && { serviceAccountName }),
    ...(runtimeConfigName !== undefined && { runtimeConfigName }),
  }
}

function deploymentLabels({ gpuModel, gpuCount, metric, precision }: Deployment): Record<string, string> {
  return labelsFrom({
    [aimLabels.gpuModel]: gpuModel,
    [aimLabels.gpuCount]: gpuCount === undefined ? undefined : String(gpuCount),
    [aimLabels.templateMetric]: metric,
    [aimLabels.templatePrecision]: precision,
  })
}

/** Those that were spelled out and, of a custom model for which none is, one. */
export function customTemplates(model: CanonicalModel, spec: AIMModelSpec): WantedTemplate[] {
  const entries = spec.customTemplates ?? []
  const all = model.custom && entries.length === 0 ? [undefined] : entries
  return all.map((entry, i) => customTemplate(model, spec, { entry, index: i }))
}

function customTemplate(
  model: CanonicalModel,
  spec: AIMModelSpec,
  { entry, index }: { readonly entry: CustomTemplate | undefined; readonly index: number },
): WantedTemplate {
  const { name: alias, profile: { metric, precision } = {} } = entry ?? {}
  const hardware = mergeHardware(spec.custom?.hardware, entry?.hardware)
  const { gpu, cpu } = hardware ?? {}
  const parts = [model.name, 'custom', alias, precision, gpu?.model || undefined].filter((part) => part !== undefined)
  const inputs = [model.name, alias ?? `#${index}`, precision ?? '', metric ?? '', hardwareText(hardware)]
  const env = mergeEnv(spec.env, entry?.env)
  const labels = labelsFrom({
    [aimLabels.templateAlias]: alias,
    [aimLabels.gpuModel]: gpu?.model,
    [aimLabels.gpuCount]: gpu?.requests === undefined ? undefined : String(gpu.requests),
    [aimLabels.templateMetric]: metric,
    [aimLabels.templatePrecision]: precision,
  })
  return {
    name: derivedName(parts, { inputs }),
    otherName: derivedName(parts, { inputs: [...inputs, 'other'] }),
    spec: {
      modelName: model.name,
      ...(metric !== undefined && { metric }),
      ...(precision !== undefined && { precision }),
      ...(hardware !== undefined && { hardware }),
      ...handedDown(spec),
      ...(env.length > 0 && { env }),
      type: entry?.type ?? spec.custom?.type ?? 'unoptimized',
      ...(model.sources.length > 0 && { modelSources: [...model.sources] }),
      ...(cpu !== undefined && {
        resources: {
          requests: { cpu: cpu.requests },
          ...(cpu.limits !== undefined && { limits: { cpu: cpu.limits } }),
        },
      }),
    },
    labels,
    annotations: {},
  }
}

function hardwareText(hardware: ReturnType<typeof withResource>): string {
  return hardware === undefined ? '' : canonicalJson(withResource(hardware))
}

function labelsFrom(values: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const entries = Object.entries(values).map(([key, text]) => [key, labelValue(text ?? '')] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== ''))
}
