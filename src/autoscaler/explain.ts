/** Why a number is what it is, in a sentence for each rule. */
import type { Decision, Rule } from './decide.ts'
import type { MetricVerdict } from './recommend.ts'

type Sentence = (decision: Decision) => string

const sentences: Readonly<Record<Rule, Sentence>> = {
  BelowMinimum: ({ desired }) => `fewer than minReplicas: ${instances(desired)}, whatever the metrics say`,
  AboveMaximum: ({ desired }) => `more than maxReplicas: ${instances(desired)}, whatever the metrics say`,
  Fixed: ({ desired }) => `minReplicas and maxReplicas are both ${desired}`,
  NoMetrics: ({ metrics }) => `nothing usable was measured, so nothing changes: ${silence(metrics)}`,
  PartialMetrics: ({ metrics }) => `part of the metrics is missing, so nothing is taken away: ${silence(metrics)}`,
  WithinTolerance: ({ metrics }) => `as it should be: ${measured(metrics)}`,
  Load: ({ metrics, recommended = 0 }) => `${measured(metrics)}, which asks for ${instances(recommended)}`,
  MaximumReached: ({ metrics, desired }) => `${measured(metrics)}, and maxReplicas is ${desired}`,
  MinimumReached: ({ metrics, desired }) => `${measured(metrics)}, and minReplicas is ${desired}`,
  ScaleUpStabilized: ({ recommended, stabilized }) =>
    `${recommended} are asked for, and within the window of scaling up no more than ${stabilized} were`,
  ScaleDownStabilized: ({ recommended, stabilized }) =>
    `${recommended} are asked for, and within the window of scaling down it was ${stabilized}`,
  ScaleUpLimited: ({ stabilized, limited }) =>
    `${stabilized} are asked for, and the pace of scaling up allows ${limited}`,
  ScaleDownLimited: ({ stabilized, limited }) =>
    `${stabilized} are asked for, and the pace of scaling down allows ${limited}`,
  PanicLimited: ({ stabilized, limited }) =>
    `load jumped; ${stabilized} are asked for, and the pace of panic allows ${limited}`,
  PanicHold: ({ recommended, limited }) =>
    `${recommended} are asked for, and while panic lasts none of ${limited} is taken away`,
  PanicRamp: ({ stabilized, limited }) =>
    `panic is over; on the way to ${stabilized}, half of them go at a time: ${limited}`,
  Ratio: ({ limited, desired }) => `the ratio of the roles makes ${desired} of ${limited}`,
  Waking: () => 'requests wait for the first instance',
  AtZero: () => 'nothing runs, and nobody asks',
  Busy: () => 'the last instance stays while requests are under way',
  IdleGrace: () => 'the last instance stays until it was idle for scaleToZeroGracePeriod',
  NoWakeSignal: () =>
    'the last instance stays: no router tells of requests for it and no Prometheus metric does, so nothing could wake it',
}

export function explain(decision: Decision): string {
  return sentences[decision.rule](decision)
}

function instances(count: number): string {
  return count === 1 ? '1 instance' : `${count} instances`
}

/** The metric that asks for most. */
function measured(metrics: readonly MetricVerdict[]): string {
  const known = metrics.filter(({ proposal }) => proposal !== undefined)
  const [winner] = known.toSorted((a, b) => (b.proposal ?? 0) - (a.proposal ?? 0))
  if (winner?.value === undefined) return 'no metric has a say'
  return `${winner.name} is ${shownNumber(winner.value)} with a target of ${shownNumber(winner.target)}`
}

function silence(metrics: readonly MetricVerdict[]): string {
  const silent = metrics.filter(({ proposal }) => proposal === undefined)
  if (silent.length === 0) return 'there is no metric'
  return silent.map(({ name, why }) => `${name}: ${why ?? 'no value'}`).join('; ')
}

/** Three significant digits, without an exponent for what is common. */
export function shownNumber(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)))
}
