/**
 * Which template serves where none is named: those that cannot are left out, one reason each; the others are ranked.
 *
 *     ready → known to work well → as asked for → GPU in the cluster → the namespace's before the cluster's → best first
 */
import type { AimStatus } from '#api/aim-fields.ts'
import type { TemplateCandidate } from '#api/aim-service.ts'
import type { AIMServiceTemplate } from '#api/aim-service-template.ts'
import { availabilityOf } from '../gpu/availability.ts'
import { gpuTier, normalGpu } from '../gpu/devices.ts'
import type { Inventory } from '../gpu/inventory.ts'
import { hardwareOf } from '../hardware.ts'
import type { Overrides } from './canonical.ts'

export interface Candidate {
  readonly template: AIMServiceTemplate
  readonly scope: TemplateCandidate['scope']
}

export interface Wish {
  readonly allowUnoptimized: boolean
  readonly overrides: Overrides
  /** What the model says is to be taken, where it suits. */
  readonly preferred: string | undefined
  readonly inventory: Inventory
}

export interface Selection {
  readonly chosen: Candidate | undefined
  /** Best first; then those that were left out. */
  readonly candidates: readonly TemplateCandidate[]
  /** Why nothing was chosen. */
  readonly refusal: { readonly reason: string; readonly message: string } | undefined
}

interface Rejection {
  readonly reason: string
  readonly message: string
}

interface Judged extends Candidate {
  readonly rejection: Rejection | undefined
}

export function selectTemplate(all: readonly Candidate[], wish: Wish): Selection {
  const judged = all.map((each): Judged => ({ ...each, rejection: rejectionOf(each, wish) }))
  const fit = judged.filter(({ rejection }) => rejection === undefined)
  const hasOwn = fit.some(({ scope }) => scope === 'Namespace')
  const [inScope, below] = [
    fit.filter(({ scope }) => !hasOwn || scope === 'Namespace'),
    fit.filter(({ scope }) => hasOwn && scope === 'Cluster'),
  ]
  const ranked = inScope.toSorted((a, b) => compare(scoreOf(a), scoreOf(b)) || (nameOf(a) < nameOf(b) ? -1 : 1))
  const [first, second] = ranked
  const named = ranked.find((each) => nameOf(each) === wish.preferred)
  const isTie = first !== undefined && second !== undefined && compare(scoreOf(first), scoreOf(second)) === 0
  const chosen = named ?? (isTie ? undefined : first)
  const out: Judged[] = [
    ...judged.filter(({ rejection }) => rejection !== undefined),
    ...below.map((each) => ({
      ...each,
      rejection: { reason: 'LowerScope', message: 'templates of the namespace come first' },
    })),
  ]
  return {
    chosen,
    candidates: [
      ...ranked.map((each, i) => rankedCandidate(each, { rank: i + 1, chosen, named: named !== undefined, isTie })),
      ...out.map(rejectedCandidate),
    ],
    refusal: chosen === undefined ? refusalOf(ranked, out, isTie) : undefined,
  }
}

interface Ranking {
  readonly rank: number
  readonly chosen: Candidate | undefined
  readonly named: boolean
  readonly isTie: boolean
}

function rankedCandidate(each: Candidate, { rank, chosen, named, isTie }: Ranking): TemplateCandidate {
  const isChosen = each.template === chosen?.template
  const loser = isTie && chosen === undefined && rank <= 2 ? 'TemplateSelectionAmbiguous' : 'LowerPreferenceRank'
  return {
    name: nameOf(each),
    scope: each.scope,
    status: isChosen ? 'chosen' : 'rejected',
    rank,
    reason: isChosen ? (named ? 'DefaultOfModel' : 'BestMatch') : loser,
    message: wordsOf(each),
  }
}

function rejectedCandidate({ rejection, ...each }: Judged): TemplateCandidate {
  const { reason = '', message } = rejection ?? {}
  return {
    name: nameOf(each),
    scope: each.scope,
    status: 'rejected',
    reason,
    ...(message !== undefined && { message }),
  }
}

function nameOf({ template }: Candidate): string {
  return template.metadata.name ?? ''
}

const notReady: Readonly<Record<AimStatus, string | undefined>> = {
  Ready: undefined,
  Pending: 'TemplatePending',
  Progressing: 'TemplateProgressing',
  NotAvailable: 'TemplateNotAvailable',
  Degraded: 'TemplateDegraded',
  Failed: 'TemplateFailed',
}

