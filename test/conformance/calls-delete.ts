import type { Calls } from './call.ts'

const configMaps = '/api/v1/namespaces/<ns>/configmaps'
const other = '11111111-2222-3333-4444-555555555555'

/** Deletion, and what holds it up: preconditions, finalizers, propagation, owners. */
export const deleteCalls: Calls = {
  'something to delete': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'a', labels: { app: 'a' } } },
    as: 'a',
  },
  'what is not there is not deleted': { ask: `DELETE ${configMaps}/none` },
  'a deletion of another uid is a conflict': { ask: `DELETE ${configMaps}/a`, body: { preconditions: { uid: other } } },
  'a deletion of another version is a conflict': {
    ask: `DELETE ${configMaps}/a`,
    body: { preconditions: { resourceVersion: '1' } },
  },
  'a deletion of both others names both': {
    ask: `DELETE ${configMaps}/a`,
    body: { preconditions: { uid: other, resourceVersion: '1' } },
  },
  'a propagation that is unknown is refused': {
    ask: `DELETE ${configMaps}/a`,
    body: { propagationPolicy: 'Sideways' },
  },
  'a propagation that is unknown is refused in the query too': {
    ask: `DELETE ${configMaps}/a?propagationPolicy=Sideways`,
  },
  'a propagation is given in one way': {
    ask: `DELETE ${configMaps}/a`,
    body: { propagationPolicy: 'Orphan', orphanDependents: true },
  },
  'a dry run of a deletion is of everything': { ask: `DELETE ${configMaps}/a`, body: { dryRun: ['Some'] } },
  'a dry run of a deletion is a list': { ask: `DELETE ${configMaps}/a`, body: { dryRun: 'All' } },
  'a grace period may not be a text': { ask: `DELETE ${configMaps}/a`, body: { gracePeriodSeconds: 'x' } },
  'a grace period in the query is a number': { ask: `DELETE ${configMaps}/a?gracePeriodSeconds=x` },
  'a deletion is asked by DeleteOptions': {
    ask: `DELETE ${configMaps}/a`,
    body: { kind: 'ConfigMap', apiVersion: 'v1' },
  },
  'a deletion takes no list': { ask: `DELETE ${configMaps}/a`, body: [] },
  'a deletion takes no broken JSON': { ask: `DELETE ${configMaps}/a`, body: '{' },
  'a dry run of a deletion leaves the object': { ask: `DELETE ${configMaps}/a`, body: { dryRun: ['All'] } },
  'a deletion tells what went': {
    ask: `DELETE ${configMaps}/a`,
    body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: '<a.metadata.uid>' } },
  },
  'what is deleted is gone': { ask: `GET ${configMaps}/a` },

  'an object that somebody holds': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'held', finalizers: ['example.com/hold'] } },
    as: 'held',
  },
  'a deletion of what is held marks it': { ask: `DELETE ${configMaps}/held` },
  'a second deletion changes nothing': { ask: `DELETE ${configMaps}/held` },
  'what is being deleted gets no new finalizer': {
    ask: `PUT ${configMaps}/held`,
    body: { metadata: { name: 'held', finalizers: ['example.com/hold', 'example.com/more'] } },
  },
  'what is being deleted may change': {
    ask: `PUT ${configMaps}/held`,
    body: { metadata: { name: 'held', finalizers: ['example.com/hold'] }, data: { a: '1' } },
  },
  'the time of deletion stays': {
    ask: `PATCH ${configMaps}/held`,
    type: 'application/merge-patch+json',
    body: { metadata: { deletionTimestamp: null } },
  },
  'without its last finalizer it goes': {
    ask: `PATCH ${configMaps}/held`,
    type: 'application/merge-patch+json',
    body: { metadata: { finalizers: null } },
  },
  'then it is gone': { ask: `GET ${configMaps}/held` },
  'an object may be created with what holds it and deleted by its version': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'versioned' } },
    as: 'versioned',
  },
  'a deletion of this version': {
    ask: `DELETE ${configMaps}/versioned`,
    body: { preconditions: { resourceVersion: '<versioned.metadata.resourceVersion>' } },
  },

  'an object to go before what it owns': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'owner' } },
    as: 'owner',
  },
  'an object that has an owner': {
    ask: `POST ${configMaps}`,
    body: {
      metadata: {
        name: 'owned',
        ownerReferences: [
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            name: 'owner',
            uid: '<owner.metadata.uid>',
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
    },
  },
  'deletion in the foreground waits for what is owned': {
    ask: `DELETE ${configMaps}/owner`,
    body: { propagationPolicy: 'Foreground' },
  },
  'an orphaning deletion waits for the orphans': { ask: `DELETE ${configMaps}/owned?propagationPolicy=Orphan` },
  'deletion in the background takes the finalizers of others back': {
    ask: `DELETE ${configMaps}/owner`,
    body: { propagationPolicy: 'Background' },
  },
  'the old word for orphans': { ask: `DELETE ${configMaps}/owned`, body: { orphanDependents: true } },
  'the old word for no orphans': { ask: `DELETE ${configMaps}/owned`, body: { orphanDependents: false } },

  'an owner has a uid': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'x', ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner' }] } },
  },
  'an owner has an apiVersion, a kind and a name': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'x', ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: other }] } },
  },
  'an owner has an apiVersion that can be read': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'x', ownerReferences: [{ apiVersion: 'a/b/c', kind: 'A', name: 'a', uid: other }] } },
  },
  'an event owns nothing': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'x', ownerReferences: [{ apiVersion: 'v1', kind: 'Event', name: 'a', uid: other }] } },
  },
  'there is one controller': {
    ask: `POST ${configMaps}`,
    body: {
      metadata: {
        name: 'x',
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: other, controller: true },
          { apiVersion: 'v1', kind: 'Pod', name: 'b', uid: '11111111-2222-3333-4444-666666666666', controller: true },
        ],
      },
    },
  },
  'an owner is named once': {
    ask: `POST ${configMaps}`,
    body: {
      metadata: {
        name: 'twice',
        ownerReferences: [
          { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: other },
          { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: other },
        ],
      },
    },
  },
  'a finalizer has a name': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'x', finalizers: ['not a name'] } },
  },
  'a finalizer without a domain is warned of': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'plain-finalizer', finalizers: ['plain'] } },
  },
  'both finalizers of the garbage collector are too many': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'x', finalizers: ['orphan', 'foregroundDeletion'] } },
  },

  'a first of a collection': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'c1', labels: { of: 'collection' } } },
  },
  'a second of a collection, which is held': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'c2', labels: { of: 'collection' }, finalizers: ['example.com/hold'] } },
  },
  'a third, which is another': {
    ask: `POST ${configMaps}`,
    body: { metadata: { name: 'c3', labels: { of: 'others' } } },
  },
  'a dry run of deleting a collection': { ask: `DELETE ${configMaps}?labelSelector=of%3Dcollection&dryRun=All` },
  'a collection is deleted by labels': { ask: `DELETE ${configMaps}?labelSelector=of%3Dcollection` },
  'what was not selected is there, and what is held': { ask: `GET ${configMaps}?labelSelector=of` },
  'a collection is deleted by fields': { ask: `DELETE ${configMaps}?fieldSelector=metadata.name%3Dc3` },
  'a collection that is empty is deleted too': { ask: `DELETE ${configMaps}?labelSelector=of%3Dnothing` },
  'a selector of a deletion must be one': { ask: `DELETE ${configMaps}?labelSelector=%3D%3D` },
  'a collection is not deleted over all namespaces': { ask: 'DELETE /api/v1/configmaps?labelSelector=of%3Dnothing' },
}
