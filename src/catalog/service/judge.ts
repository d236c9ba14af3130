/** How a service is, and whether its children may be written. */
import type { AIMService } from '#api/aim-service.ts'
import type { AimStatus } from '#api/aim-fields.ts'
import { controllerOf } from '#controller/owned.ts'
import { findCondition } from '#machinery/conditions.ts'
import type { Component, Problem } from '../rollup.ts'
import { configComponent } from '../runtime-config.ts'
import type { Observed } from './observe.ts'

export interface Judgement {
  readonly components: readonly Component[]
  readonly problems: readonly Problem[]
  /** Everything that its pods need is there. */
  readonly servable: boolean
}

export function wantsRoute({ metadata, spec }: AIMService, { config }: Observed): boolean {
  const enabled = spec.routing?.enabled ?? config.spec.routing?.enabled
  return enabled !== false && metadata.annotations?.['aim.eai.amd.com/model-route'] !== 'false'
}

export function judge(service: AIMService, observed: Observed): Judgement {
  const { config, model, template, missing, canonical, serving } = observed
  const isOwn = controllerOf(serving ?? service)?.uid === service.metadata.uid
  const problems: Problem[] = [
    ...(config.missing ? [configComponent(config).message] : []),
    ...(model.found === undefined && canonical.modelName !== undefined ? [noModel(observed)] : []),
    ...(template.found === undefined && canonical.templateName !== undefined ? [noTemplate(observed)] : []),
    ...missing,
  ].map((message) => ({ category: 'reference', message }))
  const templateState = template.found?.template.status?.status
  const isReady = template.found !== undefined && templateState === 'Ready'
  const servable = problems.length === 0 && model.found !== undefined && isReady
  const upstream = [configComponent(config), modelComponent(observed, isReady), templateComponent(observed)]
  if (!servable && !(serving !== undefined && isOwn)) {
    const waiting: Component = {
      type: 'RuntimeReady',
      state: 'Pending',
      reason: 'WaitingForTemplate',
      message: 'pods are made once the model and a template are ready',
    }
    return { components: [...upstream, waiting], problems, servable }
  }
  return {
    components: [...upstream, runtimeComponent(service, observed), ...routingComponent(service, observed)],
    problems,
    servable,
  }
}

function noModel({ canonical }: Observed): string {
  return `there is no AIMModel ${canonical.modelName} in namespace ${canonical.namespace}, and no AIMClusterModel of that name`
}

function noTemplate({ canonical }: Observed): string {
  return `there is no AIMServiceTemplate ${canonical.templateName} in namespace ${canonical.namespace}, and no AIMClusterServiceTemplate of that name`
}

function modelComponent(observed: Observed, templateReady: boolean): Component {
  const type = 'ModelReady'
  const { model, canonical } = observed
  const { found, wanted } = model
  if (found === undefined) {
    if (canonical.modelName !== undefined) {
      return { type, state: 'Failed', reason: 'ModelNotFound', message: noModel(observed) }
    }
    return { type, state: 'Pending', reason: 'CreatingModel', message: `AIMModel ${wanted?.metadata.name} is made` }
  }
  const { status = 'Pending', conditions } = found.model.status ?? {}
  const name = `${found.model.kind} ${found.model.metadata.name}`
  if (templateReady || status === 'Ready') return { type, state: 'Ready', reason: 'ModelFound', message: name }
  const state: AimStatus = status === 'Failed' ? 'Failed' : 'Pending'
  const why = findCondition(conditions, 'Ready')?.message ?? 'not looked at yet'
  return { type, state, reason: 'ModelNotReady', message: `${name} is ${status}: ${why}` }
}

