import type { Calls } from './call.ts'

const configMaps = '/api/v1/namespaces/<ns>/configmaps'
const one = `${configMaps}/one`
const data = { a: '1' }

/** What every object goes through: create, get, update, dry runs, generated names, preconditions. */
export const objectCalls: Calls = {
  'an object is created': {
    ask: `POST ${configMaps}`,
    body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'one', labels: { app: 'a' } }, data },
    as: 'one',
  },
  'an object is got': { ask: `GET ${one}` },
  'an object is got by HEAD': { ask: `HEAD ${one}` },
  'an object that is not there is not found': { ask: `GET ${configMaps}/none` },
  'an object is created once': { ask: `POST ${configMaps}`, body: { metadata: { name: 'one' } } },
  'a body may leave out apiVersion and kind': { ask: `POST ${configMaps}`, body: { metadata: { name: 'bare' } } },
  'an object gets a generated name': { ask: `POST ${configMaps}`, body: { metadata: { generateName: 'some-' } } },
  'a name goes before a generated one': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'named', generateName: 'some-' } },
  },
  'a long generateName is cut': {
    ask: `POST ${configMaps}`,
    body: { metadata: { generateName: `${'g'.repeat(70)}-` } },
    pick: [['metadata', 'generateName']],
  },
  'a generateName may not hold anything': {
    ask: `POST ${configMaps}`,
    body: { metadata: { generateName: 'Some_' } },
    pick: [['code'], ['reason'], ['details', 'causes', 'field=metadata.generateName']],
  },
  'an object needs a name': { ask: `POST ${configMaps}`, body: { metadata: {} } },
  'an object needs metadata': { ask: `POST ${configMaps}`, body: { data } },
  'a name may not hold anything': { ask: `POST ${configMaps}`, body: { metadata: { name: 'Not_A_Name' } } },
  'a name has at most 253 characters': { ask: `POST ${configMaps}`, body: { metadata: { name: 'n'.repeat(254) } } },
  'a name is no path': { ask: `POST ${configMaps}`, body: { metadata: { name: 'a/b' } } },
  'a body names no other namespace': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'x', namespace: 'other' } },
  },
  'a body may name its namespace': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'placed', namespace: '<ns>' } },
  },
  'a body is of the kind of the path': {
    ask: `POST ${configMaps}`,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } },
  },
  'a body is of a kind that is known': {
    ask: `POST ${configMaps}`,
    body: { apiVersion: 'v1', kind: 'Nothing', metadata: { name: 'x' } },
  },
  'a body is of a version that is known': {
    ask: `POST ${configMaps}`,
    body: { apiVersion: 'v9', kind: 'ConfigMap', metadata: { name: 'x' } },
  },
  'a body is of a group that is known': {
    ask: `POST ${configMaps}`,
    body: { apiVersion: 'no.example.com/v1', kind: 'ConfigMap', metadata: { name: 'x' } },
  },
  'what is created has no resourceVersion': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'x', resourceVersion: '1' } },
  },
  'what is created gets a uid of its own': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'uid', uid: '11111111-2222-3333-4444-555555555555' } },
  },
  'what is created gets its own times, generation and selfLink': {
    ask: `POST ${configMaps}`,
    body: {
      metadata: {
        name: 'times',
        creationTimestamp: '2001-01-01T00:00:00Z',
        deletionTimestamp: '2001-01-01T00:00:00Z',
        deletionGracePeriodSeconds: 5,
        generation: 7,
        selfLink: '/x',
      },
    },
  },
  'empty members of metadata are left out': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'empty', labels: {}, annotations: {}, finalizers: [], ownerReferences: [] }, data: {} },
  },
  'members that are null are left out': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'nulls', labels: null, annotations: null }, data: null, immutable: null },
  },
  'the namespace must be there': {
    ask: 'POST /api/v1/namespaces/<ns>-none/configmaps',
    body: { metadata: { name: 'x' } },
  },
  'nothing is created over all namespaces': { ask: 'POST /api/v1/configmaps', body: { metadata: { name: 'x' } } },
  'nothing is created at a name': { ask: `POST ${configMaps}/x`, body: { metadata: { name: 'x' } } },
  'a collection is not replaced': { ask: `PUT ${configMaps}`, body: { metadata: { name: 'x' } } },
  'a collection is not patched': { ask: `PATCH ${configMaps}`, body: {}, type: 'application/merge-patch+json' },
  'an object is replaced': { ask: `PUT ${one}`, body: { metadata: { name: 'one' }, data: { b: '2' } }, as: 'two' },
  'a replacement that changes nothing writes nothing': {
    ask: `PUT ${one}`,
    body: { metadata: { name: 'one' }, data: { b: '2' } },
  },
  'a replacement of what was read': {
    ask: `PUT ${one}`,
    body: { metadata: { name: 'one', resourceVersion: '<two.metadata.resourceVersion>' }, data: { b: '3' } },
  },
  'a replacement of an older version is a conflict': {
    ask: `PUT ${one}`,
    body: { metadata: { name: 'one', resourceVersion: '<one.metadata.resourceVersion>' }, data },
  },
  'a replacement with another uid is a conflict': {
    ask: `PUT ${one}`,
    body: { metadata: { name: 'one', uid: '11111111-2222-3333-4444-555555555555' }, data },
  },
  'a replacement with its uid': {
    ask: `PUT ${one}`,
    body: { metadata: { name: 'one', uid: '<one.metadata.uid>' }, data: { b: '4' } },
  },
  'a replacement has a name': { ask: `PUT ${one}`, body: { metadata: {}, data } },
  'a replacement has the name of the path': { ask: `PUT ${one}`, body: { metadata: { name: 'other' }, data } },
  'a replacement has the namespace of the path': {
    ask: `PUT ${one}`,
    body: { metadata: { name: 'one', namespace: 'other' }, data },
  },
  'a replacement is of the kind of the path': {
    ask: `PUT ${one}`,
    body: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'one' } },
  },
  'what is not there is not replaced': { ask: `PUT ${configMaps}/none`, body: { metadata: { name: 'none' }, data } },
  'what is not there is not replaced, whatever its version': {
    ask: `PUT ${configMaps}/none`,
    body: { metadata: { name: 'none', resourceVersion: '1' }, data },
  },
  'a resourceVersion is a number': {
    ask: `PUT ${one}`,
    body: { metadata: { name: 'one', resourceVersion: 'abc' }, data },
  },
  'the creation time stays as it was': {
    ask: `PUT ${one}`,
    body: { metadata: { name: 'one', creationTimestamp: '2001-01-01T00:00:00Z', generation: 9 }, data: { b: '5' } },
  },
  'labels and annotations are replaced': {
    ask: `PUT ${one}`,
    body: { metadata: { name: 'one', annotations: { note: 'x' } }, data: { b: '5' } },
  },
  'a dry run creates nothing': { ask: `POST ${configMaps}?dryRun=All`, body: { metadata: { name: 'dry' }, data } },
  'what a dry run created is not there': { ask: `GET ${configMaps}/dry` },
  'a dry run replaces nothing': {
    ask: `PUT ${one}?dryRun=All`,
    body: { metadata: { name: 'one' }, data: { dry: 'run' } },
  },
  'a dry run meets what is there': { ask: `POST ${configMaps}?dryRun=All`, body: { metadata: { name: 'one' } } },
  'what a dry run replaced is as it was': { ask: `GET ${one}` },
  'a dry run deletes nothing': { ask: `DELETE ${one}?dryRun=All` },
  'a dry run is of everything': { ask: `POST ${configMaps}?dryRun=Some`, body: { metadata: { name: 'x' } } },
  'the old resource version is got again': { ask: `GET ${one}?resourceVersion=0` },
  'a version that is there is got': { ask: `GET ${one}?resourceVersion=<two.metadata.resourceVersion>` },
  'a get of a version that is no number': { ask: `GET ${one}?resourceVersion=abc` },
  'a get of a version that is yet to come': { ask: `GET ${one}?resourceVersion=999999999` },
  'the manager is named by the user agent': {
    ask: `POST ${configMaps}`,
    agent: 'some-program/1.2 (linux)',
    body: { metadata: { name: 'agent' }, data },
  },
  'the manager is named by the request': {
    ask: `POST ${configMaps}?fieldManager=me`,
    body: { metadata: { name: 'manager' }, data },
  },
  'the name of a manager has at most 128 characters': {
    ask: `POST ${configMaps}?fieldManager=${'m'.repeat(129)}`,
    body: { metadata: { name: 'x' } },
  },
  'the name of a manager can be printed': {
    ask: `POST ${configMaps}?fieldManager=a%07b`,
    body: { metadata: { name: 'x' } },
  },
  'a config map is not created by a replacement': { ask: `PUT ${configMaps}/put`, body: { metadata: { name: 'put' } } },
  'a lease is created by a replacement': {
    ask: 'PUT /apis/coordination.k8s.io/v1/namespaces/<ns>/leases/put',
    body: { metadata: { name: 'put' }, spec: { holderIdentity: 'me' } },
  },
  'a lease is created in place of whatever version': {
    ask: 'PUT /apis/coordination.k8s.io/v1/namespaces/<ns>/leases/again',
    body: { metadata: { name: 'again', resourceVersion: '1' } },
  },
  'a lease is not created in place of a certain one': {
    ask: 'PUT /apis/coordination.k8s.io/v1/namespaces/<ns>/leases/none',
    body: { metadata: { name: 'none', uid: '11111111-2222-3333-4444-555555555555' } },
  },
  'a service is created by a replacement': {
    ask: 'PUT /api/v1/namespaces/<ns>/services/put',
    body: { metadata: { name: 'put' }, spec: { ports: [{ port: 80 }] } },
    pick: [
      ['metadata', 'name'],
      ['spec', 'type'],
    ],
  },
  'an event is created by a replacement': {
    ask: 'PUT /api/v1/namespaces/<ns>/events/put',
    body: { metadata: { name: 'put' }, involvedObject: { namespace: '<ns>' } },
  },
  'a role is created by a replacement': {
    ask: 'PUT /apis/rbac.authorization.k8s.io/v1/namespaces/<ns>/roles/put',
    body: { metadata: { name: 'put' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] },
  },
  'a pod is not created by a replacement': {
    ask: 'PUT /api/v1/namespaces/<ns>/pods/put',
    body: { metadata: { name: 'put' }, spec: { containers: [{ name: 'c', image: 'i' }] } },
  },
  'parameters that nobody knows are ignored': { ask: `GET ${one}?nothing=1&pretty=false` },
}
