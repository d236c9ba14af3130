import { apply, type Calls, merge } from './call.ts'

const configMaps = '/api/v1/namespaces/<ns>/configmaps'
const one = `${configMaps}/one`
const pod = '/api/v1/namespaces/<ns>/pods/p'
const service = '/api/v1/namespaces/<ns>/services/s'

const configMap = (data: unknown, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'one', ...metadata },
  data,
})
const podOf = (spec: object, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', ...metadata },
  spec,
})
const a = { name: 'a', image: 'example.com/a:1' }

/** Server-side apply and managedFields. */
export const applyCalls: Calls = {
  'apply creates what is not there': {
    ask: `PATCH ${one}?fieldManager=alice`,
    type: apply,
    body: configMap({ a: '1', b: '2' }, { labels: { app: 'x' } }),
    as: 'one',
  },
  'applying the same writes nothing': {
    ask: `PATCH ${one}?fieldManager=alice`,
    type: apply,
    body: configMap({ a: '1', b: '2' }, { labels: { app: 'x' } }),
  },
  'another manager may hold other fields': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: configMap({ c: '3' }),
  },
  'another manager may hold the same value': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: configMap({ a: '1', c: '3' }),
  },
  'another value is a conflict': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: configMap({ a: '9', b: '9' }),
  },
  'another value of what two hold is a conflict with one': {
    ask: `PATCH ${one}?fieldManager=carol`,
    type: apply,
    body: configMap({ a: '9' }),
  },
  'force takes the fields over': {
    ask: `PATCH ${one}?fieldManager=bob&force=true`,
    type: apply,
    body: configMap({ a: '9', c: '3' }),
  },
  'what a manager no longer applies goes': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: configMap({ c: '3' }),
  },
  'what nobody applies any more leaves the map': {
    ask: `PATCH ${one}?fieldManager=alice`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } },
  },
  'an update takes fields from those who applied': {
    ask: `PATCH ${one}?fieldManager=dave`,
    type: merge,
    body: { data: { c: 'updated' } },
  },
  'an update is a conflict for the next apply': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: configMap({ c: '3' }),
  },
  'a dry run of apply': {
    ask: `PATCH ${one}?fieldManager=bob&force=true&dryRun=All`,
    type: apply,
    body: configMap({ c: '3' }),
  },
  'an apply of a version that is gone is a conflict': {
    ask: `PATCH ${one}?fieldManager=bob&force=true`,
    type: apply,
    body: configMap({ c: '3' }, { resourceVersion: '<one.metadata.resourceVersion>' }),
  },
  'an apply of another uid is a conflict': {
    ask: `PATCH ${one}?fieldManager=bob&force=true`,
    type: apply,
    body: configMap({ c: '3' }, { uid: '11111111-2222-3333-4444-555555555555' }),
  },
  'an apply of a uid creates nothing': {
    ask: `PATCH ${configMaps}/two?fieldManager=bob`,
    type: apply,
    body: { ...configMap({}), metadata: { name: 'two', uid: '11111111-2222-3333-4444-555555555555' } },
  },
  'an apply of a version creates nothing': {
    ask: `PATCH ${configMaps}/two?fieldManager=bob`,
    type: apply,
    body: { ...configMap({}), metadata: { name: 'two', resourceVersion: '1' } },
  },
  'apply needs a manager': { ask: `PATCH ${one}`, type: apply, body: configMap({}) },
  'apply takes no managedFields': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: configMap(
      {},
      { managedFields: [{ manager: 'x', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }] },
    ),
  },
  'apply needs apiVersion and kind': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: { metadata: { name: 'one' } },
  },
  'apply needs a kind': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: { apiVersion: 'v1', metadata: { name: 'one' } },
  },
  'apply is of the kind of the path': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' } },
  },
  'apply is of the name of the path': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: { ...configMap({}), metadata: { name: 'other' } },
  },
  'apply may leave the name to the path': {
    ask: `PATCH ${configMaps}/unnamed?fieldManager=bob`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} },
  },
  'apply is of the namespace of the path': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: configMap({}, { namespace: 'other' }),
  },
  'apply knows its fields': {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: { ...configMap({}), nothing: 1 },
  },
  'apply keeps to the types': { ask: `PATCH ${one}?fieldManager=bob`, type: apply, body: configMap({ c: 1 }) },
  'apply may be YAML': {
    ask: `PATCH ${configMaps}/yaml?fieldManager=alice`,
    type: apply,
    body: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n  b: |\n    two\n    lines\n',
  },
  'apply takes no broken YAML': { ask: `PATCH ${configMaps}/yaml?fieldManager=alice`, type: apply, body: 'a: [' },
  'apply takes no list': { ask: `PATCH ${configMaps}/yaml?fieldManager=alice`, type: apply, body: [] },
  'apply takes no duplicate keys of YAML': {
    ask: `PATCH ${configMaps}/yaml?fieldManager=alice&fieldValidation=Strict`,
    type: apply,
    body: 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: "1"\n  a: "2"\n',
  },
  'managedFields can be emptied': { ask: `PATCH ${one}`, type: merge, body: { metadata: { managedFields: [{}] } } },
  "what was nobody's belongs to those before the first apply": {
    ask: `PATCH ${one}?fieldManager=bob`,
    type: apply,
    body: configMap({ c: 'updated' }),
  },
  'managedFields can be written': {
    ask: `PATCH ${one}`,
    type: merge,
    body: {
      metadata: {
        managedFields: [
          {
            manager: 'written',
            operation: 'Apply',
            apiVersion: 'v1',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:data': { 'f:c': {} } },
          },
        ],
      },
    },
  },
  'managedFields must be of a known form': {
    ask: `PATCH ${one}`,
    type: merge,
    body: {
      metadata: {
        managedFields: [{ manager: 'x', operation: 'Guess', apiVersion: 'v1', fieldsType: 'FieldsV1', fieldsV1: {} }],
      },
    },
  },
  'managedFields must be of a known type': {
    ask: `PATCH ${one}`,
    type: merge,
    body: {
      metadata: {
        managedFields: [{ manager: 'x', operation: 'Apply', apiVersion: 'v1', fieldsType: 'FieldsV2', fieldsV1: {} }],
      },
    },
  },
  'apply does not touch what is being deleted with finalizers': {
    ask: `PATCH ${configMaps}/held?fieldManager=alice`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers: ['example.com/hold'] } },
  },
  'finalizers are a set': {
    ask: `PATCH ${configMaps}/held?fieldManager=bob`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers: ['example.com/more'] } },
  },
  'a value of a set is applied once': {
    ask: `PATCH ${configMaps}/held?fieldManager=bob`,
    type: apply,
    body: {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'held', finalizers: ['example.com/more', 'example.com/more'] },
    },
  },

  'apply creates a pod': {
    ask: `PATCH ${pod}?fieldManager=alice`,
    type: apply,
    body: podOf({ containers: [{ ...a, env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80 }] }] }),
  },
  'containers are found by their names': {
    ask: `PATCH ${pod}?fieldManager=bob&force=true`,
    type: apply,
    body: podOf({ containers: [{ name: 'a', image: 'example.com/a:2' }] }),
  },
  'a container of an applied list has a name': {
    ask: `PATCH ${pod}?fieldManager=bob`,
    type: apply,
    body: podOf({ containers: [{ image: 'example.com/a:2' }] }),
  },
  'a container of an applied list is there once': {
    ask: `PATCH ${pod}?fieldManager=bob`,
    type: apply,
    body: podOf({ containers: [a, a] }),
  },
  'an apply of what may not change': {
    ask: `PATCH ${pod}?fieldManager=alice&force=true`,
    type: apply,
    body: podOf({ containers: [{ ...a, command: ['x'] }] }),
    pick: [['code'], ['reason'], ['details', 'causes', 'field=spec', 'reason']],
  },
  'an apply of several conflicts tells them all': {
    ask: `PATCH ${pod}?fieldManager=carol`,
    type: apply,
    body: podOf({
      restartPolicy: 'Never',
      containers: [{ name: 'a', image: 'example.com/a:3', env: [{ name: 'A', value: '2' }] }],
    }),
  },
  'a status is applied apart': {
    ask: `PATCH ${pod}/status?fieldManager=kubelet`,
    type: apply,
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2001-01-01T00:00:00Z' }],
      },
    },
  },
  'an apply of the status leaves the rest': {
    ask: `PATCH ${pod}/status?fieldManager=kubelet`,
    type: apply,
    body: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', labels: { a: '1' } },
      spec: { nodeName: 'x' },
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2001-01-01T00:00:00Z' }],
      },
    },
  },
  'an apply of the status creates nothing': {
    ask: 'PATCH /api/v1/namespaces/<ns>/pods/none/status?fieldManager=kubelet',
    type: apply,
    body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'none' }, status: { phase: 'Running' } },
  },
  'an apply on the object leaves the status': {
    ask: `PATCH ${pod}?fieldManager=alice&force=true`,
    type: apply,
    body: {
      ...podOf({ containers: [{ ...a, env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80 }] }] }),
      status: { phase: 'Failed' },
    },
  },

  'a service with two ports': {
    ask: `PATCH ${service}?fieldManager=alice`,
    type: apply,
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's' },
      spec: {
        selector: { app: 'a' },
        ports: [
          { name: 'one', port: 80 },
          { name: 'two', port: 81 },
        ],
      },
    },
  },
  'a port of another manager': {
    ask: `PATCH ${service}?fieldManager=bob`,
    type: apply,
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's' },
      spec: { ports: [{ name: 'three', port: 82, protocol: 'TCP' }] },
    },
  },
  'ports are keyed by number and protocol': {
    ask: `PATCH ${service}?fieldManager=bob`,
    type: apply,
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's' },
      spec: {
        ports: [
          { name: 'three', port: 82, protocol: 'TCP' },
          { name: 'udp', port: 82, protocol: 'UDP' },
        ],
      },
    },
  },
  'a port that nobody applies any more goes': {
    ask: `PATCH ${service}?fieldManager=alice`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { ports: [{ name: 'one', port: 80 }] } },
  },
  'a map that is atomic has one owner': {
    ask: `PATCH ${service}?fieldManager=bob`,
    type: apply,
    body: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 's' },
      spec: { selector: { app: 'b' }, ports: [{ name: 'three', port: 82, protocol: 'TCP' }] },
    },
  },
  'kubectl keeps what it applied once': {
    ask: `POST ${configMaps}?fieldManager=kubectl-client-side-apply`,
    body: {
      metadata: {
        name: 'kubectl',
        annotations: {
          'kubectl.kubernetes.io/last-applied-configuration':
            '{"apiVersion":"v1","data":{"a":"1","b":"2"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"kubectl","namespace":"<ns>"}}\n',
        },
      },
      data: { a: '1', b: '2' },
    },
  },
  "kubectl goes over to the server's side": {
    ask: `PATCH ${configMaps}/kubectl?fieldManager=kubectl`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kubectl' }, data: { a: '2' } },
  },
}