function rejectionOf({ template }: Candidate, wish: Wish): Rejection | undefined {
  const { status = 'Pending', conditions = [] } = template.status ?? {}
  const reason = notReady[status]
  if (reason !== undefined) {
    const message = conditions.find(({ type }) => type === 'Ready')?.message ?? 'not looked at yet'
    return { reason, message }
  }
  const { gpuModel, type } = factsOf(template)
  if (type !== 'optimized' && !wish.allowUnoptimized) {
    return {
      reason: 'UnoptimizedTemplateFiltered',
      message: `it is ${type ?? 'of no known type'}; set spec.template.allowUnoptimized to have it taken`,
    }
  }
  const wrong = unmetOverrides(template, wish.overrides)
  if (wrong.length > 0) {
    return { reason: 'ServiceOverridesNotMatched', message: `spec.overrides asks for ${wrong.join(', ')}` }
  }
  const gpu = availabilityOf(gpuModel === '' ? undefined : { model: gpuModel }, wish.inventory)
  return gpu?.available === false ? { reason: 'RequiredGPUNotInCluster', message: gpu.message } : undefined
}

/** What of them the template does not have; what it does not tell may be as wanted. */
export function unmetOverrides(template: AIMServiceTemplate, overrides: Overrides): string[] {
  const { metric, precision, gpuModel, gpuCount } = factsOf(template)
  return [
    overrides.metric !== undefined && overrides.metric !== metric ? `metric ${overrides.metric}` : undefined,
    overrides.precision !== undefined && overrides.precision !== precision
      ? `precision ${overrides.precision}`
      : undefined,
    overrides.gpuModel !== undefined && gpuModel !== '' && normalGpu(overrides.gpuModel) !== gpuModel
      ? `GPU ${overrides.gpuModel}`
      : undefined,
    overrides.gpuCount !== undefined && gpuCount > 0 && overrides.gpuCount !== gpuCount
      ? `${overrides.gpuCount} GPUs`
      : undefined,
  ].filter((each) => each !== undefined)
}

/** What was found out counts before what was asked for, but for the hardware. */
function factsOf({ spec, status }: AIMServiceTemplate) {
  const { metric, precision, gpu, gpuCount, type } = status?.profile?.metadata ?? {}
  const wanted = hardwareOf(spec)?.gpu
  return {
    metric: metric ?? spec.metric,
    precision: precision ?? spec.precision,
    gpuModel: normalGpu(wanted?.model || gpu || ''),
    gpuCount: wanted?.requests || gpuCount || 0,
    type: type ?? spec.type,
  }
}

const types = ['optimized', 'preview', 'unoptimized']
const metrics = ['latency', 'throughput']
const precisions = ['fp4', 'int4', 'fp8', 'int8', 'fp16', 'bf16', 'fp32']

/** Smaller is better, from the first on; what is not known is worst. */
function scoreOf({ template }: Candidate): number[] {
  const { type, gpuModel, metric, precision } = factsOf(template)
  return [place(types, type), gpuTier(gpuModel), place(metrics, metric), place(precisions, precision)]
}

function place(order: readonly string[], value: string | undefined): number {
  const at = order.indexOf(value ?? '')
  return at === -1 ? order.length : at
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, i) => value !== b[i])
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0)
}

function wordsOf({ template }: Candidate): string {
  const { type, gpuModel, gpuCount, metric, precision } = factsOf(template)
  const gpu = gpuModel === '' ? undefined : gpuCount > 0 ? `${gpuCount} x ${gpuModel}` : gpuModel
  return [type, gpu, metric, precision].filter((each) => each !== undefined).join(', ')
}

function refusalOf(ranked: readonly Candidate[], out: readonly Judged[], isTie: boolean): Rejection {
  if (isTie) {
    const best = ranked.filter((each) => compare(scoreOf(each), scoreOf(ranked[0] ?? each)) === 0).map(nameOf)
    const message = `${best.join(' and ')} suit equally; name one in spec.template.name`
    return { reason: 'TemplateSelectionAmbiguous', message }
  }
  if (out.length === 0) return { reason: 'TemplateNotFound', message: 'the model has no templates' }
  const waiting = out.filter(({ rejection }) => Object.values(notReady).includes(rejection?.reason))
  const reasons = Map.groupBy(out, ({ rejection }) => rejection?.reason ?? '')
  const counts = [...reasons].map(([reason, each]) => `${each.length} ${reason}`).join(', ')
  const [example] = out
  const message = `none of ${out.length} templates suits (${counts}); ${example && nameOf(example)}: ${example?.rejection?.message}`
  return { reason: waiting.length > 0 ? 'TemplateNotReady' : 'TemplateNotFound', message }
}
