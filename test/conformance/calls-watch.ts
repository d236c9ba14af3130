import { type Calls, merge } from './call.ts'

const configMaps = '/api/v1/namespaces/<ns>/configmaps'
const from = (more = ''): string =>
  `GET ${configMaps}?watch=true&resourceVersion=<start.metadata.resourceVersion>${more}`
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'

/** Watches: order, selection, bookmarks, moments. Each reads the same short history. */
export const watchCalls: Calls = {
  'where the watches begin': { ask: `GET ${configMaps}`, as: 'start' },
  'something is added': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'a', labels: { app: 'x' } }, data: { n: '1' } },
    as: 'a',
  },
  'something else is added': { ask: `POST ${configMaps}`, body: { metadata: { name: 'b', labels: { app: 'y' } } } },
  'something changes': { ask: `PATCH ${configMaps}/a`, type: merge, body: { data: { n: '2' } } },
  'something leaves a selection': {
    ask: `PATCH ${configMaps}/a`,
    type: merge,
    body: { metadata: { labels: { app: 'y' } } },
  },
  'something comes into a selection': {
    ask: `PATCH ${configMaps}/b`,
    type: merge,
    body: { metadata: { labels: { app: 'x' } } },
  },
  'something is held and deleted': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'c', finalizers: ['example.com/hold'] } },
  },
  'the held one is marked': { ask: `DELETE ${configMaps}/c` },
  'the held one goes': { ask: `PATCH ${configMaps}/c`, type: merge, body: { metadata: { finalizers: null } } },
  'something is deleted': { ask: `DELETE ${configMaps}/a` },
  'a watch tells what happened in order': { ask: from(), events: 9 },
  'a watch of labels tells what comes and goes': { ask: from('&labelSelector=app%3Dx'), events: 4 },
  'a watch of a field': { ask: from('&fieldSelector=metadata.name%3Dc'), events: 3 },
  'a get asks in vain to be a watch': { ask: `GET ${configMaps}/b?watch=true` },
  'a watch over all namespaces': {
    ask: 'GET /api/v1/configmaps?watch=true&resourceVersion=<start.metadata.resourceVersion>&fieldSelector=metadata.namespace%3D<ns>,metadata.name%3Da',
    events: 4,
  },
  'the old path of a watch': {
    ask: 'GET /api/v1/watch/namespaces/<ns>/configmaps?resourceVersion=<a.metadata.resourceVersion>&fieldSelector=metadata.name%3Db',
    events: 2,
  },
  'a watch from the middle': {
    ask: `GET ${configMaps}?watch=true&resourceVersion=<a.metadata.resourceVersion>`,
    events: 2,
  },
  'a watch of tables': { ask: from(), accept: table, events: 3 },
  'a watch of metadata': { ask: from(), accept: partial, events: 2 },
  'a watch from nowhere begins with what is there': { ask: `GET ${configMaps}?watch=true`, events: 1 },
  'a watch from zero begins with what is there': { ask: `GET ${configMaps}?watch=true&resourceVersion=0`, events: 1 },
  'a watch ends in time': { ask: from('&timeoutSeconds=1'), events: 'all' },
  'a watch of nothing ends in time': {
    ask: from('&timeoutSeconds=1&fieldSelector=metadata.name%3Dnone'),
    events: 'all',
  },
  'a watch of nothing ends with a bookmark': {
    ask: from('&timeoutSeconds=3&allowWatchBookmarks=true&fieldSelector=metadata.name%3Dnone'),
    events: 'all',
  },
  'a watch begins with initial events and a bookmark': {
    ask: `GET ${configMaps}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    events: 2,
  },
  'initial events of what is selected': {
    ask: `GET ${configMaps}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&labelSelector=app%3Dnone`,
    events: 1,
  },
  'initial events in tables': {
    ask: `GET ${configMaps}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    accept: table,
    events: 2,
  },
  'initial events as metadata': {
    ask: `GET ${configMaps}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    accept: partial,
    events: 2,
  },
  'no initial events': {
    ask: `GET ${configMaps}?watch=true&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&resourceVersion=0&timeoutSeconds=1`,
    events: 'all',
  },
  'initial events need a match': { ask: `GET ${configMaps}?watch=true&sendInitialEvents=true` },
  'initial events need the right match': {
    ask: `GET ${configMaps}?watch=true&sendInitialEvents=true&resourceVersionMatch=Exact&resourceVersion=1`,
  },
  'a match needs initial events': {
    ask: `GET ${configMaps}?watch=true&resourceVersionMatch=NotOlderThan&resourceVersion=1`,
  },
  'a watch from a version that is compacted': { ask: `GET ${configMaps}?watch=true&resourceVersion=1`, events: 1 },
  'a watch from what is no version': { ask: `GET ${configMaps}?watch=true&resourceVersion=abc` },
  'a watch of a selector that is none': { ask: `GET ${configMaps}?watch=true&labelSelector=%3D%3D` },
  'a watch of a field that cannot be selected by': { ask: `GET ${configMaps}?watch=true&fieldSelector=data.k%3Dv` },
  'a watch goes on without pages': { ask: `GET ${configMaps}?watch=true&limit=1&resourceVersion=0`, events: 1 },
  'a pod that runs nowhere': {
    ask: 'POST /api/v1/namespaces/<ns>/pods',
    body: {
      metadata: { name: 'p' },
      spec: { serviceAccountName: 'robot', containers: [{ name: 'a', image: 'example.com/a:1' }] },
    },
  },
  'a pod that runs nowhere goes at once': { ask: 'DELETE /api/v1/namespaces/<ns>/pods/p' },
  'a watch is told twice of a pod that goes': {
    ask: 'GET /api/v1/namespaces/<ns>/pods?watch=true&resourceVersion=<start.metadata.resourceVersion>',
    events: 3,
  },
  'a watch of HTML': { ask: `GET ${configMaps}?watch=true`, accept: 'text/html' },
}
