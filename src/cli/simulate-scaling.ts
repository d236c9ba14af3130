import { readFileSync, writeFileSync } from 'node:fs'
import { AutoscalingPolicy } from '#api/autoscaling-policy.ts'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { explain } from '#autoscaler/explain.ts'
import { normaliseBinding, normalisePolicy } from '#autoscaler/normalise.ts'
import type { ScalingTarget } from '#autoscaler/scaling-target.ts'
import { replay, type WhatIfTick } from '#autoscaler/what-if.ts'
import { Fault, messageOf } from '#base/fault.ts'
import { isOfKind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { readDocuments } from './documents.ts'
import { usage } from './exit.ts'
import { errorsOf, inspect, lineOf } from './inspect.ts'
import type { Io } from './io.ts'
import { generateLoad, type LoadShape, parseLoadTrace } from './load-trace.ts'
import { clockTime, plotScaling } from './scaling-plot.ts'

export interface SimulateScalingOptions {
  readonly filename: readonly string[]
  readonly trace?: string
  readonly generate?: LoadShape
  readonly peak: number
  readonly minutes: number
  readonly startSeconds: number
  readonly replicas?: number
  readonly all?: boolean
  readonly svg?: string
  readonly output?: 'json'
}

const tickMs = 15_000

/** What a policy would have done under a load, by the very functions that the autoscaler runs. */
export function simulateScaling(options: SimulateScalingOptions, io: Io): void {
  const { name, target } = targetIn(options.filename)
  const metrics = [
    ...new Set(
      target.pools.flatMap(({ members }) => members.flatMap((member) => member.metrics.map((metric) => metric.name))),
    ),
  ]
  const members = target.pools.flatMap((pool) => pool.members)
  const { replicas } = options
  const ticks = replay({
    target,
    trace: loadFor(options, metrics),
    tickMs,
    startMs: options.startSeconds * 1000,
    ...(replicas !== undefined && { initial: Object.fromEntries(members.map((member) => [member.name, replicas])) }),
  })
  if (options.svg !== undefined) write(options.svg, plotScaling(ticks.map(pointOf), name))
  if (options.output === 'json') io.write(`${JSON.stringify(ticks, null, 2)}\n`)
  else for (const line of renderTicks(ticks, options.all === true)) io.write(`${line}\n`)
}

/** The one policy in the files that says what it scales, by itself or by a binding. */
function targetIn(paths: readonly string[]): { readonly name: string; readonly target: ScalingTarget } {
  const objects = readDocuments(paths).map((document) => {
    const { object, findings } = inspect(document)
    const errors = errorsOf(findings).map(lineOf)
    if (errors.length > 0) throw new Fault('invalid', 'InvalidObject', errors.join('\n  '))
    return { ...object, metadata: { namespace: 'default', ...object.metadata } }
  })
  const policies = objects.filter((object) => isOfKind(object, AutoscalingPolicy)) as unknown as AutoscalingPolicy[]
  const bindings = objects.filter((object) =>
    isOfKind(object, AutoscalingPolicyBinding),
  ) as unknown as AutoscalingPolicyBinding[]
  const bound = bindings.map((binding) => {
    const policy = policies.find(({ metadata }) => metadata.name === binding.spec.policyRef.name)
    if (policy === undefined)
      throw missing(`no AutoscalingPolicy ${binding.spec.policyRef.name} in ${paths.join(', ')}`)
    return { object: binding, normalised: normaliseBinding(policy, binding) }
  })
  const own = policies.flatMap((policy) => {
    const normalised = normalisePolicy(policy)
    return normalised === undefined ? [] : [{ object: policy, normalised }]
  })
  const [first, second] = [...bound, ...own]
  if (first === undefined)
    throw missing(`no AutoscalingPolicyBinding, and no AutoscalingPolicy with a target, in ${paths.join(', ')}`)
  if (second !== undefined) throw usage(`${nameOf(first.object)} and ${nameOf(second.object)}: give the files of one`)
  if (!first.normalised.ok) throw new Fault('invalid', first.normalised.reason, first.normalised.message)
  return { name: nameOf(first.object), target: first.normalised.target }
}

const nameOf = ({ kind, metadata }: Pick<AnyResource, 'kind' | 'metadata'>): string => `${kind}/${metadata.name}`
const missing = (message: string): Fault => new Fault('invalid', 'NoPolicy', message)

function loadFor({ trace, generate, peak, minutes }: SimulateScalingOptions, metrics: readonly string[]) {
  if ((trace === undefined) === (generate === undefined)) throw usage('give one of --trace and --generate')
  if (trace !== undefined) return parseLoadTrace(read(trace), trace, metrics)
  return generateLoad(metrics, { shape: generate ?? 'day', peak, durationMs: minutes * 60_000, stepMs: tickMs })
}

function read(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (error) {
    throw new Fault('missing', 'FileNotFound', `cannot read ${path}: ${messageOf(error)}`, { cause: error })
  }
}

function write(path: string, text: string): void {
  try {
    writeFileSync(path, text)
  } catch (error) {
    throw new Fault('invalid', 'BadFile', `cannot write ${path}: ${messageOf(error)}`, { cause: error })
  }
}

function pointOf({ atMs, ready, decisions }: WhatIfTick) {
  const sum = (of: (decision: WhatIfTick['decisions'][number]) => number) =>
    decisions.reduce((total, each) => total + of(each), 0)
  return {
    atMs,
    ready,
    wanted: sum(({ recommended, current }) => recommended ?? current),
    desired: sum(({ members }) => members.reduce((total, { desired }) => total + desired, 0)),
  }
}

/** A line for each decision that changed a number, or for all, and what it came to. */
export function renderTicks(ticks: readonly WhatIfTick[], all: boolean): string[] {
  const rows = ticks.flatMap(({ atMs, decisions }) =>
    decisions
      .filter(({ current, desired }) => all || current !== desired)
      .map((decision) => [
        clockTime(atMs),
        decision.pool,
        `${decision.current} → ${decision.desired}`,
        String(decision.recommended ?? '-'),
        decision.rule,
        explain(decision),
      ]),
  )
  const table = [['TIME', 'POOL', 'REPLICAS', 'ASKED FOR', 'RULE', 'WHY'], ...rows]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? []
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, '', ...summaryOf(ticks)]
}

function summaryOf(ticks: readonly WhatIfTick[]): string[] {
  const points = ticks.map(pointOf)
  const hours = (points.reduce((sum, { desired }) => sum + desired, 0) * tickMs) / 3_600_000
  const short = (points.filter(({ ready, wanted }) => ready < wanted).length * tickMs) / 1000
  const changes = points.filter(({ desired }, i) => i > 0 && desired !== points[i - 1]?.desired).length
  return [
    `${changes} changes in ${clockTime((ticks.at(-1)?.atMs ?? 0) - (ticks[0]?.atMs ?? 0))}`,
    `at most ${Math.max(0, ...points.map(({ desired }) => desired))} instances, ${hours.toFixed(1)} instance hours`,
    `fewer ready than the load asked for: ${short} s`,
  ]
}
