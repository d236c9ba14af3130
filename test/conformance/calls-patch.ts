import { apply, type Calls, jsonPatch, merge, strategic } from './call.ts'

const configMaps = '/api/v1/namespaces/<ns>/configmaps'
const one = `${configMaps}/one`
const pod = '/api/v1/namespaces/<ns>/pods/p'
const service = '/api/v1/namespaces/<ns>/services/s'

/** The three patches; server-side apply has a subject of its own. */
export const patchCalls: Calls = {
  'something to patch': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'one', labels: { a: '1', b: '2' } }, data: { k: 'v', l: 'w' } },
    as: 'one',
  },
  'a merge patch adds, changes and takes away': {
    ask: `PATCH ${one}`,
    type: merge,
    body: { metadata: { labels: { a: null, c: '3' } }, data: { k: 'x' } },
  },
  'a merge patch that changes nothing writes nothing': { ask: `PATCH ${one}`, type: merge, body: { data: { k: 'x' } } },
  'an empty merge patch writes nothing': { ask: `PATCH ${one}`, type: merge, body: {} },
  'a merge patch of a version that is gone is a conflict': {
    ask: `PATCH ${one}`,
    type: merge,
    body: { metadata: { resourceVersion: '<one.metadata.resourceVersion>' }, data: { k: 'y' } },
  },
  'a merge patch of another uid is a conflict': {
    ask: `PATCH ${one}`,
    type: merge,
    body: { metadata: { uid: '11111111-2222-3333-4444-555555555555' } },
  },
  'a merge patch does not rename': { ask: `PATCH ${one}`, type: merge, body: { metadata: { name: 'two' } } },
  'a merge patch does not move': { ask: `PATCH ${one}`, type: merge, body: { metadata: { namespace: 'other' } } },
  'a merge patch does not change the kind': { ask: `PATCH ${one}`, type: merge, body: { kind: 'Secret' } },
  'a merge patch does not change the apiVersion': { ask: `PATCH ${one}`, type: merge, body: { apiVersion: 'v2' } },
  'a merge patch is an object': { ask: `PATCH ${one}`, type: merge, body: [] },
  'a merge patch is JSON': { ask: `PATCH ${one}`, type: merge, body: '{"data":' },
  'a merge patch keeps to the types': { ask: `PATCH ${one}`, type: merge, body: { data: { k: 1 } } },
  'a merge patch keeps to the rules': { ask: `PATCH ${one}`, type: merge, body: { data: { 'no/key': 'x' } } },
  'a patch of what is not there': { ask: `PATCH ${configMaps}/none`, type: merge, body: {} },
  'a dry run of a patch': { ask: `PATCH ${one}?dryRun=All`, type: merge, body: { data: { dry: 'run' } } },
  'a patch of no known type': { ask: `PATCH ${one}`, type: 'text/plain', body: '{}' },
  'a patch of plain JSON': { ask: `PATCH ${one}`, type: 'application/json', body: {} },
  'a patch is not forced': { ask: `PATCH ${one}?force=true`, type: merge, body: {} },
  'a patch by a named manager': {
    ask: `PATCH ${one}?fieldManager=patcher`,
    type: merge,
    body: { data: { patched: 'yes' } },
  },

  'a JSON patch adds, replaces and removes': {
    ask: `PATCH ${one}`,
    type: jsonPatch,
    body: [
      { op: 'add', path: '/data/n', value: 'new' },
      { op: 'replace', path: '/data/k', value: 'z' },
      { op: 'remove', path: '/data/l' },
    ],
  },
  'a JSON patch copies, moves and tests': {
    ask: `PATCH ${one}`,
    type: jsonPatch,
    body: [
      { op: 'test', path: '/data/k', value: 'z' },
      { op: 'copy', from: '/data/k', path: '/data/copied' },
      { op: 'move', from: '/data/n', path: '/data/moved' },
    ],
  },
  'a test that fails': { ask: `PATCH ${one}`, type: jsonPatch, body: [{ op: 'test', path: '/data/k', value: 'no' }] },
  'a test of what is not there': {
    ask: `PATCH ${one}`,
    type: jsonPatch,
    body: [{ op: 'test', path: '/data/none', value: 'no' }],
  },
  'a removal of what is not there': {
    ask: `PATCH ${one}`,
    type: jsonPatch,
    body: [{ op: 'remove', path: '/data/none' }],
  },
  'a replacement of what is not there': {
    ask: `PATCH ${one}`,
    type: jsonPatch,
    body: [{ op: 'replace', path: '/data/none', value: 'x' }],
  },
  'an addition below what is not there': {
    ask: `PATCH ${one}`,
    type: jsonPatch,
    body: [{ op: 'add', path: '/none/x', value: 'x' }],
  },
  'a copy of what is not there': {
    ask: `PATCH ${one}`,
    type: jsonPatch,
    body: [{ op: 'copy', from: '/data/absent', path: '/data/x' }],
  },
  'a move of what is not there': {
    ask: `PATCH ${one}`,
    type: jsonPatch,
    body: [{ op: 'move', from: '/data/absent', path: '/data/x' }],
  },
  'an operation that is unknown': { ask: `PATCH ${one}`, type: jsonPatch, body: [{ op: 'jump', path: '/data/k' }] },
  'an operation without a path': { ask: `PATCH ${one}`, type: jsonPatch, body: [{ op: 'remove' }] },
  'an addition without a value': { ask: `PATCH ${one}`, type: jsonPatch, body: [{ op: 'add', path: '/data/novalue' }] },
  'a JSON patch is a list': { ask: `PATCH ${one}`, type: jsonPatch, body: { op: 'add' } },
  'an empty JSON patch writes nothing': { ask: `PATCH ${one}`, type: jsonPatch, body: [] },
  'names in a path are escaped': {
    ask: `PATCH ${one}`,
    type: jsonPatch,
    body: [
      { op: 'add', path: '/metadata/annotations', value: { 'example.com/a~b': '1' } },
      { op: 'replace', path: '/metadata/annotations/example.com~1a~0b', value: '2' },
    ],
  },
  'a JSON patch has a limit': {
    ask: `PATCH ${one}`,
    type: jsonPatch,
    body: Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/data/k', value: 'z' })),
  },

  'a pod to patch': {
    ask: 'POST /api/v1/namespaces/<ns>/pods',
    body: {
      metadata: { name: 'p' },
      spec: {
        containers: [
          { name: 'a', image: 'example.com/a:1' },
          { name: 'b', image: 'example.com/b:1' },
        ],
        tolerations: [{ key: 'one', operator: 'Exists' }],
      },
    },
  },
  'a strategic patch finds a container by its name': {
    ask: `PATCH ${pod}`,
    type: strategic,
    body: { spec: { containers: [{ name: 'b', image: 'example.com/b:2' }] } },
  },
  'a strategic patch replaces a list without a key': {
    ask: `PATCH ${pod}`,
    type: strategic,
    body: { metadata: { finalizers: ['example.com/a', 'example.com/b'] } },
  },
  'a strategic patch joins a list of values': {
    ask: `PATCH ${pod}`,
    type: strategic,
    body: { metadata: { finalizers: ['example.com/c'] } },
  },
  'a strategic patch takes a value out of a list': {
    ask: `PATCH ${pod}`,
    type: strategic,
    body: { metadata: { '$deleteFromPrimitiveList/finalizers': ['example.com/a'] } },
  },
  'a strategic patch orders a list': {
    ask: `PATCH ${pod}`,
    type: strategic,
    body: { metadata: { '$setElementOrder/finalizers': ['example.com/c', 'example.com/b'] } },
  },
  'a strategic patch replaces a map': {
    ask: `PATCH ${pod}`,
    type: strategic,
    body: { metadata: { labels: { $patch: 'replace', only: 'this' } } },
  },
  'a strategic patch empties a map': {
    ask: `PATCH ${pod}`,
    type: strategic,
    body: { metadata: { labels: { $patch: 'delete' } } },
  },
  'a strategic patch adds a condition by its type': {
    ask: `PATCH ${pod}/status`,
    type: strategic,
    body: {
      status: {
        conditions: [{ type: 'Ready', status: 'False', reason: 'Test', lastTransitionTime: '2001-01-01T00:00:00Z' }],
      },
    },
  },
  'a strategic patch changes a condition by its type': {
    ask: `PATCH ${pod}/status`,
    type: strategic,
    body: { status: { conditions: [{ type: 'Ready', status: 'True' }] } },
  },
  'a strategic patch deletes a condition by its type': {
    ask: `PATCH ${pod}/status`,
    type: strategic,
    body: { status: { conditions: [{ type: 'Ready', $patch: 'delete' }] } },
  },
  'a strategic patch needs the key of an item': {
    ask: `PATCH ${pod}`,
    type: strategic,
    body: { spec: { containers: [{ image: 'example.com/b:3' }] } },
  },
  'a strategic patch has directives that are known': {
    ask: `PATCH ${pod}`,
    type: strategic,
    body: { metadata: { labels: { $patch: 'jump' } } },
  },
  'a strategic patch is an object': { ask: `PATCH ${pod}`, type: strategic, body: [] },
  'a strategic patch puts a map where a map is': {
    ask: `PATCH ${pod}`,
    type: strategic,
    body: { metadata: { labels: 'x' } },
  },
  'a strategic patch puts a list where a list is': {
    ask: `PATCH ${pod}`,
    type: strategic,
    body: { spec: { containers: { name: 'a' } } },
  },
  'a service to patch': {
    ask: 'POST /api/v1/namespaces/<ns>/services',
    body: {
      metadata: { name: 's' },
      spec: {
        selector: { app: 'a' },
        ports: [
          { name: 'http', port: 80 },
          { name: 'https', port: 443 },
        ],
      },
    },
  },
  'a strategic patch finds a port by its number': {
    ask: `PATCH ${service}`,
    type: strategic,
    body: { spec: { ports: [{ port: 443, targetPort: 8443 }] } },
  },
  'a strategic patch deletes a port by its number': {
    ask: `PATCH ${service}`,
    type: strategic,
    body: { spec: { ports: [{ port: 443, $patch: 'delete' }] } },
  },
  'a strategic patch orders ports': {
    ask: `PATCH ${service}`,
    type: strategic,
    body: { spec: { '$setElementOrder/ports': [{ port: 8080 }, { port: 80 }], ports: [{ name: 'more', port: 8080 }] } },
  },
  'a strategic patch replaces a whole list': {
    ask: `PATCH ${service}`,
    type: strategic,
    body: { spec: { ports: [{ $patch: 'replace' }, { name: 'only', port: 9000 }] } },
  },
  'a strategic patch keeps keys': {
    ask: `PATCH ${service}`,
    type: strategic,
    body: { spec: { selector: { $retainKeys: ['b'], b: '2' } } },
  },
  'an apply patch names its manager': {
    ask: `PATCH ${one}`,
    type: apply,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one' } },
  },
}
