import type { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import type { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { dialectOf } from '#api/dialects.ts'
import { familyOf, kindsOf, partOf } from '#api/family-kinds.ts'
import type { ModelBooster } from '#api/model-booster.ts'
import { Fault } from '#base/fault.ts'
import { explainChild, type ExplainedField, type Source } from '#booster/influence.ts'
import { controllerOf } from '#controller/owned.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { ScalingDecision } from '#api/schemas/autoscaling-status.ts'
import type { Condition, Place } from '#machinery/meta.ts'
import { formatAge } from '#machinery/table.ts'
import { type Cluster, type ConnectOptions, connect } from './connect.ts'
import { usage } from './exit.ts'
import type { Io } from './io.ts'
import { parseTarget } from './known-kinds.ts'
import { boostersIn } from './plan-ground.ts'
import { isOfCatalog, whyOfCatalog } from './why-catalog.ts'

export interface WhyOptions extends ConnectOptions {
  readonly what: string
  readonly names: readonly string[]
  /** Instead of a cluster. */
  readonly filename?: readonly string[]
  /** Only fields that begin so. */
  readonly field?: string
  readonly all?: boolean
  readonly output?: 'json'
}

type Explained = AutoscalingPolicy | AutoscalingPolicyBinding

/**
 * Why a number is what it is, from the trace in the status: whoever reads it need not ask the autoscaler. Why a child of
 * a booster is what it is, by planning again.
 */
export async function why(options: WhyOptions, io: Io): Promise<void> {
  const { kind, names } = parseTarget(options.what, options.names)
  const [name] = names
  if (name === undefined || names.length > 1) throw usage(`name one ${kind.singular}`)
  if (isOfCatalog(kind)) return whyOfCatalog({ ...options, kind, name }, io)
  if (options.filename !== undefined) return whyChild(boostersIn(options.filename), kind, name, options, io)
  const part = partOf(kind)
  if (part === undefined || part === 'booster')
    throw usage(
      `why explains what a ModelBooster becomes, scaling, and the AIM catalog; \`fairlead describe ${kind.singular}/${name}\` shows its conditions and events`,
    )
  await using cluster = connect(options, io)
  const place = { namespace: cluster.namespace, name }
  if (scales(kind) && options.field === undefined) {
    const object = (await cluster.client.get(kind, place)) as Explained
    if (options.output === 'json') io.write(`${JSON.stringify(object.status?.decisions ?? [], null, 2)}\n`)
    else for (const line of renderWhy({ ...object, kind: kind.kind }, Date.now())) io.write(`${line}\n`)
    return
  }
  whyChild(await boosterOf(cluster, kind, place), kind, name, options, io)
}

function scales(kind: Kind): boolean {
  return partOf(kind) === 'policy' || partOf(kind) === 'binding'
}

async function boosterOf({ client }: Cluster, kind: Kind, place: Place): Promise<ModelBooster[]> {
  const child = await client.get(kind, place)
  const owner = controllerOf(child)
  const { booster } = kindsOf(dialectOf({ apiVersion: apiVersionOf(kind) }))
  if (owner?.kind !== booster.kind) {
    const whose =
      owner === undefined ? 'nobody made it but who applied it' : `it belongs to ${owner.kind} ${owner.name}`
    throw new Fault('invalid', 'NotOfABooster', `${kind.kind} ${place.name} is not made of a ${booster.kind}: ${whose}`)
  }
  return [await client.get(booster, { ...place, name: owner.name })]
}

function whyChild(boosters: readonly ModelBooster[], kind: Kind, name: string, options: WhyOptions, io: Io): void {
  for (const booster of boosters) {
    const fields = explainChild({
      booster,
      schema: familyOf(booster).booster.schema(),
      images: dialectOf(booster).images,
      kind: kind.kind,
      name,
    })
    if (fields === undefined) continue
    const { field: start = '' } = options
    const shown = fields.filter(({ field }) => field.startsWith(start))
    const object = `${booster.kind}/${booster.metadata.name}`
    if (options.output === 'json') io.write(`${JSON.stringify({ booster: object, fields: shown }, null, 2)}\n`)
    else {
      io.write(`${kind.kind}/${name} is made of ${object}\n\n`)
      for (const line of renderSources(shown, options.all === true)) io.write(`${line}\n`)
    }
    return
  }
  const owners = boosters.map(({ metadata }) => metadata.name).join(', ')
  throw new Fault('missing', 'NotFound', `ModelBooster ${owners} has no ${kind.kind} ${name}`)
}

const longestValue = 72

/** Two lines for each field whose value some field of the booster says; the rest is counted, or shown too. */
export function renderSources(fields: readonly ExplainedField[], all: boolean): string[] {
  const derived = fields.filter(({ sources }) => sources.some(({ decides }) => decides === 'value'))
  const fixed = fields.length - derived.length
  const lines = (all ? fields : derived).map(({ field, value, sources }) => {
    const text = JSON.stringify(value)
    const shown = text.length > longestValue ? `${text.slice(0, longestValue - 1)}…` : text
    return `${field}: ${shown}\n    ${origin(sources)}`
  })
  const rest = `${fixed} more have the same value whatever the booster says; --all shows them`
  return [...lines, ...(all || fixed === 0 ? [] : ['', rest])]
}

function origin(sources: readonly Source[]): string {
  const named = (decides: Source['decides']): string =>
    sources
      .filter((source) => source.decides === decides)
      .map(({ field, given }) => (given ? field : `${field} (not given)`))
      .join(', ')
  return named('value') || (sources.length === 0 ? 'always so' : `there because of ${named('presence')}`)
}

/** The latest decision of each pool in full, and those before it. */
export function renderWhy({ kind, metadata, status }: Explained, nowMs: number): string[] {
  const decisions = status?.decisions ?? []
  const pools = [...Map.groupBy(decisions, ({ pool }) => pool).values()].map((own) => poolLines(own, nowMs))
  const trouble = (status?.conditions ?? []).filter(isTrouble)
  return [
    `${kind}/${metadata.name}`,
    ...(decisions.length === 0 ? ['  nothing was decided yet'] : []),
    ...pools.flat(),
    ...trouble.map(({ type, status: value, reason, message }) => `  ${type}=${value}  ${reason}: ${message}`),
  ]
}

function isTrouble({ type, status, reason }: Condition): boolean {
  return type === 'RatioConstraintViolated' ? status === 'True' : status !== 'True' || reason === 'MetricsPartial'
}

function poolLines([latest, ...before]: readonly ScalingDecision[], nowMs: number): string[] {
  if (latest === undefined) return []
  const { pool, desired, current, recommended, stabilized, limited, rule, message, mode, metrics = [] } = latest
  const age = formatAge(nowMs - Date.parse(latest.time))
  const stages: readonly (readonly [string, number | string])[] = [
    ['there were', current],
    ['asked for', recommended ?? 'unknown'],
    ['after the window', stabilized],
    ['after the pace', limited],
    ['decided', desired],
  ]
  return [
    '',
    `  why ${desired} of ${pool}, for ${age}: ${rule}${mode === 'Panic' ? ' (panic)' : ''}`,
    `    ${message}`,
    '',
    ...metrics.map(
      ({ name, value = 'unknown', target, proposal, note }) =>
        `    ${name}: ${value} of ${target}, asks for ${proposal ?? 'nothing known'}${note === undefined ? '' : ` (${note})`}`,
    ),
    ...stages.map(([name, value]) => `    ${`${name} `.padEnd(20, '.')} ${value}`),
    ...(before.length === 0 ? [] : ['', '    before that']),
    ...before.map(
      (each) =>
        `    ${formatAge(nowMs - Date.parse(each.time)).padEnd(6)} ${each.current} → ${each.desired}  ${each.message}`,
    ),
  ]
}
