/** Models as `status` shows them: what serves, how many of how many, and the first thing that stands in the way. Pure. */
import { styleText } from 'node:util'
import { isBooster, isRoute } from '#api/family-kinds.ts'
import { controllerOf } from '#controller/owned.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { formatAge } from '#machinery/table.ts'
import { stateOf } from './object-state.ts'

export interface ModelState {
  readonly name: string
  readonly namespace: string
  readonly state: 'ready' | 'failed' | 'waiting'
  /** What stands in the way, or what is not as asked; empty when nothing is. */
  readonly message: string
  readonly sinceMs: number
  readonly backends: readonly { readonly name: string; readonly available: number; readonly desired: number }[]
  /** Names that clients may ask for. */
  readonly models: readonly string[]
}

export function modelStates(objects: readonly AnyResource[], nowMs: number): ModelState[] {
  const routes = objects.filter((object) => isRoute(object))
  return objects
    .filter((object) => isBooster(object))
    .map((booster) => {
      const { metadata, status } = booster
      const { ready, failed, message } = stateOf(booster)
      const active = status?.conditions?.find(({ type }) => type === 'Active')
      const own = routes.filter((route) => controllerOf(route)?.uid === metadata.uid)
      return {
        name: metadata.name ?? '',
        namespace: metadata.namespace ?? '',
        state: failed ? 'failed' : ready === true ? 'ready' : 'waiting',
        message,
        sinceMs: nowMs - Date.parse(active?.lastTransitionTime ?? metadata.creationTimestamp ?? ''),
        backends: (status?.backendStatuses ?? []).map((each) => ({
          name: each.backend ?? each.name,
          available: each.availableReplicas ?? 0,
          desired: each.desiredReplicas ?? 0,
        })),
        models: own.flatMap(({ spec }) => [...(spec.modelName ? [spec.modelName] : []), ...(spec.loraAdapters ?? [])]),
      }
    })
}

const marks = { ready: ['✔', 'green'], failed: ['✖', 'red'], waiting: ['…', 'yellow'] } as const

export interface StatusStyle {
  readonly colors: boolean
  readonly withNamespace: boolean
}

export function renderStatus(models: readonly ModelState[], style: StatusStyle): string[] {
  return models.flatMap((model) => modelLines(model, style))
}

function modelLines(model: ModelState, { colors, withNamespace }: StatusStyle): string[] {
  const { name, namespace, state, message, sinceMs, backends, models } = model
  const [mark, color] = marks[state]
  const shown = colors ? styleText(color, mark, { validateStream: false }) : mark
  const counts = backends.map((each) => `${each.name} ${each.available}/${each.desired}`).join(', ')
  const head = [
    `${shown} ${withNamespace ? `${namespace}/` : ''}${name}`,
    `${state}${Number.isNaN(sinceMs) ? '' : ` for ${formatAge(sinceMs)}`}`,
    counts,
  ]
  return [
    head.filter(Boolean).join('  '),
    ...(message === '' ? [] : [`    ${message}`]),
    ...(models.length === 0 || state !== 'ready' ? [] : [`    answers to ${models.join(', ')}`]),
  ]
}