function templateComponent(observed: Observed): Component {
  const type = 'TemplateReady'
  const { template, canonical, serving } = observed
  const { found, selection } = template
  if (found === undefined) {
    if (canonical.templateName !== undefined) {
      return { type, state: 'Failed', reason: 'TemplateNotFound', message: noTemplate(observed) }
    }
    const { reason, message } = selection?.refusal ?? {
      reason: 'WaitingForModel',
      message: 'the model is not there yet',
    }
    const state = reason === 'TemplateSelectionAmbiguous' ? 'Failed' : serving === undefined ? 'Pending' : 'Degraded'
    return { type, state, reason, message }
  }
  const { status = 'Pending', conditions } = found.template.status ?? {}
  const name = `${found.template.kind} ${found.template.metadata.name}`
  if (status === 'Ready') return { type, state: 'Ready', reason: 'TemplateFound', message: name }
  const states: Partial<Record<AimStatus, AimStatus>> = { Failed: 'Failed', Degraded: 'Degraded' }
  const state = states[status] ?? (serving === undefined ? 'Pending' : 'Degraded')
  const why = findCondition(conditions, 'Ready')?.message ?? 'not looked at yet'
  return { type, state, reason: 'TemplateNotReady', message: `${name} is ${status}: ${why}` }
}

function runtimeComponent(service: AIMService, { serving, canonical }: Observed): Component {
  const part = (state: AimStatus, reason: string, message: string): Component => {
    return { type: 'RuntimeReady', state, reason, message }
  }
  if (serving === undefined) return part('Progressing', 'CreatingRuntime', 'the ModelServing is made')
  const name = `ModelServing ${serving.metadata.name}`
  if (controllerOf(serving)?.uid !== service.metadata.uid) {
    return part('Failed', 'NameConflict', `${name} belongs to somebody else; rename or delete one of the two`)
  }
  const { availableReplicas: available = 0, updatedReplicas: updated = 0 } = serving.status ?? {}
  const {
    replicas: there = 0,
    observedGeneration = 0,
    servedRevision,
    updateRevision,
    conditions,
  } = serving.status ?? {}
  const want = canonical.replicas
  const isStale = observedGeneration < (serving.metadata.generation ?? 0)
  const hasServed = servedRevision !== undefined
  const isUpdating = isStale || (hasServed && (servedRevision !== updateRevision || updated < there))
  const count = `${available} of ${want} replicas serve`
  if (want === 0 && there === 0) return part('Ready', 'ScaledToZero', 'no replica is wanted')
  if (available >= want && (!isStale || hasServed))
    return part('Ready', isUpdating ? 'RuntimeUpdating' : 'RuntimeReady', count)
  if (available > 0 && isUpdating) return part('Ready', 'RuntimeUpdating', count)
  const failing = findCondition(conditions, 'PodsFailing')
  const trouble = failing?.status === 'True' ? `${count}; ${failing.message}` : count
  if (available > 0) return part('Degraded', 'PartiallyAvailable', trouble)
  if (isUpdating) return part('Progressing', 'RuntimeUpdating', trouble)
  if (hasServed) return part('Degraded', 'RuntimeUnavailable', trouble)
  if (failing?.status === 'True') return part('Failed', 'PodsFailing', `${name}: ${failing.message}`)
  return part('Progressing', 'CreatingRuntime', `${count}${failing === undefined ? '' : `; ${failing.message}`}`)
}

function routingComponent(service: AIMService, observed: Observed): Component[] {
  const { route } = observed
  if (!wantsRoute(service, observed)) return []
  const part = (state: AimStatus, reason: string, message: string): Component[] => [
    { type: 'RoutingReady', state, reason, message },
  ]
  if (route === undefined) return part('Progressing', 'CreatingRoute', 'the ModelRoute is made')
  if (controllerOf(route)?.uid !== service.metadata.uid) {
    return part('Failed', 'NameConflict', `ModelRoute ${route.metadata.name} belongs to somebody else`)
  }
  const conflict = findCondition(route.status?.conditions, 'Conflicted')
  if (conflict?.status === 'True') return part('Degraded', 'ModelNameConflict', conflict.message)
  const refs = findCondition(route.status?.conditions, 'ResolvedRefs')
  if (refs?.status === 'False') return part('Progressing', refs.reason, refs.message)
  return part('Ready', 'ModelRouteConfigured', `requests for model ${route.spec.modelName} are routed to it`)
}
