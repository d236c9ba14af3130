/** Routes beside the model's own: each needs a name that no other has, and backends that can answer to it. */
import type { FieldError } from '#machinery/field-error.ts'
import type { NormalBackend, NormalBooster, NormalRoute } from './model-booster-normal.ts'

export function checkAdditionalRoutes(booster: NormalBooster): FieldError[] {
  const taken = new Set([booster.requestName])
  const names = new Set<string>()
  const adapters = new Set<string>()
  return booster.additionalRoutes.flatMap((route) => [
    ...unlessNew(names, `${route.path}.name`, route.name),
    ...checkModelName(taken, route),
    ...checkTargets(booster, route),
    ...route.loraAdapters.flatMap((adapter, i) => [
      ...unlessNew(adapters, `${route.path}.loraAdapters[${i}]`, adapter),
      ...checkAdapter(booster, route, i),
    ]),
  ])
}

/** Backends that a route sends requests to, with their weights. */
export function targetsOf({ backends }: NormalBooster, { targets }: NormalRoute): readonly NormalBackend[] {
  if (targets === undefined) return backends
  return targets.flatMap(({ backend, weight }) => {
    const found = backends.find(({ name }) => name === backend)
    return found === undefined ? [] : [{ ...found, weight }]
  })
}

function checkModelName(taken: Set<string>, { path, modelName, loraAdapters }: NormalRoute): FieldError[] {
  const field = `${path}.modelName`
  if (modelName === undefined) {
    const detail = 'name a model that clients ask this route for, or give loraAdapters'
    return loraAdapters.length > 0 ? [] : [{ field, type: 'FieldValueRequired', detail }]
  }
  const detail = 'another route of this model has the name, and goes first: choose another'
  if (taken.has(modelName)) return [{ field, type: 'FieldValueInvalid', value: modelName, detail }]
  taken.add(modelName)
  return []
}

function checkTargets(booster: NormalBooster, route: NormalRoute): FieldError[] {
  const field = `${route.path}.targets`
  const known = booster.backends.map(({ name }) => name)
  const errors = (route.targets ?? []).flatMap(({ backend }, i): FieldError[] => {
    if (known.includes(backend)) return []
    const detail = `there is no such backend; write one of ${known.join(', ')}`
    return [{ field: `${field}[${i}].backend`, type: 'FieldValueInvalid', value: backend, detail }]
  })
  if (errors.length > 0 || targetsOf(booster, route).some(({ weight }) => weight !== 0)) return errors
  const detail = 'all weights are 0, so no backend could be picked: raise one'
  return [{ field, type: 'FieldValueInvalid', value: 0, detail }]
}

function checkAdapter(booster: NormalBooster, route: NormalRoute, i: number): FieldError[] {
  const adapter = route.loraAdapters[i]
  const without = targetsOf(booster, route).filter(({ loras }) => loras.every(({ name }) => name !== adapter))
  if (without.length === 0) return []
  const detail = `${without.map(({ name }) => name).join(', ')} has no such adapter: add it to its loraAdapters, or send this route elsewhere by targets`
  return [{ field: `${route.path}.loraAdapters[${i}]`, type: 'FieldValueInvalid', value: adapter, detail }]
}

function unlessNew(seen: Set<string>, field: string, value: string): FieldError[] {
  if (seen.has(value)) return [{ field, type: 'FieldValueDuplicate', value, detail: '' }]
  seen.add(value)
  return []
}
