import { type Calls, merge } from './call.ts'

const configMaps = '/api/v1/namespaces/<ns>/configmaps'
const pods = '/api/v1/namespaces/<ns>/pods'
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
const partial = 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io'
const partialList = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'
const pod = (name: string, spec: object = {}) => ({
  ask: `POST ${pods}`,
  body: { metadata: { name }, spec: { containers: [{ name: 'c', image: 'example.com/c:1' }], ...spec } },
})
const status = (name: string, members: object) => ({
  ask: `PATCH ${pods}/${name}/status`,
  type: merge,
  body: { status: members },
  pick: [['status', 'phase']],
})
const shown = (name: string) => ({ ask: `GET ${pods}/${name}`, accept: table, pick: [['rows']] })
const running = { startedAt: '2001-01-01T00:00:00Z' }
const containerStatus = (members: object) => ({
  name: 'c',
  image: 'example.com/c:1',
  imageID: 'x',
  ready: false,
  restartCount: 0,
  ...members,
})
const tableOf = (path: string) => ({ ask: `GET ${path}`, accept: table })

/** Other representations: tables, metadata alone, and what cannot be had. */
export const viewCalls: Calls = {
  'an object for the views': { ask: `POST ${configMaps}`, body: { metadata: { name: 'a' }, data: { x: '1', y: '2' } } },
  'a table of one object': tableOf(`${configMaps}/a`),
  'a table of a list': tableOf(configMaps),
  'a table of an empty list': tableOf(`${configMaps}?labelSelector=a%3Dnone`),
  'a table with whole objects': tableOf(`${configMaps}?includeObject=Object`),
  'a table without objects': tableOf(`${configMaps}?includeObject=None`),
  'a table with what is unknown': tableOf(`${configMaps}?includeObject=Some`),
  'a table of a page': { ask: `GET ${configMaps}?limit=1`, accept: table, pick: [['metadata'], ['rows']] },
  'a table of what is created': { ask: `POST ${configMaps}`, accept: table, body: { metadata: { name: 'b' } } },
  'a table of a refusal': { ask: `GET ${configMaps}/none`, accept: table },
  'a table of a deletion': { ask: `DELETE ${configMaps}/b`, accept: table },
  'the metadata of an object': { ask: `GET ${configMaps}/a`, accept: partial },
  'the metadata of a list': { ask: `GET ${configMaps}`, accept: partialList },
  'the metadata of a list by the name for one': { ask: `GET ${configMaps}`, accept: partial },
  'the metadata of one by the name for a list': { ask: `GET ${configMaps}/a`, accept: partialList },
  'the metadata of a patch': {
    ask: `PATCH ${configMaps}/a`,
    type: merge,
    body: { metadata: { labels: { a: '1' } } },
    accept: partial,
  },
  'a table of an old version': {
    ask: `GET ${configMaps}`,
    accept: 'application/json;as=Table;v=v1beta1;g=meta.k8s.io',
  },
  'a table, or else the object': { ask: `GET ${configMaps}/a`, accept: `${table},application/json`, pick: [['kind']] },
  'something unknown, or else the object': {
    ask: `GET ${configMaps}/a`,
    accept: 'application/json;as=Nothing;v=v1;g=meta.k8s.io,application/json',
    pick: [['kind']],
  },
  'something unknown': { ask: `GET ${configMaps}/a`, accept: 'application/json;as=Nothing;v=v1;g=meta.k8s.io' },
  'an object in HTML': { ask: `GET ${configMaps}/a`, accept: 'text/html' },
  'an object in whatever is there': { ask: `GET ${configMaps}/a`, accept: '*/*', pick: [['kind']] },
  'an object in some application format': { ask: `GET ${configMaps}/a`, accept: 'application/*', pick: [['kind']] },
  'an object in JSON rather than HTML': {
    ask: `GET ${configMaps}/a`,
    accept: 'text/html, application/json;q=0.9',
    pick: [['kind']],
  },
  'an object in YAML': { ask: `GET ${configMaps}/a`, accept: 'application/yaml' },
  'an object from YAML': {
    ask: `POST ${configMaps}`,
    type: 'application/yaml',
    body: 'metadata:\n  name: from-yaml\ndata:\n  a: "1"\n',
  },
  'an object from no known format': { ask: `POST ${configMaps}`, type: 'text/plain', body: 'x' },

  'a pod that waits': pod('waits'),
  'a pod that waits, in a table': tableOf(`${pods}/waits`),
  'a pod that runs': pod('runs', { nodeName: 'n' }),
  'its status': status('runs', {
    phase: 'Running',
    podIP: '192.0.2.9',
    podIPs: [{ ip: '192.0.2.9' }],
    containerStatuses: [containerStatus({ ready: true, restartCount: 2, state: { running }, lastState: {} })],
    conditions: [{ type: 'Ready', status: 'True' }],
  }),
  'a pod that runs, in a table': shown('runs'),
  'a pod that crashes': status('runs', {
    containerStatuses: [
      containerStatus({
        restartCount: 3,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 1, finishedAt: '2001-01-01T00:00:00Z' } },
      }),
    ],
    conditions: [{ type: 'Ready', status: 'False' }],
  }),
  'a pod that crashes, in a table': shown('runs'),
  'a pod that was killed': status('runs', {
    containerStatuses: [containerStatus({ state: { terminated: { exitCode: 137, signal: 9 } } })],
  }),
  'a pod that was killed, in a table': shown('runs'),
  'a pod that is done': status('runs', {
    phase: 'Succeeded',
    containerStatuses: [containerStatus({ state: { terminated: { exitCode: 0, reason: 'Completed' } } })],
  }),
  'a pod that is done, in a table': shown('runs'),
  'a pod with init containers': pod('inits', {
    nodeName: 'n',
    initContainers: [
      { name: 'i', image: 'x' },
      { name: 'side', image: 'x', restartPolicy: 'Always' },
    ],
  }),
  'a pod that is being initialised': status('inits', {
    initContainerStatuses: [containerStatus({ name: 'i', state: { running } })],
    containerStatuses: [containerStatus({ state: { waiting: { reason: 'PodInitializing' } } })],
  }),
  'a pod that is being initialised, in a table': shown('inits'),
  'a pod that cannot be initialised': status('inits', {
    initContainerStatuses: [containerStatus({ name: 'i', state: { terminated: { exitCode: 3, reason: 'Error' } } })],
  }),
  'a pod that cannot be initialised, in a table': shown('inits'),
  'a pod that is going': { ask: `DELETE ${pods}/inits`, pick: [['metadata', 'deletionGracePeriodSeconds']] },
  'a pod that is going, in a table': shown('inits'),
  'a pod that is gated': pod('gated', { schedulingGates: [{ name: 'example.com/g' }] }),
  'a pod that is gated, in a table': shown('gated'),

  'services to show': {
    ask: 'POST /api/v1/namespaces/<ns>/services',
    body: {
      metadata: { name: 's' },
      spec: {
        clusterIP: 'None',
        selector: { app: 'a' },
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 53, protocol: 'UDP' },
        ],
      },
    },
  },
  'services in a table': tableOf('/api/v1/namespaces/<ns>/services'),
  'a secret to show': {
    ask: 'POST /api/v1/namespaces/<ns>/secrets',
    body: { metadata: { name: 's' }, stringData: { a: '1' } },
  },
  'secrets in a table': tableOf('/api/v1/namespaces/<ns>/secrets'),
  'an event to show': {
    ask: 'POST /api/v1/namespaces/<ns>/events',
    body: {
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', namespace: '<ns>', name: 'p' },
      reason: 'R',
      message: 'm',
      type: 'Normal',
      count: 3,
      source: { component: 'c', host: 'h' },
      firstTimestamp: '2001-01-01T00:00:00Z',
      lastTimestamp: '2001-01-02T00:00:00Z',
    },
  },
  'events in a table': { ...tableOf('/api/v1/namespaces/<ns>/events'), pick: [['columnDefinitions']] },
  'a namespace in a table': tableOf('/api/v1/namespaces/<ns>'),
  'a node to show': {
    ask: 'POST /api/v1/nodes',
    body: {
      metadata: { name: '<ns>-node', labels: { 'node-role.kubernetes.io/worker': '' } },
      spec: { unschedulable: true },
    },
    pick: [['kind']],
  },
  'the state of the node': {
    ask: 'PATCH /api/v1/nodes/<ns>-node/status',
    type: merge,
    body: {
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        nodeInfo: {
          kubeletVersion: 'v1',
          osImage: 'os',
          kernelVersion: 'k',
          containerRuntimeVersion: 'c://1',
          machineID: '',
          systemUUID: '',
          bootID: '',
          kubeProxyVersion: '',
          operatingSystem: '',
          architecture: '',
        },
        addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
      },
    },
    pick: [['kind']],
  },
  'a node in a table': tableOf('/api/v1/nodes/<ns>-node'),
  'the node goes': { ask: 'DELETE /api/v1/nodes/<ns>-node', pick: [['status']] },
  'a claim to show': {
    ask: 'POST /api/v1/namespaces/<ns>/persistentvolumeclaims',
    body: {
      metadata: { name: 'c' },
      spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', resources: { requests: { storage: '1Gi' } } },
    },
    pick: [['kind']],
  },
  'claims in a table': tableOf('/api/v1/namespaces/<ns>/persistentvolumeclaims'),
  'a volume to show': {
    ask: 'POST /api/v1/persistentvolumes',
    body: {
      metadata: { name: '<ns>-v' },
      spec: {
        accessModes: ['ReadWriteMany'],
        storageClassName: 'fast',
        capacity: { storage: '1Gi' },
        hostPath: { path: '/x' },
      },
    },
    pick: [['kind']],
  },
  'a volume in a table': tableOf('/api/v1/persistentvolumes/<ns>-v'),
  'an account to show': {
    ask: 'POST /api/v1/namespaces/<ns>/serviceaccounts',
    body: { metadata: { name: 'a' } },
    pick: [['kind']],
  },
  'accounts in a table': tableOf('/api/v1/namespaces/<ns>/serviceaccounts?fieldSelector=metadata.name%3Da'),
  'a lease to show': {
    ask: 'POST /apis/coordination.k8s.io/v1/namespaces/<ns>/leases',
    body: { metadata: { name: 'l' }, spec: { holderIdentity: 'me' } },
    pick: [['kind']],
  },
  'leases in a table': tableOf('/apis/coordination.k8s.io/v1/namespaces/<ns>/leases'),
  'endpoints to show': {
    ask: 'POST /apis/discovery.k8s.io/v1/namespaces/<ns>/endpointslices',
    body: {
      metadata: { name: 'e' },
      addressType: 'IPv4',
      ports: [{ port: 80 }],
      endpoints: [{ addresses: ['192.0.2.1'] }, { addresses: ['192.0.2.2'] }],
    },
    pick: [['kind']],
  },
  'endpoints in a table': tableOf('/apis/discovery.k8s.io/v1/namespaces/<ns>/endpointslices'),
  'a revision to show': {
    ask: 'POST /apis/apps/v1/namespaces/<ns>/controllerrevisions',
    body: {
      metadata: {
        name: 'r',
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: 'StatefulSet',
            name: 's',
            uid: '11111111-2222-3333-4444-555555555555',
            controller: true,
          },
        ],
      },
      revision: 3,
      data: {},
    },
    pick: [['kind']],
  },
  'revisions in a table': tableOf('/apis/apps/v1/namespaces/<ns>/controllerrevisions'),
  'a job to show': {
    ask: 'POST /apis/batch/v1/namespaces/<ns>/jobs',
    body: {
      metadata: { name: 'j' },
      spec: { completions: 2, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
    },
    pick: [['kind']],
  },
  'jobs in a table': tableOf('/apis/batch/v1/namespaces/<ns>/jobs'),
  'a role to show': {
    ask: 'POST /apis/rbac.authorization.k8s.io/v1/namespaces/<ns>/roles',
    body: { metadata: { name: 'r' }, rules: [] },
    pick: [['kind']],
  },
  'roles in a table': tableOf('/apis/rbac.authorization.k8s.io/v1/namespaces/<ns>/roles'),
  'a binding to show': {
    ask: 'POST /apis/rbac.authorization.k8s.io/v1/namespaces/<ns>/rolebindings',
    body: {
      metadata: { name: 'b' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
      subjects: [
        { kind: 'User', name: 'u' },
        { kind: 'ServiceAccount', name: 's', namespace: '<ns>' },
      ],
    },
    pick: [['kind']],
  },
  'bindings in a table': tableOf('/apis/rbac.authorization.k8s.io/v1/namespaces/<ns>/rolebindings'),
}
