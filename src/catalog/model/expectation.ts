/** Whether a model should have templates, and what those that it has say of it. */
import type { AimStatus } from '#api/aim-fields.ts'
import type { Component } from '../rollup.ts'

/** `undefined` where it is not known yet. */
export type Expectation = boolean | undefined

export interface Wishes {
  readonly explicitCreate: boolean | undefined
  /** What the runtime config says where the model does not. */
  readonly auto: boolean
  readonly extract: boolean
  readonly custom: boolean
  readonly hasCustomTemplates: boolean
  /** Deployments that the image recommends and that a template can be made of; `undefined` before the image is known. */
  readonly deployments: number | undefined
}

export function expects({
  explicitCreate,
  auto,
  extract,
  custom,
  hasCustomTemplates,
  deployments,
}: Wishes): Expectation {
  if (explicitCreate === false) return false
  if (custom || hasCustomTemplates) return true
  if (!(explicitCreate ?? auto)) return false
  if (deployments !== undefined) return deployments > 0
  return extract ? undefined : false
}

/** From the states of all templates of the model; an empty one counts as `Pending`. */
export function templatesComponent(type: string, states: readonly AimStatus[], expected: Expectation): Component {
  const counts = Map.groupBy(states, (state) => state)
  const count = (...of: readonly AimStatus[]) => of.reduce((sum, state) => sum + (counts.get(state)?.length ?? 0), 0)
  const total = states.length
  const ready = count('Ready')
  const broken = count('Failed', 'Degraded')
  const absent = count('NotAvailable')
  const message = [...counts]
    .map(([state, each]) => `${each.length} ${state}`)
    .toSorted()
    .join(', ')
  const component = (state: AimStatus, reason: string, text = `${total} templates: ${message}`): Component => {
    return { type, state, reason, message: text }
  }
  if (total === 0) {
    if (expected === undefined)
      return component('Progressing', 'AwaitingMetadata', 'what the image recommends is not known yet')
    if (expected) return component('Progressing', 'CreatingTemplates', 'templates are being made')
    return component('Ready', 'NoTemplatesExpected', 'no templates are to be made')
  }
  if (ready === total) return component('Ready', 'AllTemplatesReady')
  if (broken === total && count('Failed') > 0) return component('Failed', 'AllTemplatesFailed')
  if (absent === total) return component('NotAvailable', 'NoTemplatesAvailable')
  if (broken > 0) return component('Degraded', 'SomeTemplatesDegraded')
  if (ready + absent < total) return component('Progressing', 'TemplatesProgressing')
  return component('Ready', 'SomeTemplatesReady')
}
