import { apply, type Calls, jsonPatch, merge, strategic } from './call.ts'

const configMaps = '/api/v1/namespaces/<ns>/configmaps'
const pods = '/api/v1/namespaces/<ns>/pods'
const unknown = (name: string) => ({ metadata: { name, nothing: 1 }, data: { a: '1' }, extra: { x: 1 } })
const twice = (name: string) => `{"metadata":{"name":"${name}","labels":{"a":"1","a":"2"}},"data":{"k":"1","k":"2"}}`
const container = { name: 'c', image: 'example.com/c:1' }

/** Fields that the server does not know, or that are of another type, or there twice. */
export const fieldCalls: Calls = {
  'unknown fields are warned of': { ask: `POST ${configMaps}`, body: unknown('default') },
  'unknown fields are warned of when asked': { ask: `POST ${configMaps}?fieldValidation=Warn`, body: unknown('warn') },
  'unknown fields are ignored when asked': {
    ask: `POST ${configMaps}?fieldValidation=Ignore`,
    body: unknown('ignore'),
  },
  'unknown fields are refused when asked': {
    ask: `POST ${configMaps}?fieldValidation=Strict`,
    body: unknown('strict'),
  },
  'a validation of fields is one of three': { ask: `POST ${configMaps}?fieldValidation=Loose`, body: unknown('loose') },
  'duplicate fields are warned of, and the last one counts': { ask: `POST ${configMaps}`, body: twice('twice') },
  'duplicate fields are ignored when asked': {
    ask: `POST ${configMaps}?fieldValidation=Ignore`,
    body: twice('twice-ignored'),
  },
  'duplicate fields are refused when asked': {
    ask: `POST ${configMaps}?fieldValidation=Strict`,
    body: twice('twice-refused'),
  },
  'unknown and duplicate fields are told together': {
    ask: `POST ${configMaps}?fieldValidation=Strict`,
    body: '{"metadata":{"name":"x"},"data":{"k":"1","k":"2"},"nothing":1}',
  },
  'unknown fields deep in an object': {
    ask: `POST ${pods}`,
    body: {
      metadata: { name: 'deep' },
      spec: { containers: [{ ...container, nothing: 1, ports: [{ containerPort: 80, what: 'x' }] }] },
    },
  },
  'unknown fields deep in an object are refused': {
    ask: `POST ${pods}?fieldValidation=Strict`,
    body: { metadata: { name: 'x' }, spec: { containers: [container, { ...container, nothing: 1 }] } },
  },
  'a field in another case is another field': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'case' }, Data: { a: '1' } },
  },
  'unknown fields of a replacement': { ask: `PUT ${configMaps}/default`, body: unknown('default') },
  'unknown fields of a replacement are refused': {
    ask: `PUT ${configMaps}/default?fieldValidation=Strict`,
    body: unknown('default'),
  },
  'unknown fields of a merge patch': {
    ask: `PATCH ${configMaps}/default`,
    type: merge,
    body: { nothing: 1, data: { b: '2' } },
  },
  'unknown fields of a merge patch are refused': {
    ask: `PATCH ${configMaps}/default?fieldValidation=Strict`,
    type: merge,
    body: { nothing: 1 },
  },
  'duplicate fields of a merge patch are refused': {
    ask: `PATCH ${configMaps}/default?fieldValidation=Strict`,
    type: merge,
    body: '{"data":{"b":"2","b":"3"}}',
  },
  'unknown fields of a JSON patch': {
    ask: `PATCH ${configMaps}/default`,
    type: jsonPatch,
    body: [{ op: 'add', path: '/nothing', value: 1 }],
  },
  'unknown fields of a JSON patch are refused': {
    ask: `PATCH ${configMaps}/default?fieldValidation=Strict`,
    type: jsonPatch,
    body: [{ op: 'add', path: '/nothing', value: 1 }],
  },
  'unknown fields of an operation are refused': {
    ask: `PATCH ${configMaps}/default?fieldValidation=Strict`,
    type: jsonPatch,
    body: [{ op: 'add', path: '/data/x', value: '1', more: 1 }],
  },
  'unknown fields of a strategic patch': {
    ask: `PATCH ${pods}/deep`,
    type: strategic,
    body: { metadata: { nothing: 1, labels: { a: '1' } } },
  },
  'unknown fields of a strategic patch are refused': {
    ask: `PATCH ${pods}/deep?fieldValidation=Strict`,
    type: strategic,
    body: { spec: { nothing: 1 } },
  },
  'unknown fields of an apply': {
    ask: `PATCH ${configMaps}/default?fieldManager=m`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'default', nothing: 1 } },
  },
  'unknown fields of an apply are refused': {
    ask: `PATCH ${configMaps}/default?fieldManager=m&fieldValidation=Strict`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'default', nothing: 1 } },
  },

  'a number where a text belongs': { ask: `POST ${configMaps}`, body: { metadata: { name: 'x' }, data: { a: 1 } } },
  'a text where a map belongs': { ask: `POST ${configMaps}`, body: { metadata: { name: 'x' }, data: 'a' } },
  'a list where a map belongs': { ask: `POST ${configMaps}`, body: { metadata: { name: 'x' }, data: [] } },
  'a text where a flag belongs': { ask: `POST ${configMaps}`, body: { metadata: { name: 'x' }, immutable: 'yes' } },
  'a number where a label belongs': { ask: `POST ${configMaps}`, body: { metadata: { name: 'x', labels: { a: 1 } } } },
  'a number where a name belongs': { ask: `POST ${configMaps}`, body: { metadata: { name: 1 } } },
  'a text where metadata belong': { ask: `POST ${configMaps}`, body: { metadata: 'x' } },
  'a map where finalizers belong': { ask: `POST ${configMaps}`, body: { metadata: { name: 'x', finalizers: {} } } },
  'a text where containers belong': {
    ask: `POST ${pods}`,
    body: { metadata: { name: 'x' }, spec: { containers: 'c' } },
  },
  'a text where a container belongs': {
    ask: `POST ${pods}`,
    body: { metadata: { name: 'x' }, spec: { containers: ['c'] } },
  },
  'a text where a port belongs': {
    ask: `POST ${pods}`,
    body: { metadata: { name: 'x' }, spec: { containers: [{ ...container, ports: [{ containerPort: 'http' }] }] } },
  },
  'a fraction where a whole number belongs': {
    ask: `POST ${pods}`,
    body: { metadata: { name: 'x' }, spec: { terminationGracePeriodSeconds: 1.5, containers: [container] } },
  },
  'a number that is too large': {
    ask: `POST ${pods}`,
    body: { metadata: { name: 'x' }, spec: { priority: 4_294_967_296, containers: [container] } },
  },
  'a list where a quantity belongs': {
    ask: `POST ${pods}`,
    body: { metadata: { name: 'x' }, spec: { containers: [{ ...container, resources: { limits: { cpu: [] } } }] } },
  },
  'a quantity that cannot be read': {
    ask: `POST ${pods}`,
    body: { metadata: { name: 'x' }, spec: { containers: [{ ...container, resources: { limits: { cpu: 'much' } } }] } },
  },
  'a time that cannot be read': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'x', creationTimestamp: 'yesterday' } },
  },
  'bytes that cannot be read': {
    ask: 'POST /api/v1/namespaces/<ns>/secrets',
    body: { metadata: { name: 'x' }, data: { a: '%' } },
  },
  'a flag where a port or its name belongs': {
    ask: `POST ${pods}`,
    body: {
      metadata: { name: 'x' },
      spec: { containers: [{ ...container, livenessProbe: { httpGet: { port: true } } }] },
    },
  },
}
