/** Servings of another API family: read in our words, told in theirs. All between is the same. */
import { type Dialect, dialectOf } from '#api/dialects.ts'
import { kindsOf } from '#api/family-kinds.ts'
import type { ModelServing, ModelServingStatus } from '#api/model-serving.ts'
import type { Domain } from '#controller/domain.ts'
import type { Observed } from './observe.ts'

type ServingDomain = Domain<ModelServing, Observed, ModelServingStatus>

export function podLabelsOf(serving: ModelServing): Dialect['podLabels'] {
  return dialectOf(serving).podLabels
}

/** `domain`, for servings as `dialect` spells them. */
export function spoken(domain: ServingDomain, dialect: Dialect): ServingDomain {
  if (dialect.spellings.length === 0) return domain
  return {
    observe: (serving, read, signal) => domain.observe(inOurs(serving), read, signal),
    plan: (serving, observed, nowMs) => domain.plan(inOurs(serving), observed, nowMs),
    status(serving, observed, outcome, nowMs) {
      const status = domain.status(inOurs(serving), observed, outcome, nowMs)
      return status === undefined ? undefined : withConditions(status, (type) => theirs(dialect, type))
    },
  }
}

/** A pass asks several times, and what is worked out of a serving is remembered by its identity. */
const known = new WeakMap<ModelServing, ModelServing>()

function inOurs(serving: ModelServing): ModelServing {
  let read = known.get(serving)
  if (read === undefined) known.set(serving, (read = translated(serving)))
  return read
}

function translated(serving: ModelServing): ModelServing {
  const dialect = dialectOf(serving)
  const { spec, status } = serving
  const word = <T>(value: T): T => ours(dialect, value) as T
  return {
    ...serving,
    spec: {
      ...spec,
      recoveryPolicy: word(spec.recoveryPolicy),
      ...(spec.rolloutStrategy !== undefined && {
        rolloutStrategy: { ...spec.rolloutStrategy, type: word(spec.rolloutStrategy.type) },
      }),
    },
    ...(status !== undefined && { status: withConditions(status, word) }),
  }
}

function withConditions(status: ModelServingStatus, word: (type: string) => string): ModelServingStatus {
  if (status.conditions === undefined) return status
  return { ...status, conditions: status.conditions.map((each) => ({ ...each, type: word(each.type) })) }
}

function ours({ spellings }: Dialect, word: unknown): unknown {
  return spellings.find(([, spelled]) => spelled === word)?.[0] ?? word
}

function theirs({ spellings }: Dialect, word: string): string {
  return spellings.find(([own]) => own === word)?.[1] ?? word
}

/** The kind of servers that route to the pods of a serving. */
export function serverKindOf(serving: ModelServing) {
  return kindsOf(dialectOf(serving)).server
}
