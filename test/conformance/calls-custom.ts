import { apply, type Calls, jsonPatch, merge, strategic } from './call.ts'
import { definition, group } from './widget.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const widgets = `/apis/${group}/v1/namespaces/<ns>/widgets`
const beta = `/apis/${group}/v1beta1/namespaces/<ns>/widgets`
const head = { apiVersion: `${group}/v1`, kind: 'Widget' }
const create = (spec: unknown, name = 'x', query = '') => ({
  ask: `POST ${widgets}${query}`,
  body: { ...head, metadata: { name }, spec },
})
const patch = (name: string, body: object, path = '') => ({ ask: `PATCH ${widgets}/${name}${path}`, type: merge, body })

/** Custom kinds: schema, defaults, CEL, versions, status, scale. */
export const customCalls: Calls = {
  'a kind is defined': {
    ask: `POST ${definitions}`,
    body: definition('widgets', 'Widget'),
    pick: [['kind'], ['metadata', 'name'], ['metadata', 'generation']],
  },
  'a kind is established': {
    ask: `GET ${definitions}/widgets.${group}`,
    until: 'InitialNamesAccepted',
    pick: [['status'], ['spec', 'conversion'], ['spec', 'names'], ['metadata', 'finalizers']],
  },
  'a kind is served': { ask: `GET ${widgets}`, until: 'WidgetList' },

  'an empty spec is filled in': { ...create({}, 'empty'), as: 'empty' },
  'a full spec': create(
    {
      size: 'l',
      replicas: 3,
      ratio: 1.5,
      name: 'abc',
      flag: true,
      maybe: null,
      port: 'http',
      when: '2001-01-01T00:00:00Z',
      mail: 'a@example.com',
      address: '192.0.2.1',
      every: '30s',
      bytes: 'eA==',
      tags: ['a', 'b'],
      parts: [
        { name: 'p1', weight: 1 },
        { name: 'p2', colour: 'blue' },
      ],
      list: [{ a: '1' }, { b: '2' }],
      labels: { a: 'b' },
      free: { any: [1, { thing: true }], known: { a: 'x', lost: 1 } },
      whole: { a: '1' },
      embedded: { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'e', lost: 1 }, any: 1 },
      either: { a: '1' },
      any: { a: '1', b: '2' },
      not: { a: '1' },
      fixed: 'f',
      grows: 5,
      once: 'early',
    },
    'full',
  ),
  'unknown fields are pruned': create({ nothing: 1, parts: [{ name: 'p', lost: 1 }], nested: { lost: 1 } }, 'pruned'),
  'unknown fields of a custom kind are refused': create(
    { nothing: 1, parts: [{ name: 'p', lost: 1 }] },
    'x',
    '?fieldValidation=Strict',
  ),
  'unknown fields of a custom kind are ignored': create({ nothing: 1 }, 'ignored', '?fieldValidation=Ignore'),
  'unknown members of metadata are warned of': {
    ask: `POST ${widgets}`,
    body: { ...head, metadata: { name: 'meta', nothing: 1 }, spec: {}, other: 1 },
  },
  'duplicate fields of a custom kind are refused': {
    ask: `POST ${widgets}?fieldValidation=Strict`,
    body: `{"apiVersion":"${group}/v1","kind":"Widget","metadata":{"name":"x"},"spec":{"size":"s","size":"m"}}`,
  },
  'a custom object needs apiVersion and kind': { ask: `POST ${widgets}`, body: { metadata: { name: 'x' }, spec: {} } },
  'a custom object is of the kind of the path': {
    ask: `POST ${widgets}`,
    body: { apiVersion: `${group}/v1`, kind: 'Other', metadata: { name: 'x' }, spec: { size: 's' } },
  },
  'a custom object is of the version of the path': {
    ask: `POST ${widgets}`,
    body: { apiVersion: `${group}/v2`, kind: 'Widget', metadata: { name: 'x' }, spec: {} },
  },
  'a custom object needs what is required': { ask: `POST ${widgets}`, body: { ...head, metadata: { name: 'x' } } },
  'a null that is not allowed is dropped': create({ size: null, name: null, tags: null }, 'nulls'),
  'a null where a default is allowed to be null stays': create({ maybeDefault: null }, 'null-default'),
  'a text for a number': create({ replicas: '3' }),
  'a fraction for a whole number': create({ replicas: 1.5 }),
  'a number for a text': create({ name: 3 }),
  'a text for a map': create({ labels: 'x' }),
  'a text for a list': create({ tags: 'x' }),
  'a list for a spec': create([]),
  'a text for a spec': create('x'),
  'a flag for a port': create({ port: true }),
  'a text for metadata of a custom object': { ask: `POST ${widgets}`, body: { ...head, metadata: 'x', spec: {} } },
  'a number for a label of a custom object': {
    ask: `POST ${widgets}`,
    body: { ...head, metadata: { name: 'x', labels: { a: 1 } }, spec: {} },
  },
  'a value that is not in the list': create({ size: 'xl' }),
  'a number that is too small': create({ replicas: -1 }),
  'a number that is above the maximum': create({ replicas: 11 }),
  'a number beyond its format': create({ replicas: 4_294_967_296 }),
  'a number that must be greater': create({ ratio: 0 }),
  'a number that is no multiple': create({ ratio: 0.7 }),
  'a text that is too short': create({ name: 'a' }),
  'a text that is too long': create({ name: 'abcdef' }),
  'a text that does not match': create({ name: 'A1' }),
  'a time that is none': create({ when: 'now' }),
  'a mail address that is none': create({ mail: 'x' }),
  'an address that is none': create({ address: '1.2.3' }),
  'a duration that is none': create({ every: 'often' }),
  'bytes that are none': create({ bytes: '%' }),
  'too many items': create({ tags: ['a', 'b', 'c', 'd'] }),
  'too few items': create({ list: [] }),
  'items of a set that are twice there': create({ tags: ['a', 'b', 'a'] }),
  'items with the same key': create({ parts: [{ name: 'p' }, { name: 'p' }] }),
  'an item without its key': create({ parts: [{ colour: 'blue' }] }),
  'too many members': create({ labels: { a: '1', b: '2', c: '3' } }),
  'a member that is too long': create({ labels: { a: '123456' } }),
  'neither of either': create({ either: {} }),
  'both of either': create({ either: { a: '1', b: '2' } }),
  'none of any': create({ any: {} }),
  'all of what must not be': create({ not: { a: '1', b: '2' } }),
  'an embedded object without a kind': create({ embedded: { any: 1 } }),
  'several errors at once': create({ name: 'A', tags: ['a', 'a'] }),
  'names of custom objects follow the rules': create({}, 'Not_A_Name'),

  'a rule with a message and a reason': create({ size: 's', replicas: 6 }),
  'a rule without a message': create({ name: 'bad' }),
  'a rule with a message that is computed': create({ parts: [{ name: 'q' }, { name: 'p' }, { name: 'r' }] }),
  'a rule with a path': create({ parts: [{ name: 'p', weight: -1 }] }),
  'a rule about two types': create({ port: 0 }),
  'a rule about a duration': create({ every: '2h' }),
  'several rules at once': create({ size: 's', replicas: 6, name: 'bad' }),
  'rules do not run on what is wrong otherwise': create({ size: 's', replicas: 6, name: 3 }),
  'a transition rule does not run at first': create({ fixed: 'a', grows: 1, once: 'early' }, 'moves'),
  'a transition rule keeps a value': patch('moves', { spec: { fixed: 'b' } }),
  'a transition rule with a message that is computed': patch('moves', { spec: { grows: 0 } }),
  'a transition that is allowed': patch('moves', { spec: { grows: 2, once: 'late' } }),
  'a value may be taken away': patch('moves', { spec: { fixed: null } }),
  'a transition rule does not run when a value comes again': patch('moves', { spec: { fixed: 'c' } }),
  'an optional transition rule runs at first': create({ once: 'late' }),

  'a change of the spec counts': patch('empty', { spec: { replicas: 2 } }),
  'a change of the metadata does not count': patch('empty', { metadata: { labels: { a: '1' } } }),
  'a patch of a custom object may add what is pruned': patch('empty', { spec: { nothing: 1 } }),
  'the main path leaves the status': patch('empty', { status: { phase: 'Ready' } }),
  'a status is set apart': patch(
    'empty',
    { spec: { replicas: 9 }, status: { phase: 'Ready', replicas: 2, selector: 'a=b' } },
    '/status',
  ),
  'a status is not created': { ask: `POST ${widgets}/empty/status`, body: {} },
  'a status of another type': patch('empty', { status: { replicas: 'x' } }, '/status'),
  'a replacement of the status': {
    ask: `PUT ${widgets}/empty/status`,
    body: { ...head, metadata: { name: 'empty', labels: { b: '2' } }, spec: {}, status: { phase: 'Done' } },
  },
  'a replacement of an older custom object is a conflict': {
    ask: `PUT ${widgets}/empty`,
    body: { ...head, metadata: { name: 'empty', resourceVersion: '<empty.metadata.resourceVersion>' }, spec: {} },
  },
  'a replacement of a custom object without a version': {
    ask: `PUT ${widgets}/empty`,
    body: { ...head, metadata: { name: 'empty' }, spec: {} },
  },
  'a replacement of a custom object that is not there': {
    ask: `PUT ${widgets}/none`,
    body: { ...head, metadata: { name: 'none' }, spec: {} },
  },
  'a JSON patch of a custom object': {
    ask: `PATCH ${widgets}/full`,
    type: jsonPatch,
    body: [{ op: 'add', path: '/spec/tags/-', value: 'c' }],
    pick: [
      ['spec', 'tags'],
      ['metadata', 'generation'],
    ],
  },
  'a custom object takes no strategic patch': { ask: `PATCH ${widgets}/full`, type: strategic, body: {} },
  'apply on a custom object': {
    ask: `PATCH ${widgets}/applied?fieldManager=alice`,
    type: apply,
    body: {
      ...head,
      metadata: { name: 'applied' },
      spec: {
        parts: [{ name: 'p1', colour: 'blue' }],
        tags: ['a'],
        labels: { a: '1' },
        whole: { a: '1' },
        list: [{ a: '1' }],
      },
    },
  },
  'apply joins keyed lists, sets and maps': {
    ask: `PATCH ${widgets}/applied?fieldManager=bob`,
    type: apply,
    body: {
      ...head,
      metadata: { name: 'applied' },
      spec: { parts: [{ name: 'p2' }], tags: ['b'], labels: { b: '2' } },
    },
  },
  'apply does not join what is atomic': {
    ask: `PATCH ${widgets}/applied?fieldManager=bob`,
    type: apply,
    body: {
      ...head,
      metadata: { name: 'applied' },
      spec: { whole: { b: '2' }, list: [{ b: '2' }], parts: [{ name: 'p1', colour: 'green' }] },
    },
  },
  'apply of unknown fields of a custom kind': {
    ask: `PATCH ${widgets}/applied?fieldManager=bob`,
    type: apply,
    body: {
      ...head,
      metadata: { name: 'applied' },
      spec: { nothing: 1, parts: [{ name: 'p2' }], tags: ['b'], labels: { b: '2' } },
    },
  },
  'apply of a text for a list': {
    ask: `PATCH ${widgets}/applied?fieldManager=bob`,
    type: apply,
    body: { ...head, metadata: { name: 'applied' }, spec: { parts: 'x' } },
  },
  'apply of items with the same key': {
    ask: `PATCH ${widgets}/applied?fieldManager=bob`,
    type: apply,
    body: { ...head, metadata: { name: 'applied' }, spec: { parts: [{ name: 'p2' }, { name: 'p2' }] } },
  },
  'apply takes parts away': {
    ask: `PATCH ${widgets}/applied?fieldManager=alice`,
    type: apply,
    body: { ...head, metadata: { name: 'applied' }, spec: { tags: ['a'] } },
  },
  'apply of a status': {
    ask: `PATCH ${widgets}/applied/status?fieldManager=carol`,
    type: apply,
    body: { ...head, metadata: { name: 'applied' }, status: { conditions: [{ type: 'Ready', status: 'True' }] } },
  },
  'apply of a rule that is broken': {
    ask: `PATCH ${widgets}/applied?fieldManager=dave`,
    type: apply,
    body: { ...head, metadata: { name: 'applied' }, spec: { name: 'bad' } },
  },

  'a scale is got': { ask: `GET ${widgets}/full/scale` },
  'a scale is set': {
    ask: `PUT ${widgets}/full/scale`,
    body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'full' }, spec: { replicas: 4 } },
  },
  'a scale is patched': { ask: `PATCH ${widgets}/full/scale`, type: merge, body: { spec: { replicas: 5 } } },
  'a scale of an older version is a conflict': {
    ask: `PUT ${widgets}/full/scale`,
    body: {
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'full', resourceVersion: '1' },
      spec: { replicas: 4 },
    },
  },
  'a scale is not negative': { ask: `PATCH ${widgets}/full/scale`, type: merge, body: { spec: { replicas: -1 } } },
  'a scale keeps to the schema': { ask: `PATCH ${widgets}/full/scale`, type: merge, body: { spec: { replicas: 50 } } },
  'a scale has the name of its object': {
    ask: `PUT ${widgets}/full/scale`,
    body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'other' }, spec: { replicas: 4 } },
  },
  'a scale of what is not there': { ask: `GET ${widgets}/none/scale` },
  'a scale is applied': {
    ask: `PATCH ${widgets}/full/scale?fieldManager=scaler`,
    type: apply,
    body: { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'full' }, spec: { replicas: 6 } },
  },
  'a scaled object names the scaler': {
    ask: `GET ${widgets}/full`,
    pick: [
      ['metadata', 'managedFields'],
      ['spec', 'replicas'],
      ['metadata', 'generation'],
    ],
  },

  'an object to scale to zero': {
    ask: `POST ${widgets}`,
    body: { ...head, metadata: { name: 'idle' }, spec: { name: 'idle', replicas: 2 } },
  },
  'a scale to zero': patch('idle', { spec: { replicas: 0 } }, '/scale'),
  'a scale of zero is got': { ask: `GET ${widgets}/idle/scale` },
  'a scale from zero': {
    ask: `PATCH ${widgets}/idle/scale`,
    type: jsonPatch,
    body: [
      { op: 'test', path: '/spec', value: {} },
      { op: 'add', path: '/spec/replicas', value: 3 },
    ],
  },
  'what was at zero is deleted': { ask: `DELETE ${widgets}/idle` },

  'custom objects by a field': {
    ask: `GET ${widgets}?fieldSelector=spec.size%3Dl`,
    pick: [
      ['items', 'metadata.name=full', 'spec', 'size'],
      ['items', 'metadata.name=empty'],
    ],
  },
  'custom objects by a field that is not selectable': { ask: `GET ${widgets}?fieldSelector=spec.name%3Dx` },
  'an item of a list of custom objects has its kind': { ask: `GET ${widgets}?fieldSelector=metadata.name%3Dempty` },
  'a custom object in another version': { ask: `GET ${beta}/empty` },
  'a custom object created in another version': {
    ask: `POST ${beta}`,
    body: { apiVersion: `${group}/v1beta1`, kind: 'Widget', metadata: { name: 'beta' }, spec: { any: 'thing' } },
  },
  'what another version created is read in this one': { ask: `GET ${widgets}/beta` },
  'a version that is not served': { ask: `GET /apis/${group}/v1alpha1/namespaces/<ns>/widgets` },
  'a table of custom objects': {
    ask: `GET ${widgets}?fieldSelector=metadata.name%3Dfull`,
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
  },
  'a watch of custom objects': {
    ask: `GET ${widgets}?watch=true&resourceVersion=<empty.metadata.resourceVersion>&fieldSelector=metadata.name%3Dempty&timeoutSeconds=1`,
    events: 'all',
  },
  'a watch of custom objects by a field': {
    ask: `GET ${widgets}?watch=true&resourceVersion=0&fieldSelector=spec.size%3Dl`,
    events: 1,
  },
  'a custom object is deleted': { ask: `DELETE ${widgets}/pruned` },
  'a collection of custom objects is deleted': {
    ask: `DELETE ${widgets}?fieldSelector=metadata.name%3Dnulls`,
    pick: [['kind'], ['items', 'metadata.name=nulls', 'kind']],
  },
}
