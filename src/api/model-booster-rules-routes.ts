/** What the routes beside that of the model can get wrong: each needs names of its own and somewhere to send them. */
import {
  duplicateField,
  type FieldError,
  invalidField,
  requiredField,
  unsupportedField,
} from '#machinery/field-error.ts'
import type { NormalBooster, NormalRoute } from './model-booster-normal.ts'

export function checkAdditionalRoutes(booster: NormalBooster): FieldError[] {
  const [, ...additional] = booster.routes
  const taken = new Set([booster.requestName])
  return additional.flatMap((route) => [
    ...checkNames(booster, route, taken),
    ...checkTargets(booster, route),
    ...checkAdapters(booster, route, taken),
  ])
}

function checkNames({ requestName }: NormalBooster, route: NormalRoute, taken: Set<string>): FieldError[] {
  const { path, modelName, adapters } = route
  const field = `${path}.modelName`
  if (modelName === undefined)
    return adapters.length > 0 ? [] : [requiredField(field, 'give a modelName of its own, loraAdapters, or both')]
  if (modelName === requestName)
    return invalidField(field, modelName, 'must differ from the name of the model, which has a route already')
  if (taken.has(modelName)) return [duplicateField(field, modelName)]
  taken.add(modelName)
  return []
}

function checkTargets({ backends }: NormalBooster, { path, targets }: NormalRoute): FieldError[] {
  const names = backends.map(({ name }) => name)
  const unknown = targets.flatMap(({ backend }, k) =>
    names.includes(backend) ? [] : [unsupportedField(`${path}.targets[${k}].backend`, backend, names)],
  )
  const weightless = targets.length > 0 && targets.every(({ weight }) => weight === 0)
  const detail = 'all targets have weight 0, so none could be picked: raise one'
  return weightless ? [...unknown, ...invalidField(`${path}.targets`, 0, detail)] : unknown
}

function checkAdapters({ backends }: NormalBooster, route: NormalRoute, taken: Set<string>): FieldError[] {
  const reached = backends.filter(({ name }) => route.targets.some(({ backend }) => backend === name))
  const loaded = new Set(reached.flatMap(({ loras }) => loras.map(({ name }) => name)))
  return route.adapters.flatMap((adapter, k) => {
    const field = `${route.path}.loraAdapters[${k}]`
    if (taken.has(adapter)) return [duplicateField(field, adapter)]
    taken.add(adapter)
    return loaded.has(adapter)
      ? []
      : invalidField(field, adapter, 'no target of this route loads it: add it to loraAdapters of a backend')
  })
}
