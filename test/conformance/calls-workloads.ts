import { type Calls, jsonPatch, merge } from './call.ts'

const jobs = '/apis/batch/v1/namespaces/<ns>/jobs'
const revisions = '/apis/apps/v1/namespaces/<ns>/controllerrevisions'
const leases = '/apis/coordination.k8s.io/v1/namespaces/<ns>/leases'
const slices = '/apis/discovery.k8s.io/v1/namespaces/<ns>/endpointslices'
const claims = '/api/v1/namespaces/<ns>/persistentvolumeclaims'
const accounts = '/api/v1/namespaces/<ns>/serviceaccounts'
const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'example.com/c:1' }] } }
const job = (spec: object, name = 'x') => ({
  ask: `POST ${jobs}`,
  body: { metadata: { name }, spec: { template, ...spec } },
})
const lease = (spec: object, name = 'x') => ({ ask: `POST ${leases}`, body: { metadata: { name }, spec } })
const slice = (members: object, name = 'x') => ({
  ask: `POST ${slices}`,
  body: { metadata: { name }, addressType: 'IPv4', endpoints: [], ...members },
})
const claim = (spec: object, name = 'x') => ({ ask: `POST ${claims}`, body: { metadata: { name }, spec } })
const asked = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }

/** What controllers keep: jobs, revisions, leases, endpoints, claims, service accounts. */
export const workloadCalls: Calls = {
  'the smallest job': job({}, 'small'),
  'a job with an index': job(
    {
      completions: 3,
      parallelism: 2,
      completionMode: 'Indexed',
      backoffLimit: 1,
      ttlSecondsAfterFinished: 60,
      activeDeadlineSeconds: 100,
    },
    'indexed',
  ),
  'a job that waits': job({ suspend: true }, 'waiting'),
  'a job needs a template': { ask: `POST ${jobs}`, body: { metadata: { name: 'x' }, spec: {} } },
  'pods of a job do not restart always': job({ template: { spec: { containers: [{ name: 'c', image: 'i' }] } } }),
  'a job has a count that is not negative': job({ completions: -1, parallelism: -1, backoffLimit: -1 }),
  'a job has no selector of its own': job({ selector: { matchLabels: { a: 'b' } } }),
  'a job with an index has a count': job({ completionMode: 'Indexed' }),
  'a mode of a job is one of two': job({ completionMode: 'Random' }),
  'a policy of a job for its pods is one of two': job({ podReplacementPolicy: 'Never' }),
  'a job has rules for its pods': job({ template: { spec: { restartPolicy: 'Never', containers: [] } } }),
  'the template of a job stays': {
    ask: `PATCH ${jobs}/small`,
    type: jsonPatch,
    body: [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'other' }],
    pick: [['code'], ['reason'], ['details', 'causes', 'field=spec.template', 'reason']],
  },
  'the count of a job stays': { ask: `PATCH ${jobs}/small`, type: merge, body: { spec: { completions: 2 } } },
  'the parallelism of a job may change': {
    ask: `PATCH ${jobs}/small`,
    type: merge,
    body: { spec: { parallelism: 0 } },
    pick: [
      ['metadata', 'generation'],
      ['spec', 'parallelism'],
    ],
  },
  'a job may be stopped': {
    ask: `PATCH ${jobs}/small`,
    type: merge,
    body: { spec: { suspend: true } },
    pick: [
      ['metadata', 'generation'],
      ['spec', 'suspend'],
    ],
  },
  'a status of a job': { ask: `PATCH ${jobs}/small/status`, type: merge, body: { status: { active: 1, ready: 0 } } },
  'a job is deleted and orphans its pods': { ask: `DELETE ${jobs}/waiting` },
  'a job is deleted in the background': { ask: `DELETE ${jobs}/indexed`, body: { propagationPolicy: 'Background' } },

  'a revision': { ask: `POST ${revisions}`, body: { metadata: { name: 'r' }, revision: 1, data: { any: ['thing'] } } },
  'a revision has data': { ask: `POST ${revisions}`, body: { metadata: { name: 'x' }, revision: 1 } },
  'a revision is not negative': { ask: `POST ${revisions}`, body: { metadata: { name: 'x' }, revision: -1, data: {} } },
  'data of a revision stay': { ask: `PATCH ${revisions}/r`, type: merge, body: { data: { other: 1 } } },
  'the number of a revision may change': { ask: `PATCH ${revisions}/r`, type: merge, body: { revision: 2 } },

  'a lease': lease(
    {
      holderIdentity: 'me',
      leaseDurationSeconds: 15,
      acquireTime: '2001-01-01T00:00:00.000000Z',
      renewTime: '2001-01-01T00:00:00.123456Z',
      leaseTransitions: 0,
    },
    'l',
  ),
  'a lease without a spec': { ask: `POST ${leases}`, body: { metadata: { name: 'bare' } } },
  'a lease is for some time': lease({ leaseDurationSeconds: 0 }),
  'transitions of a lease are not negative': lease({ leaseTransitions: -1 }),
  'a time of a lease is in microseconds': lease({ renewTime: 'now' }),
  'a time of a lease may be in seconds': lease({ renewTime: '2001-01-01T00:00:00Z' }, 'seconds'),
  'a lease changes hands': {
    ask: `PATCH ${leases}/l`,
    type: merge,
    body: { spec: { holderIdentity: 'you', leaseTransitions: 1 } },
  },
  'a strategy of a lease needs a candidate': lease({ strategy: 'OldestEmulationVersion', holderIdentity: 'me' }),

  endpoints: slice(
    {
      ports: [{ name: 'http', port: 80 }],
      endpoints: [{ addresses: ['10.1.0.1'], conditions: { ready: true }, nodeName: 'n' }],
    },
    'e',
  ),
  'endpoints have a type': { ask: `POST ${slices}`, body: { metadata: { name: 'x' }, endpoints: [] } },
  'a type of endpoints is one of three': slice({ addressType: 'IPX' }),
  'an endpoint has addresses': slice({ endpoints: [{ addresses: [] }] }),
  'an address of an endpoint is an address': slice({ endpoints: [{ addresses: ['here'] }] }),
  'an address of an endpoint is of its type': slice({ addressType: 'IPv6', endpoints: [{ addresses: ['10.1.0.1'] }] }),
  'names of ports of endpoints differ': slice({
    ports: [
      { name: 'a', port: 80 },
      { name: 'a', port: 81 },
    ],
  }),
  'a protocol of endpoints is one of three': slice({ ports: [{ port: 80, protocol: 'HTTP' }] }),
  'the type of endpoints stays': {
    ask: `PATCH ${slices}/e`,
    type: merge,
    body: { addressType: 'IPv6', endpoints: [] },
  },

  'a claim': claim({ ...asked, storageClassName: 'fast' }, 'c'),
  'a claim has modes': claim({ resources: asked.resources }),
  'a mode of a claim is one of four': claim({ ...asked, accessModes: ['Sometimes'] }),
  'a claim asks for storage': claim({ accessModes: ['ReadWriteOnce'] }),
  'a claim asks for some storage': claim({ ...asked, resources: { requests: { storage: '0' } } }),
  'a volume mode is one of two': claim({ ...asked, volumeMode: 'Tape' }),
  'a class of storage has a name': claim({ ...asked, storageClassName: 'Not_A_Name' }),
  'a claim stays': {
    ask: `PATCH ${claims}/c`,
    type: merge,
    body: { spec: { accessModes: ['ReadOnlyMany'] } },
    pick: [['code'], ['reason'], ['details', 'causes', 'field=spec', 'reason']],
  },
  'a claim does not shrink': {
    ask: `PATCH ${claims}/c`,
    type: merge,
    body: { spec: { resources: { requests: { storage: '512Mi' } } } },
    pick: [['code'], ['reason'], ['details', 'causes', 'field=spec', 'reason']],
  },
  'a status of a claim': {
    ask: `PATCH ${claims}/c/status`,
    type: merge,
    body: { status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'] } },
    pick: [['status']],
  },

  'a service account': {
    ask: `POST ${accounts}`,
    body: { metadata: { name: 'a' }, imagePullSecrets: [{ name: 'pull' }], automountServiceAccountToken: false },
  },
  'the name of a new service account': { ask: `POST ${accounts}`, body: { metadata: { name: 'Not_A_Name' } } },
  'a service account changes': { ask: `PATCH ${accounts}/a`, type: merge, body: { secrets: [{ name: 's' }] } },
  'a service account that goes is shown': { ask: `DELETE ${accounts}/a` },
}
