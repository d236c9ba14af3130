import { type FieldError, invalidField, requiredField, unlessKept } from '#machinery/field-error.ts'
import { qualifiedNameErrors } from '#machinery/names.ts'
import type { Event, EventsEvent } from './types.generated.ts'

/** What must hold of an event. Pure. Source: Kubernetes, pkg/apis/core/validation/events.go. */
export function checkEvent(event: Event): FieldError[] {
  const { metadata, involvedObject, eventTime, message, reportingComponent } = event
  const about = { namespace: involvedObject.namespace, ownNamespace: metadata.namespace }
  if (eventTime === undefined || eventTime === null) return placeErrors(about)
  return reportErrors({ ...event, about, controller: reportingComponent, text: message }, 'reportingComponent')
}

/** The newer group asks for more. */
export function checkEventsEvent(event: EventsEvent, old?: EventsEvent): FieldError[] {
  const { metadata, regarding, eventTime, note, reportingController, type = '', series } = event
  const about = { namespace: regarding?.namespace, ownNamespace: metadata.namespace }
  const isTimeless = eventTime === undefined || eventTime === null
  const common = isTimeless
    ? placeErrors(about)
    : reportErrors({ ...event, about, controller: reportingController, text: note }, 'reportingController')
  if (old !== undefined) return [...common, ...keptErrors(event, old)]
  return [
    ...common,
    ...(series !== undefined && series.count < 2 ? invalidField('series.count', '', 'should be at least 2') : []),
    ...(isTimeless ? [requiredField('eventTime')] : []),
    ...(['Normal', 'Warning'].includes(type) ? [] : invalidField('type', '', `has invalid value: ${type}`)),
    ...unset(event, 'deprecatedFirstTimestamp', 'firstTimestamp'),
    ...unset(event, 'deprecatedLastTimestamp', 'lastTimestamp'),
    ...unset(event, 'deprecatedCount', 'count'),
    ...(Object.keys(event.deprecatedSource ?? {}).length > 0 ? invalidField('source', '', 'needs to be unset') : []),
  ]
}

interface About {
  readonly namespace: string | undefined
  readonly ownNamespace: string | undefined
}

interface Report extends Pick<Event, 'reportingInstance' | 'action' | 'reason'> {
  readonly about: About
  readonly controller: string | undefined
  readonly text: string | undefined
}

function elsewhere(namespace: string): FieldError[] {
  return invalidField('involvedObject.namespace', namespace, 'does not match event.namespace')
}

function placeErrors({ namespace = '', ownNamespace = '' }: About): FieldError[] {
  return namespace === ownNamespace || (namespace === '' && ownNamespace === 'default') ? [] : elsewhere(namespace)
}

function reportErrors({ about, controller = '', text = '', ...report }: Report, controllerField: string): FieldError[] {
  const { namespace = '', ownNamespace = '' } = about
  const { reportingInstance = '', action = '', reason = '' } = report
  return [
    ...(namespace === '' && !['default', 'kube-system'].includes(ownNamespace) ? elsewhere(namespace) : []),
    ...(controller === '' ? [requiredField(controllerField)] : []),
    ...invalidField(controllerField, controller, ...qualifiedNameErrors(controller)),
    ...limitedErrors('reportingInstance', reportingInstance, 128),
    ...limitedErrors('action', action, 128),
    ...limitedErrors('reason', reason, 128),
    ...tooLongErrors('message', text, 1024),
  ]
}

function limitedErrors(field: string, text: string, max: number): FieldError[] {
  return text === '' ? [requiredField(field)] : tooLongErrors(field, text, max)
}

function tooLongErrors(field: string, text: string, max: number): FieldError[] {
  return Buffer.byteLength(text) > max ? invalidField(field, '', `can have at most ${max} characters`) : []
}

function unset(event: EventsEvent, member: keyof EventsEvent, field: string): FieldError[] {
  return event[member] ? invalidField(field, '', 'needs to be unset') : []
}

/** Of what stays, each by the name that the older group has for it. */
const kept = {
  regarding: 'involvedObject',
  reason: 'reason',
  note: 'message',
  deprecatedSource: 'source',
  deprecatedFirstTimestamp: 'firstTimestamp',
  deprecatedLastTimestamp: 'lastTimestamp',
  deprecatedCount: 'count',
  type: 'type',
  eventTime: 'eventTime',
  action: 'action',
  related: 'related',
  reportingController: 'reportingController',
  reportingInstance: 'reportingInstance',
} as const

function keptErrors(event: EventsEvent, old: EventsEvent): FieldError[] {
  return Object.entries(kept).flatMap(([member, field]) =>
    unlessKept(field, event[member as keyof typeof kept], old[member as keyof typeof kept]),
  )
}
