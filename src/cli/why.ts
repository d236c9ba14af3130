import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import type { ScalingDecision } from '#api/autoscaling-status.ts'
import type { Condition } from '#machinery/meta.ts'
import { formatAge } from '#machinery/table.ts'
import { type ConnectOptions, connect } from './connect.ts'
import { usage } from './exit.ts'
import type { Io } from './io.ts'
import { parseTarget } from './known-kinds.ts'
import { isOfCatalog, whyOfCatalog } from './why-catalog.ts'

export interface WhyOptions extends ConnectOptions {
  readonly what: string
  readonly names: readonly string[]
  readonly output?: 'json'
}

type Explained = AutoscalingPolicy | AutoscalingPolicyBinding

/** Why a number is what it is, from the trace in the status: whoever reads it need not ask the autoscaler. */
export async function why(options: WhyOptions, io: Io): Promise<void> {
  const { kind, names } = parseTarget(options.what, options.names)
  const [name] = names
  if (name !== undefined && isOfCatalog(kind)) return whyOfCatalog({ ...options, kind, name }, io)
  if (kind.kind !== AutoscalingPolicy.kind && kind.kind !== AutoscalingPolicyBinding.kind)
    throw usage(
      `why explains scaling so far: name an autoscalingpolicybinding or an autoscalingpolicy, not a ${kind.singular}`,
    )
  if (name === undefined || names.length > 1) throw usage(`name one ${kind.singular}`)
  await using cluster = connect(options, io)
  const { namespace } = cluster
  const object =
    kind.kind === AutoscalingPolicy.kind
      ? await cluster.client.get(AutoscalingPolicy, { namespace, name })
      : await cluster.client.get(AutoscalingPolicyBinding, { namespace, name })
  if (options.output === 'json') io.write(`${JSON.stringify(object.status?.decisions ?? [], null, 2)}\n`)
  else for (const line of renderWhy(object, Date.now())) io.write(`${line}\n`)
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
