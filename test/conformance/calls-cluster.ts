import { type Calls, merge } from './call.ts'

const roles = '/apis/rbac.authorization.k8s.io/v1/namespaces/<ns>/roles'
const bindings = '/apis/rbac.authorization.k8s.io/v1/namespaces/<ns>/rolebindings'
const clusterRoles = '/apis/rbac.authorization.k8s.io/v1/clusterroles'
const role = (rules: unknown, name = 'x') => ({ ask: `POST ${roles}`, body: { metadata: { name }, rules } })
const binding = (members: object, name = 'x') => ({
  ask: `POST ${bindings}`,
  body: {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
    subjects: [{ kind: 'ServiceAccount', name: 'a', namespace: '<ns>' }],
    ...members,
  },
})
const inside = '/api/v1/namespaces/<ns>-in'

/** What belongs to no namespace, namespaces themselves, and who may do what. */
export const clusterCalls: Calls = {
  'a namespace': { ask: 'POST /api/v1/namespaces', body: { metadata: { name: '<ns>-in', labels: { team: 'a' } } } },
  'a namespace is created once': { ask: 'POST /api/v1/namespaces', body: { metadata: { name: '<ns>-in' } } },
  'a namespace is got': { ask: `GET ${inside}` },
  'a namespace keeps the label of its name': {
    ask: `PATCH ${inside}`,
    type: merge,
    body: { metadata: { labels: { 'kubernetes.io/metadata.name': 'other' } } },
  },
  'a status of a namespace': {
    ask: `PATCH ${inside}/status`,
    type: merge,
    body: { status: { conditions: [{ type: 'Odd', status: 'True', lastTransitionTime: '2001-01-01T00:00:00Z' }] } },
  },
  'a phase of a namespace is that of its deletion': {
    ask: `PATCH ${inside}/status`,
    type: merge,
    body: { status: { phase: 'Terminating' } },
  },
  'finalizers of a namespace have names': {
    ask: `PUT ${inside}/finalize`,
    body: { metadata: { name: '<ns>-in' }, spec: { finalizers: ['kubernetes', 'not a name'] } },
  },
  'finalizers of a namespace are set apart': {
    ask: `PUT ${inside}/finalize`,
    body: { metadata: { name: '<ns>-in' }, spec: { finalizers: ['kubernetes', 'example.com/hold'] } },
  },
  'finalizers of a namespace are not updated': {
    ask: `PATCH ${inside}`,
    type: merge,
    body: { spec: { finalizers: [] } },
  },
  'something in the namespace': { ask: `POST ${inside}/configmaps`, body: { metadata: { name: 'a' } } },
  'a deletion of a namespace waits for its content': { ask: `DELETE ${inside}` },
  'a second deletion of a namespace': { ask: `DELETE ${inside}` },
  'nothing is created in a namespace that goes': {
    ask: `POST ${inside}/configmaps`,
    body: { metadata: { name: 'b' } },
    until: 'terminated',
  },
  'what is in a namespace that goes may change': {
    ask: `PATCH ${inside}/configmaps/a`,
    type: merge,
    body: { data: { a: '1' } },
  },
  'what is in a namespace that goes may be deleted': { ask: `DELETE ${inside}/configmaps/a` },
  'a namespace by its phase': {
    ask: 'GET /api/v1/namespaces?fieldSelector=status.phase%3DTerminating,metadata.name%3D<ns>-in',
    pick: [['items', 'metadata.name=<ns>-in', 'status', 'phase']],
  },
  'a namespace that nobody holds any more goes': {
    ask: `PUT ${inside}/finalize`,
    body: { metadata: { name: '<ns>-in' }, spec: { finalizers: [] } },
  },
  'the namespace is gone': { ask: `GET ${inside}` },
  'the default namespace stays': { ask: 'DELETE /api/v1/namespaces/default' },
  'namespaces are not deleted as a collection': { ask: 'DELETE /api/v1/namespaces?labelSelector=a%3Dnothing' },
  'the name of a namespace has at most 63 characters': {
    ask: 'POST /api/v1/namespaces',
    body: { metadata: { name: 'n'.repeat(64) } },
  },

  'a node': {
    ask: 'POST /api/v1/nodes',
    body: {
      metadata: { name: '<ns>-node', labels: { of: '<ns>' } },
      spec: { taints: [{ key: 'gpu', effect: 'NoSchedule' }] },
    },
  },
  'a taint has an effect': {
    ask: 'POST /api/v1/nodes',
    body: { metadata: { name: 'x' }, spec: { taints: [{ key: 'gpu' }] } },
  },
  'a taint has an effect that is known': {
    ask: `PATCH /api/v1/nodes/<ns>-node`,
    type: merge,
    body: { spec: { taints: [{ key: 'gpu', effect: 'Never' }] } },
  },
  'a node is made unschedulable': {
    ask: 'PATCH /api/v1/nodes/<ns>-node',
    type: merge,
    body: { spec: { unschedulable: true } },
    pick: [['spec'], ['metadata', 'generation']],
  },
  'a status of a node': {
    ask: 'PATCH /api/v1/nodes/<ns>-node/status',
    type: merge,
    body: {
      status: {
        capacity: { cpu: '4', 'example.com/gpu': 2 },
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '192.0.2.7' }],
      },
    },
  },
  'a node by its schedulability': {
    ask: 'GET /api/v1/nodes?fieldSelector=spec.unschedulable%3Dtrue&labelSelector=of%3D<ns>',
    pick: [['items', 'metadata.name=<ns>-node', 'metadata', 'name']],
  },
  'a node goes': { ask: 'DELETE /api/v1/nodes/<ns>-node' },

  'a volume': {
    ask: 'POST /api/v1/persistentvolumes',
    body: {
      metadata: { name: '<ns>-volume' },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } },
    },
  },
  'a volume has a size': {
    ask: 'POST /api/v1/persistentvolumes',
    body: { metadata: { name: 'x' }, spec: { accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } } },
  },
  'a volume is somewhere': {
    ask: 'POST /api/v1/persistentvolumes',
    body: { metadata: { name: 'x' }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] } },
  },
  'a volume is kept or not': {
    ask: 'POST /api/v1/persistentvolumes',
    body: {
      metadata: { name: 'x' },
      spec: {
        capacity: { storage: '1Gi' },
        accessModes: ['ReadWriteOnce'],
        hostPath: { path: '/x' },
        persistentVolumeReclaimPolicy: 'Burn',
      },
    },
  },
  'the source of a volume stays': {
    ask: 'PATCH /api/v1/persistentvolumes/<ns>-volume',
    type: merge,
    body: { spec: { hostPath: { path: '/y' } } },
    pick: [['code'], ['reason'], ['details', 'causes', 'field=spec.persistentvolumesource', 'reason']],
  },

  'a role': role([{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }], 'r'),
  'a rule has verbs': role([{ apiGroups: [''], resources: ['pods'], verbs: [] }]),
  'a rule has resources': role([{ apiGroups: [''], verbs: ['get'] }]),
  'a rule has groups': role([{ resources: ['pods'], verbs: ['get'] }]),
  'a role has no rules for URLs': role([{ nonResourceURLs: ['/x'], verbs: ['get'] }]),
  'a role without rules': { ask: `POST ${roles}`, body: { metadata: { name: 'empty' } } },
  'a binding of a role': binding({}, 'b'),
  'a binding needs a role': binding({ roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: '' } }),
  'a binding is to a role that can be bound': binding({
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Pod', name: 'r' },
  }),
  'a binding is to a role of the group': binding({ roleRef: { apiGroup: 'apps', kind: 'Role', name: 'r' } }),
  'a subject has a name': binding({ subjects: [{ kind: 'User', name: '' }] }),
  'a subject is of a known kind': binding({ subjects: [{ kind: 'Robot', name: 'r' }] }),
  'a service account of a binding has a namespace': binding({ subjects: [{ kind: 'ServiceAccount', name: 'a' }] }),
  'a user of a binding gets a group': binding(
    {
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'Group', name: 'g' },
      ],
    },
    'users',
  ),
  'the role of a binding stays': { ask: `PATCH ${bindings}/b`, type: merge, body: { roleRef: { name: 'other' } } },
  'subjects of a binding may change': { ask: `PATCH ${bindings}/b`, type: merge, body: { subjects: [] } },
  'a role for the cluster': {
    ask: `POST ${clusterRoles}`,
    body: { metadata: { name: '<ns>-role' }, rules: [{ nonResourceURLs: ['/x'], verbs: ['get'] }] },
  },
  'a role that adds up others': {
    ask: `POST ${clusterRoles}`,
    body: {
      metadata: { name: '<ns>-sum' },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { of: '<ns>' } }] },
      rules: [],
    },
  },
  'a role that adds up others says which': {
    ask: `POST ${clusterRoles}`,
    body: { metadata: { name: 'x' }, aggregationRule: { clusterRoleSelectors: [] } },
  },
  'a binding for the cluster': {
    ask: 'POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    body: {
      metadata: { name: '<ns>-binding' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: '<ns>-role' },
      subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'g' }],
    },
  },
  'a binding for the cluster is to a role for the cluster': {
    ask: 'POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
    body: { metadata: { name: 'x' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' } },
  },
}
