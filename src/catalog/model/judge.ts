/** How a model is, from what was seen: the parts that its status tells, and whether templates may be written. */
import type { AIMModel } from '#api/aim-model.ts'
import { deploymentsLabel } from '../image-metadata.ts'
import type { Component, Problem, Telling } from '../rollup.ts'
import { configComponent } from '../runtime-config.ts'
import { expects, templatesComponent } from './expectation.ts'
import { formatError } from './inspection.ts'
import type { Observed } from './observe.ts'
import { isStaleTemplate } from './stale.ts'
import { deploymentTemplates } from './templates.ts'

export interface Judgement {
  readonly components: readonly Component[]
  readonly problems: readonly Problem[]
  readonly further: readonly Telling[]
  /** Of what nothing is known for now. */
  readonly undecided: readonly Problem['category'][]
  /** Something is wrong that templates would inherit. */
  readonly blocked: boolean
}

/** As long as a registry may be away before that counts as failure. */
const patienceMs = 10 * 60_000

export function judge(object: AIMModel, observed: Observed, nowMs: number): Judgement {
  const { model, config, missingEnv } = observed
  const metadata = metadataParts(object, observed, nowMs)
  const problems: Problem[] = [
    ...(config.missing ? [{ category: 'reference', message: configComponent(config).message } as const] : []),
    ...model.errors.map((message) => ({ category: 'invalid', message }) as const),
    ...missingEnv.map((message) => ({ category: 'reference', message }) as const),
    ...metadata.problems,
  ]
  const { components, further } = metadata
  return {
    components: [configComponent(config), ...components, childrenComponent(object, observed)],
    problems,
    further,
    undecided: knowsCredentials(observed) ? [] : ['auth'],
    blocked: problems.some(({ category }) => category !== 'infra'),
  }
}

function childrenComponent({ spec }: AIMModel, { scope, model, config, inspected, templates }: Observed): Component {
  const counted = templates.filter(
    (template) => template.metadata.deletionTimestamp === undefined && !isStaleTemplate(template),
  )
  const auto = config.spec.model?.autoDiscovery ?? true
  const expected = expects({
    explicitCreate: model.create,
    auto,
    extract: model.extract ?? auto,
    custom: model.custom,
    hasCustomTemplates: (spec.customTemplates ?? []).length > 0,
    deployments: inspected.metadata && deploymentTemplates(model, spec, inspected.metadata).templates.length,
  })
  const states = counted.map(({ status }) => status?.status ?? 'Pending')
  return templatesComponent(scope.templatesReady, states, expected)
}

type MetadataParts = Pick<Judgement, 'components' | 'problems' | 'further'>

const readyType = 'ImageMetadataReady'

/** `ImageMetadataReady` counts; `MetadataExtracted` says the same in other words. */
function metadataParts(object: AIMModel, observed: Observed, nowMs: number): MetadataParts {
  const { inspected, model } = observed
  const { state, failure, metadata } = inspected
  if (failure !== undefined && !(failure.reason === formatError && model.custom)) {
    return failed(observed, nowMs)
  }
  const { image } = object.spec
  switch (state) {
    case 'given':
      return well('MetadataProvided', 'True', 'MetadataProvided', 'the metadata is given in spec.imageMetadata')
    case 'off':
      return well('ExtractionDisabled', 'Unknown', 'ExtractionDisabled', `image ${image} is not to be looked at`)
    case 'known': {
      const named = (metadata?.model?.canonicalName ?? '') !== ''
      const silent = !model.custom && (metadata?.model?.recommendedDeployments ?? []).length === 0
      const message = silent ? missingLabelNote(image) : `the labels of image ${image} were read`
      return well(named ? 'ImageMetadataFound' : 'ImageFound', 'True', 'MetadataExtracted', message)
    }
    case 'unknown':
      return waiting(`image ${image} is being looked at`)
  }
}

function well(reason: string, status: Telling['status'], extracted: string, message: string): MetadataParts {
  return {
    components: [{ type: readyType, state: 'Ready', reason, message }],
    problems: [],
    further: [{ type: 'MetadataExtracted', status, reason: extracted, message }],
  }
}

function waiting(message: string): MetadataParts {
  const reason = 'AwaitingMetadata'
  return {
    components: [{ type: readyType, state: 'Progressing', reason, message }],
    problems: [],
    further: [{ type: 'MetadataExtracted', status: 'Unknown', reason, message }],
  }
}

export function missingLabelNote(image: string): string {
  return `image ${image} recommends no deployments: it has no label ${deploymentsLabel}, or none in it that can be read`
}

/** Reason of a failure → whose it is; nobody's where it may pass by itself. */
const blame: Readonly<Record<string, Problem['category'] | 'image'>> = {
  SecretNotFound: 'reference',
  ImageNotFound: 'reference',
  ImagePullAuthFailure: 'auth',
  SecretMalformed: 'invalid',
  InvalidImageReference: 'invalid',
  RegistryForbidden: 'invalid',
  [formatError]: 'invalid',
  UnsupportedImage: 'image',
  PlatformNotFound: 'image',
}

/** Of a registry that let us in. */
const fromWithin: ReadonlySet<string> = new Set(['ImageNotFound', 'UnsupportedImage', 'PlatformNotFound', formatError])

/** A registry that is away says nothing of credentials that it refused before. */
function knowsCredentials({ inspected: { state, failure } }: Observed): boolean {
  return state !== 'unknown' || (failure !== undefined && fromWithin.has(failure.reason))
}

function failed(observed: Observed, nowMs: number): MetadataParts {
  const { inspected, model } = observed
  const { reason = '', message = '' } = inspected.failure ?? {}
  const category = blame[reason] ?? 'infra'
  const isLong = nowMs >= patienceEndMs(observed)
  const isMissingBase = model.custom && reason === 'ImageNotFound'
  const state = category === 'infra' ? (isLong ? 'Failed' : 'Progressing') : isMissingBase ? 'Degraded' : 'Failed'
  return {
    components: [{ type: readyType, state, reason, message }],
    problems: category === 'image' || isMissingBase ? [] : [{ category, message }],
    further: [{ type: 'MetadataExtracted', status: 'False', reason, message }],
  }
}

function patienceEndMs({ inspected }: Observed): number {
  const since = inspected.inspection?.firstFailureTime
  return since === undefined ? Number.POSITIVE_INFINITY : Date.parse(since) + patienceMs
}

/** Until the registry is asked again, or until its silence counts as failure. */
export function recheckAfterMs(observed: Observed, nowMs: number): number | undefined {
  const { nextAttemptMs, failure } = observed.inspected
  const times = [nextAttemptMs, failure === undefined ? undefined : patienceEndMs(observed)]
  const coming = times.flatMap((time) =>
    time !== undefined && time > nowMs && Number.isFinite(time) ? [time - nowMs] : [],
  )
  return coming.length === 0 ? undefined : Math.min(...coming)
}
