import { toListForm, toSingleForm } from '#api/conversions/booster-form.ts'
import type { Conversion } from '#api/conversions/conversion.ts'
import { modelToBooster } from '#api/conversions/legacy-model.ts'
import { toBindings, toPoliciesWithTargets } from '#api/conversions/scaling-shape.ts'
import { Model } from '#api/family-kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { isOfKind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { readDocuments } from './documents.ts'
import { exitCodes } from './exit.ts'
import type { Io } from './io.ts'
import type { Shape } from './shapes.ts'
import { yamlDocuments } from './yaml.ts'

export interface ConvertOptions {
  readonly filename: readonly string[]
  readonly to: Shape
  readonly json?: boolean
}

/** What a shape has no word for is printed as it is; what it cannot carry is told on standard error. */
export function convertDocuments({ filename, to, json = false }: ConvertOptions, io: Io): void {
  const { objects, losses } = converted(
    readDocuments(filename).map(({ object }) => object),
    to,
  )
  if (json) io.write(`${JSON.stringify({ objects, losses }, null, 2)}\n`)
  else {
    io.write(yamlDocuments(objects))
    for (const { object, field, detail } of losses) io.error(`${object}: ${field} is not carried over: ${detail}`)
  }
  if (losses.length > 0) io.exit(exitCodes.failed)
}

export function converted(objects: readonly AnyResource[], to: Shape): Conversion {
  switch (to) {
    case 'bindings':
      return toBindings(objects)
    case 'targets':
      return toPoliciesWithTargets(objects)
    case 'booster':
      return each(objects, (object) => (isOfKind(object, Model) ? modelToBooster(object) : unchanged(object)))
    case 'list':
    case 'single': {
      const convert = to === 'list' ? toListForm : toSingleForm
      return each(objects, (object) => (object.kind === ModelBooster.kind ? convert(object) : unchanged(object)))
    }
  }
}

function each(objects: readonly AnyResource[], convert: (object: AnyResource) => Conversion): Conversion {
  const all = objects.map(convert)
  return { objects: all.flatMap((one) => one.objects), losses: all.flatMap(({ losses }) => losses) }
}

const unchanged = (object: AnyResource): Conversion => ({ objects: [object], losses: [] })
