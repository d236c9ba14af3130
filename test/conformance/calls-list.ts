import type { Calls } from './call.ts'

const configMaps = '/api/v1/namespaces/<ns>/configmaps'
const pods = '/api/v1/namespaces/<ns>/pods'
const select = (selector: string): string => `GET ${configMaps}?labelSelector=${encodeURIComponent(selector)}`
const fields = (selector: string): string => `GET ${configMaps}?fieldSelector=${encodeURIComponent(selector)}`
const names = [['items']]

function configMap(name: string, labels?: Record<string, string>) {
  return { ask: `POST ${configMaps}`, body: { metadata: { name, ...(labels === undefined ? {} : { labels }) } } }
}

function pod(name: string, spec: object = {}) {
  return {
    ask: `POST ${pods}`,
    body: { metadata: { name }, spec: { containers: [{ name: 'c', image: 'example.com/c:1' }], ...spec } },
  }
}

/** Lists: selectors, pages and moments. */
export const listCalls: Calls = {
  'an empty list has items': { ask: `GET ${configMaps}` },
  'a first of a list': { ...configMap('a', { app: 'x', tier: 'front', n: '1' }), as: 'a' },
  'a second of a list': configMap('b', { app: 'x', tier: 'back', n: '2' }),
  'a third of a list': configMap('c', { app: 'y', n: '10' }),
  'a fourth of a list': { ...configMap('d'), as: 'd' },
  'a list is in order of names': { ask: `GET ${configMaps}`, as: 'list' },
  'a list over all namespaces': {
    ask: 'GET /api/v1/configmaps?labelSelector=tier%3Dfront%2Cn%3D1&fieldSelector=metadata.namespace%3D<ns>',
  },
  'a label equals': { ask: select('app=x'), pick: names },
  'a label equals twice': { ask: select('app==x'), pick: names },
  'a label is another': { ask: select('app!=x'), pick: names },
  'a label is one of some': { ask: select('tier in (front, side)'), pick: names },
  'a label is none of some': { ask: select('tier notin (front)'), pick: names },
  'a label is there': { ask: select('tier'), pick: names },
  'a label is not there': { ask: select('!tier'), pick: names },
  'a label is greater': { ask: select('n>1'), pick: names },
  'a label is less': { ask: select('n<10'), pick: names },
  'several demands on labels': { ask: select('app=x,tier!=front'), pick: names },
  'a label equals nothing': { ask: select('tier='), pick: names },
  'a selector that ends too early': { ask: select('app in (') },
  'a selector with an operator that is none': { ask: select('app~x') },
  'a selector of no key': { ask: select('=x') },
  'a selector of a key that is none': { ask: select('not a key=x') },
  'a selector of a value that is none': { ask: select('app=not a value') },
  'a selector of a value with a slash': { ask: select('app=a/b') },
  'a selector that compares no number': { ask: select('n>x') },
  'a selector of an empty set': { ask: select('app in ()'), pick: names },
  'a field equals': { ask: fields('metadata.name=b') },
  'a field is another': { ask: fields('metadata.name!=b'), pick: names },
  'a field of a namespace': { ask: fields('metadata.namespace=other') },
  'several demands on fields': { ask: fields('metadata.name!=a,metadata.name!=b'), pick: names },
  'a field that cannot be selected by': { ask: fields('data.k=v') },
  'a selector of fields that is none': { ask: fields('metadata.name') },
  'a pod to select': pod('p'),
  'another pod to select': pod('q', { restartPolicy: 'Never', nodeName: 'node-1', schedulerName: 'other' }),
  'a pod by its node': {
    ask: `GET ${pods}?fieldSelector=spec.nodeName%3Dnode-1`,
    pick: [
      ['items', 'metadata.name=q', 'metadata', 'name'],
      ['items', 'metadata.name=p'],
    ],
  },
  'a pod without a node': {
    ask: `GET ${pods}?fieldSelector=spec.nodeName%3D`,
    pick: [
      ['items', 'metadata.name=q'],
      ['items', 'metadata.name=p', 'metadata', 'name'],
    ],
  },
  'a pod by its phase and policy': {
    ask: `GET ${pods}?fieldSelector=status.phase%3DPending%2Cspec.restartPolicy%3DNever%2Cspec.schedulerName%3Dother`,
    pick: [
      ['items', 'metadata.name=q', 'metadata', 'name'],
      ['items', 'metadata.name=p'],
    ],
  },
  'a pod by what cannot be selected by': { ask: `GET ${pods}?fieldSelector=spec.priority%3D0` },

  'a first page': { ask: `GET ${configMaps}?limit=2`, as: 'page' },
  'a second page': { ask: `GET ${configMaps}?limit=2&continue=<page.metadata.continue>` },
  'a page as long as the list': { ask: `GET ${configMaps}?limit=4` },
  'a page that is longer than the list': { ask: `GET ${configMaps}?limit=100` },
  'a page of what is selected': { ask: `GET ${configMaps}?limit=1&labelSelector=app`, as: 'selected' },
  'a second page of what is selected': {
    ask: `GET ${configMaps}?limit=1&labelSelector=app&continue=<selected.metadata.continue>`,
  },
  'a change between two pages': { ask: `DELETE ${configMaps}/c` },
  'a second page is of the moment of the first': { ask: `GET ${configMaps}?limit=2&continue=<page.metadata.continue>` },
  'a page goes on without a limit': {
    ask: `GET ${configMaps}?continue=<page.metadata.continue>`,
    pick: [['metadata'], ['items', 'metadata.name=d', 'metadata', 'name']],
  },
  'a page goes on at no version': {
    ask: `GET ${configMaps}?limit=2&resourceVersion=1&continue=<page.metadata.continue>`,
  },
  'a page goes on with no match of versions': {
    ask: `GET ${configMaps}?limit=2&resourceVersion=1&resourceVersionMatch=Exact&continue=<page.metadata.continue>`,
  },
  'a token is one of ours': { ask: `GET ${configMaps}?limit=2&continue=nothing` },
  'a token is well-formed inside': {
    ask: `GET ${configMaps}?limit=2&continue=${Buffer.from('{"v":"meta.k8s.io/v1","rv":-5,"start":""}').toString('base64url')}`,
  },
  'a limit is a number': { ask: `GET ${configMaps}?limit=many` },
  'a limit may be zero': { ask: `GET ${configMaps}?limit=0`, pick: [['metadata']] },

  'a list of version zero': { ask: `GET ${configMaps}?resourceVersion=0` },
  'a list not older than a version': {
    ask: `GET ${configMaps}?resourceVersion=<d.metadata.resourceVersion>&resourceVersionMatch=NotOlderThan`,
  },
  'a list of exactly a version': {
    ask: `GET ${configMaps}?resourceVersion=<d.metadata.resourceVersion>&resourceVersionMatch=Exact`,
  },
  'a page of exactly a version': {
    ask: `GET ${configMaps}?limit=1&resourceVersion=<a.metadata.resourceVersion>&resourceVersionMatch=Exact`,
  },
  'a page of a version': { ask: `GET ${configMaps}?limit=1&resourceVersion=<a.metadata.resourceVersion>` },
  'a list of exactly version zero': { ask: `GET ${configMaps}?resourceVersion=0&resourceVersionMatch=Exact` },
  'a match needs a version': { ask: `GET ${configMaps}?resourceVersionMatch=Exact` },
  'a match is one of two': { ask: `GET ${configMaps}?resourceVersion=1&resourceVersionMatch=Nearly` },
  'a version of a list is a number': { ask: `GET ${configMaps}?resourceVersion=abc` },
  'a list of a version to come': { ask: `GET ${configMaps}?resourceVersion=999999999` },
  'a list of exactly a version to come': {
    ask: `GET ${configMaps}?resourceVersion=999999999&resourceVersionMatch=Exact`,
  },
  'a list of exactly a version that is compacted': {
    ask: `GET ${configMaps}?resourceVersion=1&resourceVersionMatch=Exact`,
  },
  'a list sends no initial events': { ask: `GET ${configMaps}?sendInitialEvents=true` },
}
