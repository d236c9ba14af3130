import type { AIMClusterModelSource, AIMClusterModelSourceStatus } from '#api/aim-cluster-model-source.ts'
import type { AimStatus } from '#api/aim-fields.ts'
import type { AIMModel } from '#api/aim-model.ts'
import { timestamp } from '#base/clock.ts'
import type { Outcome } from '#controller/domain.ts'
import { findCondition } from '#machinery/conditions.ts'
import { type Component, rollUp, type Telling } from '../rollup.ts'
import { writeFailures } from '../write-failures.ts'
import type { Observed, Sync } from './observe.ts'
import { madeModels } from './plan.ts'
import { nextSync } from './schedule.ts'

type Status = AIMClusterModelSourceStatus

export function status(source: AIMClusterModelSource, observed: Observed, outcome: Outcome, nowMs: number): Status {
  const { metadata, status: former = {} } = source
  const { sync, problem, models } = observed
  const generation = metadata.generation ?? 0
  const counts = countsOf(source, observed, outcome)
  const parts = {
    components: [filtersReady(former, sync), ...modelsWritten(former, sync, outcome)],
    problems: problem === undefined ? [] : [problem],
    further: [modelsReady(models), limitReached(source, counts.modelsLimitReached)],
  }
  const rolled = rollUp(parts, { conditions: former.conditions, generation, nowMs })
  return { ...rolled, observedGeneration: generation, ...counts, ...timesOf(source, { observed, outcome, nowMs }) }
}

type Counts = Pick<Status, 'discoveredModels' | 'availableModels' | 'modelsLimitReached'>

/** What a registry did not tell leaves the count of what there is as it was. */
function countsOf(source: AIMClusterModelSource, observed: Observed, { failures }: Outcome): Counts {
  const { sync, models } = observed
  const { availableModels, modelsLimitReached } = source.status ?? {}
  if (sync === undefined) {
    return {
      discoveredModels: models.length,
      ...(availableModels !== undefined && { availableModels }),
      ...(modelsLimitReached !== undefined && { modelsLimitReached }),
    }
  }
  const made = madeModels(source, observed).length
  return {
    discoveredModels: models.length + made - failures.length,
    availableModels: isAnswered(sync) ? sync.available.length : (availableModels ?? sync.available.length),
    modelsLimitReached: sync.missing.length > made,
  }
}

function isAnswered({ results }: Sync): boolean {
  return results.every(({ problems }) => problems.length === 0)
}

type Times = Pick<Status, 'lastSyncTime' | 'nextSyncTime' | 'failedSyncs' | 'request'>

interface Passed {
  readonly observed: Observed
  readonly outcome: Outcome
  readonly nowMs: number
}

/** What could not be written is tried again as what could not be asked: soon, but ever less so. */
function timesOf(source: AIMClusterModelSource, { observed, outcome, nowMs }: Passed): Times {
  const { lastSyncTime, nextSyncTime, failedSyncs, request } = source.status ?? {}
  const former = { ...(lastSyncTime && { lastSyncTime }) }
  const { sync, problem } = observed
  if (problem !== undefined) return former
  if (sync === undefined) {
    return {
      ...former,
      ...(nextSyncTime && { nextSyncTime }),
      ...(failedSyncs && { failedSyncs }),
      ...(request && { request }),
    }
  }
  const isWritten = outcome.complete
  const next = nextSync(source, { sync, isWritten }, nowMs)
  return {
    ...(isAnswered(sync) && isWritten ? { lastSyncTime: timestamp(nowMs) } : former),
    nextSyncTime: timestamp(next.nextMs),
    failedSyncs: next.failedSyncs,
    request: observed.request,
  }
}

const filterStates: Readonly<Record<string, AimStatus>> = {
  AllFiltersSucceeded: 'Ready',
  SomeFiltersFailed: 'Degraded',
  AllFiltersFailed: 'Failed',
}

function filtersReady({ conditions }: Status, sync: Sync | undefined): Component {
  const { reason, message } = sync === undefined ? formerly(conditions) : toldBy(sync)
  return { type: 'FiltersReady', state: filterStates[reason] ?? 'Progressing', reason, message }
}

function formerly(conditions: Status['conditions']): Pick<Component, 'reason' | 'message'> {
  const former = findCondition(conditions, 'FiltersReady')
  return former ?? { reason: 'AwaitingSync', message: 'no registry was asked yet' }
}

/** Told until the next time that models are made. */
function modelsWritten({ conditions }: Status, sync: Sync | undefined, outcome: Outcome): Component[] {
  const type = 'ModelsWritten'
  if (sync !== undefined) return writeFailures(outcome, { type, reason: 'ModelWriteFailed' })
  const former = findCondition(conditions, type)
  return former === undefined ? [] : [{ type, state: 'Degraded', reason: former.reason, message: former.message }]
}

const mostProblems = 10

function toldBy({ results }: Sync): Pick<Component, 'reason' | 'message'> {
  const problems = [...new Set(results.flatMap((result) => result.problems))]
  if (problems.length === 0) return { reason: 'AllFiltersSucceeded', message: 'all filters were answered' }
  const isNothing = results.every((result) => result.problems.length > 0 && result.images.length === 0)
  const rest = problems.length - mostProblems
  const more = rest > 0 ? [`and ${rest} more`] : []
  return {
    reason: isNothing ? 'AllFiltersFailed' : 'SomeFiltersFailed',
    message: [...problems.slice(0, mostProblems), ...more].join('; '),
  }
}

/** Models that are on their way are no trouble yet. */
function modelsReady(models: readonly AIMModel[]): Telling {
  const type = 'ExistingModelsReady'
  const states = models.map((model) => model.status?.status ?? 'Pending')
  const ready = states.filter((state) => state === 'Ready').length
  const waiting = states.filter((state) => state === 'Pending' || state === 'Progressing').length
  const message = `${ready} of ${models.length} models are ready`
  if (ready === models.length) return { type, status: 'True', reason: 'AllModelsReady', message }
  return ready + waiting === models.length
    ? { type, status: 'Unknown', reason: 'ModelsProgressing', message }
    : { type, status: 'False', reason: 'SomeModelsNotReady', message }
}

function limitReached({ spec: { maxModels } }: AIMClusterModelSource, isReached = false): Telling {
  const type = 'MaxModelsLimitReached'
  return isReached
    ? { type, status: 'True', reason: 'LimitReached', message: `more images match than the ${maxModels} of maxModels` }
    : { type, status: 'False', reason: 'WithinLimit', message: `maxModels is ${maxModels}` }
}
