import { AIMModel } from '#api/aim-model.ts'
import type { AIMService } from '#api/aim-service.ts'
import { Service } from '#api/core/kinds.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServer } from '#api/model-server.ts'
import { ModelServing } from '#api/model-serving.ts'
import type { Plan, Step, Why } from '#controller/domain.ts'
import { controllerOf } from '#controller/owned.ts'
import { type Kind, placeOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { isLeftAlone } from '../paused.ts'
import { ignoredFields } from './canonical.ts'
import { judge, wantsRoute } from './judge.ts'
import type { Observed } from './observe.ts'
import { renderAddress, renderRoute, renderServer, renderServing, routedName } from './render.ts'

/** Makes the model where nobody has, then pods, how to reach them, and at last the route. */
export function plan(service: AIMService, observed: Observed): Plan {
  if (isLeftAlone(service)) return { stages: [] }
  const { model, ingredients } = observed
  const notes = notesOf(service, observed)
  const { wanted } = model
  if (wanted !== undefined) return { stages: [[apply(AIMModel, wanted, 'ModelCreated')]], notes }
  const gone = unwantedRoute(service, observed)
  if (ingredients === undefined || !judge(service, observed).servable) return { stages: gone, notes }
  const stages = [
    [
      apply(ModelServing, renderServing(ingredients)),
      apply(ModelServer, renderServer(ingredients)),
      apply(Service, renderAddress(ingredients)),
    ],
    ...(gone.length > 0 || !wantsRoute(service, observed) ? gone : [[apply(ModelRoute, renderRoute(ingredients))]]),
  ]
  return { stages, notes }
}

function apply(kind: Kind, object: AnyResource, reason = 'Applied'): Step {
  return { do: 'apply', kind, object, why: { reason, note: `applied ${kind.kind} ${object.metadata.name}` } }
}

/** One that is no longer wanted, or that asks for another model: that cannot be changed, so it is made anew. */
function unwantedRoute(service: AIMService, observed: Observed): Step[][] {
  const { route } = observed
  if (route === undefined || controllerOf(route)?.uid !== service.metadata.uid) return []
  const isRight = wantsRoute(service, observed) && route.spec.modelName === routedName(service)
  if (isRight || route.metadata.deletionTimestamp !== undefined) return []
  const why = { reason: 'RouteDeleted', note: `deleted ModelRoute ${route.metadata.name}` }
  return [[{ do: 'delete', ref: { kind: ModelRoute, ...placeOf(route) }, uid: route.metadata.uid ?? '', why }]]
}

function notesOf(service: AIMService, { model }: Observed): Why[] {
  const ignored = ignoredFields(service)
  const others = model.others.join(', ')
  return [
    ...(ignored.length === 0
      ? []
      : [
          {
            reason: 'FieldsIgnored',
            note: `nothing is done yet about ${ignored.join(', ')}`,
            type: 'Warning',
          } as const,
        ]),
    ...(others === ''
      ? []
      : [
          {
            reason: 'MultipleModelsForImage',
            note: `${others} would have done as well as ${model.found?.model.metadata.name}`,
          },
        ]),
  ]
}
