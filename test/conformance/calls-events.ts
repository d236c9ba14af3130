import { type Calls, merge } from './call.ts'

const core = '/api/v1/namespaces/<ns>/events'
const newer = '/apis/events.k8s.io/v1/namespaces/<ns>/events'
const about = {
  apiVersion: 'v1',
  kind: 'Pod',
  namespace: '<ns>',
  name: 'p',
  uid: '11111111-2222-3333-4444-555555555555',
}
const event = (members: object, name = 'x') => ({
  ask: `POST ${core}`,
  body: { metadata: { name }, involvedObject: about, ...members },
})
const newEvent = (members: object, name = 'x') => ({
  ask: `POST ${newer}`,
  body: {
    metadata: { name },
    regarding: about,
    eventTime: '2001-01-01T00:00:00.000000Z',
    reportingController: 'example.com/c',
    reportingInstance: 'c-1',
    action: 'Start',
    reason: 'Started',
    type: 'Normal',
    ...members,
  },
})

/** Events in both groups, which are views of one list. */
export const eventCalls: Calls = {
  'an event': event(
    {
      reason: 'Started',
      message: 'it runs',
      type: 'Normal',
      source: { component: 'c' },
      firstTimestamp: '2001-01-01T00:00:00Z',
      lastTimestamp: '2001-01-01T00:00:00Z',
      count: 1,
    },
    'old',
  ),
  'an event in the newer words': { ask: `GET ${newer}/old` },
  'an event of the newer group': newEvent({ note: 'it runs' }, 'new'),
  'an event in the older words': { ask: `GET ${core}/new` },
  'events of both groups are one list': {
    ask: `GET ${newer}`,
    pick: [['kind'], ['items', 'metadata.name=old', 'regarding', 'name'], ['items', 'metadata.name=new', 'note']],
  },
  'an event of an object elsewhere': event({ involvedObject: { ...about, namespace: 'other' } }),
  'an event of an object without a namespace': event({ involvedObject: { apiVersion: 'v1', kind: 'Node', name: 'n' } }),
  'an event of the newer group has a time': newEvent({ eventTime: null }),
  'an event of the newer group has a reporter': newEvent({ reportingController: '', reportingInstance: '' }),
  'an event of the newer group has an action and a reason': newEvent({ action: '', reason: '' }),
  'a type of an event is one of two': newEvent({ type: 'Odd' }),
  'a note has a limit': newEvent({ note: 'x'.repeat(1025) }),
  'a series of an event': {
    ask: `PATCH ${newer}/new`,
    type: merge,
    body: { series: { count: 2, lastObservedTime: '2001-01-01T00:00:01.000000Z' } },
  },
  'the reason of an event of the newer group stays': {
    ask: `PATCH ${newer}/new`,
    type: merge,
    body: { reason: 'Other' },
  },
  'an event is counted': {
    ask: `PATCH ${core}/old`,
    type: merge,
    body: { count: 2, lastTimestamp: '2001-01-01T00:01:00Z' },
  },
  'events of an object': {
    ask: `GET ${core}?fieldSelector=involvedObject.name%3Dp,reason%3DStarted,type%3DNormal`,
    pick: [
      ['items', 'metadata.name=old', 'count'],
      ['items', 'metadata.name=new', 'reason'],
    ],
  },
  'events of an object in the newer words': {
    ask: `GET ${newer}?fieldSelector=regarding.name%3Dp`,
    pick: [['items', 'metadata.name=old', 'reason'], ['code'], ['message']],
  },
  'events of a field that cannot be selected by': { ask: `GET ${core}?fieldSelector=message%3Dx` },
  'an event goes': { ask: `DELETE ${core}/old` },
}
