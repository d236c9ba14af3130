import { type Calls, merge } from './call.ts'

const pods = '/api/v1/namespaces/<ns>/pods'
const c = { name: 'c', image: 'example.com/c:1' }
const create = (spec: object, metadata: object = {}) => ({
  ask: `POST ${pods}`,
  body: { metadata: { name: 'x', ...metadata }, spec: { containers: [c], ...spec } },
})
const container = (members: object) => create({ containers: [{ ...c, ...members }] })
const replace = (name: string, spec: object, metadata: object = {}) => ({
  ask: `PUT ${pods}/${name}`,
  body: { metadata: { name, ...metadata }, spec },
})

/** Pods: defaults, rules, what may change, and their subresources. */
export const podCalls: Calls = {
  'the smallest pod': { ask: `POST ${pods}`, body: { metadata: { name: 'small' }, spec: { containers: [c] } } },
  'a pod with much in it': {
    ask: `POST ${pods}`,
    body: {
      metadata: { name: 'large', labels: { app: 'a' } },
      spec: {
        initContainers: [{ name: 'init', image: 'busybox', restartPolicy: 'Always' }],
        containers: [
          {
            name: 'c',
            image: 'example.com/c',
            command: ['serve'],
            env: [
              { name: 'A', value: '1' },
              { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } },
              { name: 'S', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
            ],
            ports: [
              { name: 'http', containerPort: 8080 },
              { containerPort: 53, protocol: 'UDP' },
            ],
            resources: { limits: { cpu: '1', memory: '1Gi', 'example.com/gpu': 1 }, requests: { cpu: '500m' } },
            livenessProbe: { httpGet: { port: 'http' } },
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 3 },
            startupProbe: { exec: { command: ['true'] }, failureThreshold: 30 },
            lifecycle: { preStop: { exec: { command: ['sleep', '5'] } } },
            volumeMounts: [
              { name: 'data', mountPath: '/data' },
              { name: 'all', mountPath: '/all', readOnly: true },
            ],
            securityContext: { runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
          },
        ],
        volumes: [
          { name: 'data', emptyDir: {} },
          { name: 'cm', configMap: { name: 'cm' } },
          { name: 'secret', secret: { secretName: 's', items: [{ key: 'k', path: 'p' }] } },
          { name: 'pvc', persistentVolumeClaim: { claimName: 'pvc' } },
          { name: 'host', hostPath: { path: '/x' } },
          {
            name: 'all',
            projected: {
              sources: [
                { serviceAccountToken: { path: 'token' } },
                { downwardAPI: { items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }] } },
              ],
            },
          },
        ],
        tolerations: [{ key: 'gpu', operator: 'Exists' }],
        nodeSelector: { gpu: 'yes' },
        affinity: {
          podAntiAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              {
                weight: 1,
                podAffinityTerm: {
                  topologyKey: 'kubernetes.io/hostname',
                  labelSelector: { matchLabels: { app: 'a' } },
                },
              },
            ],
          },
        },
        topologySpreadConstraints: [
          {
            maxSkew: 1,
            topologyKey: 'zone',
            whenUnsatisfiable: 'ScheduleAnyway',
            labelSelector: { matchLabels: { app: 'a' } },
          },
        ],
        serviceAccountName: 'robot',
        hostname: 'h',
        subdomain: 'sub',
        imagePullSecrets: [{ name: 'pull' }],
      },
    },
  },
  'a pod that asks for all that it may use is guaranteed': {
    ...create({ containers: [{ ...c, resources: { limits: { cpu: '1', memory: '1Gi' } } }] }, { name: 'guaranteed' }),
    pick: [['status'], ['spec', 'containers']],
  },
  'a pod that asks for some is burstable': {
    ...create({ containers: [{ ...c, resources: { requests: { cpu: '1' } } }] }, { name: 'burstable' }),
    pick: [['status'], ['spec', 'containers']],
  },
  'quantities are written in one way': {
    ...create(
      {
        containers: [
          {
            ...c,
            resources: { requests: { cpu: '0.5', memory: '1024Mi' }, limits: { cpu: '1000m', memory: '1.5Gi' } },
          },
        ],
      },
      { name: 'quantities' },
    ),
    pick: [['spec', 'containers']],
  },
  'a pod with a host network': {
    ...create({ hostNetwork: true, containers: [{ ...c, ports: [{ containerPort: 80 }] }] }, { name: 'host-network' }),
    pick: [['spec']],
  },
  'a pod of a service account': { ...create({ serviceAccountName: 'robot' }, { name: 'account' }), pick: [['spec']] },
  'a pod gets no status from who creates it': {
    ask: `POST ${pods}`,
    body: { metadata: { name: 'status' }, spec: { containers: [c] }, status: { phase: 'Running' } },
    pick: [['status']],
  },
  'a pod with gates is not ready for scheduling': {
    ...create({ schedulingGates: [{ name: 'example.com/gate' }] }, { name: 'gated' }),
    pick: [['spec', 'schedulingGates'], ['status']],
  },

  'a pod needs a spec': { ask: `POST ${pods}`, body: { metadata: { name: 'x' } } },
  'a pod needs containers': create({ containers: [] }),
  'a container needs a name': create({ containers: [{ image: 'i' }] }),
  'a container needs an image': create({ containers: [{ name: 'c' }] }),
  'the name of a container is a label': container({ name: 'C.1' }),
  'containers have different names': create({ containers: [c, c] }),
  'containers and init containers have different names': create({ initContainers: [c] }),
  'an image has no blanks': container({ image: ' i ' }),
  'a pull policy is one of three': container({ imagePullPolicy: 'Maybe' }),
  'a restart policy is one of three': create({ restartPolicy: 'Sometimes' }),
  'a DNS policy is one of four': create({ dnsPolicy: 'None' }),
  'a port is a number from 1': container({ ports: [{ containerPort: 0 }] }),
  'a port is a number up to 65535': container({ ports: [{ containerPort: 65_536 }] }),
  'the name of a port has letters': container({ ports: [{ containerPort: 80, name: '80' }] }),
  'the name of a port has at most 15 characters': container({
    ports: [{ containerPort: 80, name: 'a-very-long-port-name' }],
  }),
  'names of ports differ': container({
    ports: [
      { containerPort: 80, name: 'a' },
      { containerPort: 81, name: 'a' },
    ],
  }),
  'a protocol is one of three': container({ ports: [{ containerPort: 80, protocol: 'HTTP' }] }),
  'the name of a variable': container({ env: [{ name: 'A=B', value: '1' }] }),
  'a variable needs a name': container({ env: [{ value: '1' }] }),
  'a variable has one source': container({
    env: [{ name: 'A', value: '1', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
  }),
  'a variable from a field that is none': container({
    env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.nothing' } } }],
  }),
  'a variable from a secret needs a key': container({
    env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's' } } }],
  }),
  'a request is no more than the limit': container({ resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }),
  'a resource is not negative': container({ resources: { limits: { cpu: '-1' } } }),
  'a resource of somebody else is whole and has a limit': container({
    resources: { requests: { 'example.com/gpu': 1 } },
  }),
  'a GPU is whole': container({ resources: { limits: { 'example.com/gpu': '500m' } } }),
  'the name of a resource': container({ resources: { limits: { 'not a name': 1 } } }),
  'a resource is of a known kind': container({ resources: { limits: { something: 1 } } }),
  'a mount names a volume': container({ volumeMounts: [{ name: 'none', mountPath: '/x' }] }),
  'a mount needs a path': create({
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [{ ...c, volumeMounts: [{ name: 'v', mountPath: '' }] }],
  }),
  'paths of mounts differ': create({
    volumes: [{ name: 'v', emptyDir: {} }],
    containers: [
      {
        ...c,
        volumeMounts: [
          { name: 'v', mountPath: '/x' },
          { name: 'v', mountPath: '/x' },
        ],
      },
    ],
  }),
  'a volume without a source': {
    ...create({ volumes: [{ name: 'v' }] }, { name: 'sourceless' }),
    pick: [['spec', 'volumes']],
  },
  'a volume has one source': create({ volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] }),
  'names of volumes differ': create({
    volumes: [
      { name: 'v', emptyDir: {} },
      { name: 'v', emptyDir: {} },
    ],
  }),
  'the name of a volume is a label': create({ volumes: [{ name: 'V_1', emptyDir: {} }] }),
  'a host path has no way back': create({ volumes: [{ name: 'v', hostPath: { path: '/a/../b' } }] }),
  'a probe does one thing': container({ livenessProbe: { httpGet: { port: 80 }, exec: { command: ['x'] } } }),
  'a probe does something': container({ livenessProbe: { periodSeconds: 5 } }),
  'a liveness probe succeeds once': container({ livenessProbe: { httpGet: { port: 80 }, successThreshold: 2 } }),
  'times of a probe are not negative': container({ readinessProbe: { httpGet: { port: 80 }, periodSeconds: -1 } }),
  'a probe of a port that has no name': container({ readinessProbe: { httpGet: { port: 'UPPER' } } }),
  'an init container has no lifecycle': create({
    initContainers: [{ name: 'init', image: 'i', livenessProbe: { httpGet: { port: 80 } } }],
  }),
  'a grace period is not negative': create({ terminationGracePeriodSeconds: -1 }),
  'a deadline is positive': create({ activeDeadlineSeconds: 0 }),
  'a toleration that exists has no value': create({ tolerations: [{ key: 'a', operator: 'Exists', value: 'x' }] }),
  'a toleration has an effect of three': create({ tolerations: [{ key: 'a', operator: 'Exists', effect: 'Never' }] }),
  'a toleration has an operator that is known': create({ tolerations: [{ key: 'a', operator: 'Maybe' }] }),
  'a selector of nodes has labels': create({ nodeSelector: { 'not a key': 'x' } }),
  'a host name is a label': create({ hostname: 'not_a_name' }),
  'the name of a service account is a subdomain': create({ serviceAccountName: 'Not_A_Name' }),
  'the name of a node is a subdomain': create({ nodeName: 'Not_A_Name' }),
  'a priority class is there': create({ priorityClassName: 'none' }),
  'a runtime class is there': create({ runtimeClassName: 'none' }),
  'a priority is that of its class': create({ priority: 5 }),
  'a host port is that of the container on a host network': create({
    hostNetwork: true,
    containers: [{ ...c, ports: [{ containerPort: 80, hostPort: 81 }] }],
  }),
  'all that is wrong is told': create({
    restartPolicy: 'X',
    containers: [{ name: 'A', ports: [{ containerPort: 0 }] }],
  }),
  'an affinity has keys': create({
    affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: {} }] } },
  }),
  'an affinity has operators that are known': create({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Near' }] }],
        },
      },
    },
  }),

  'the image of a container may change': {
    ask: `PATCH ${pods}/small`,
    type: merge,
    body: { spec: { containers: [{ ...c, image: 'example.com/c:2' }] } },
    pick: [
      ['metadata', 'generation'],
      ['spec', 'containers'],
    ],
  },
  'the command of a container may not change': {
    ask: `PATCH ${pods}/small`,
    type: merge,
    body: { spec: { containers: [{ ...c, command: ['x'] }] } },
    pick: [['code'], ['reason'], ['details', 'causes', 'field=spec', 'reason']],
  },
  'a container may not be added': {
    ask: `PATCH ${pods}/small`,
    type: merge,
    body: { spec: { containers: [c, { name: 'd', image: 'i' }] } },
  },
  'a container may not be taken away': { ask: `PATCH ${pods}/small`, type: merge, body: { spec: { containers: [] } } },
  'the image of a container may not be emptied': {
    ask: `PATCH ${pods}/small`,
    type: merge,
    body: { spec: { containers: [{ ...c, image: '' }] } },
  },
  'a toleration may be added': {
    ask: `PATCH ${pods}/large`,
    type: 'application/json-patch+json',
    body: [{ op: 'add', path: '/spec/tolerations/-', value: { key: 'more', operator: 'Exists' } }],
    pick: [['spec', 'tolerations']],
  },
  'a toleration may not be taken away': {
    ask: `PATCH ${pods}/large`,
    type: 'application/json-patch+json',
    body: [{ op: 'remove', path: '/spec/tolerations/0' }],
    pick: [['code'], ['reason'], ['details', 'causes', 'field=spec.tolerations']],
  },
  'a deadline may be set': {
    ask: `PATCH ${pods}/small`,
    type: merge,
    body: { spec: { activeDeadlineSeconds: 100 } },
    pick: [['spec', 'activeDeadlineSeconds']],
  },
  'a deadline may be shortened': {
    ask: `PATCH ${pods}/small`,
    type: merge,
    body: { spec: { activeDeadlineSeconds: 50 } },
    pick: [['spec', 'activeDeadlineSeconds']],
  },
  'a deadline may not be extended': {
    ask: `PATCH ${pods}/small`,
    type: merge,
    body: { spec: { activeDeadlineSeconds: 60 } },
  },
  'a grace period may not change': {
    ask: `PATCH ${pods}/small`,
    type: merge,
    body: { spec: { terminationGracePeriodSeconds: 5 } },
    pick: [['code'], ['reason'], ['details', 'causes', 'field=spec', 'reason']],
  },
  'a gate may be taken away': {
    ask: `PATCH ${pods}/gated`,
    type: merge,
    body: { spec: { schedulingGates: [] } },
    pick: [
      ['spec', 'schedulingGates'],
      ['metadata', 'generation'],
    ],
  },
  'a gate may not be added': {
    ask: `PATCH ${pods}/gated`,
    type: merge,
    body: { spec: { schedulingGates: [{ name: 'example.com/gate' }] } },
  },
  'a node is not set by an update': {
    ask: `PATCH ${pods}/small`,
    type: merge,
    body: { spec: { nodeName: 'n' } },
    pick: [['code'], ['reason'], ['details', 'causes', 'field=spec', 'reason']],
  },
  'labels of a pod may change': {
    ask: `PATCH ${pods}/small`,
    type: merge,
    body: { metadata: { labels: { a: '1' } } },
    pick: [
      ['metadata', 'generation'],
      ['metadata', 'labels'],
    ],
  },
  'a pod is replaced by what leaves out its defaults': {
    ...replace('guaranteed', { containers: [{ ...c, resources: { limits: { cpu: '1', memory: '1Gi' } } }] }),
    pick: [['metadata', 'generation'], ['status']],
  },

  'a status of a pod': {
    ask: `PATCH ${pods}/small/status`,
    type: merge,
    body: {
      status: {
        phase: 'Running',
        podIP: '10.1.2.3',
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2001-01-01T00:00:00Z' }],
      },
    },
  },
  'a status leaves the spec': {
    ask: `PATCH ${pods}/small/status`,
    type: merge,
    body: { metadata: { labels: { b: '2' } }, spec: { activeDeadlineSeconds: 1 } },
    pick: [
      ['spec', 'activeDeadlineSeconds'],
      ['metadata', 'labels'],
    ],
  },
  'a status of a pod by the main path is left': {
    ask: `PATCH ${pods}/small`,
    type: merge,
    body: { status: { phase: 'Failed' } },
    pick: [['status', 'phase']],
  },
  'the status of a pod is got': { ask: `GET ${pods}/small/status`, pick: [['kind'], ['status', 'phase']] },

  'a binding names a node': {
    ask: `POST ${pods}/small/binding`,
    body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'small' }, target: {} },
  },
  'a binding to what is no node': {
    ask: `POST ${pods}/small/binding`,
    body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'small' }, target: { kind: 'Pod', name: 'n' } },
  },
  'a pod is bound': {
    ask: `POST ${pods}/small/binding`,
    body: {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name: 'small' },
      target: { apiVersion: 'v1', kind: 'Node', name: 'node-1' },
    },
  },
  'a pod that is bound': { ask: `GET ${pods}/small` },
  'a pod is bound once': {
    ask: `POST ${pods}/small/binding`,
    body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'small' }, target: { kind: 'Node', name: 'node-2' } },
  },
  'a binding of what is not there': {
    ask: `POST ${pods}/none/binding`,
    body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'none' }, target: { kind: 'Node', name: 'n' } },
  },
  'a binding has the name of its pod': {
    ask: `POST ${pods}/large/binding`,
    body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'other' }, target: { kind: 'Node', name: 'n' } },
  },
  'a binding is created, not got': { ask: `GET ${pods}/small/binding` },

  'logs of a pod without a node': { ask: `GET ${pods}/large/log?container=c`, accept: '*/*' },
  'logs of one of several containers': { ask: `GET ${pods}/large/log`, accept: '*/*' },
  'logs of a container that is not there': { ask: `GET ${pods}/large/log?container=none`, accept: '*/*' },
  'logs of a pod that is not there': { ask: `GET ${pods}/none/log`, accept: '*/*' },
  'logs of so many lines': { ask: `GET ${pods}/large/log?container=c&tailLines=-1`, accept: '*/*' },
  'logs since a time that is past': { ask: `GET ${pods}/large/log?container=c&sinceSeconds=0`, accept: '*/*' },
  'logs of bytes that are some': { ask: `GET ${pods}/large/log?container=c&limitBytes=0`, accept: '*/*' },
  'logs are not created': { ask: `POST ${pods}/large/log`, body: {} },

  'a pod on a node is given time': {
    ask: `DELETE ${pods}/small?gracePeriodSeconds=20`,
    pick: [
      ['metadata', 'deletionGracePeriodSeconds'],
      ['metadata', 'deletionTimestamp'],
      ['metadata', 'generation'],
      ['kind'],
    ],
  },
  'a shorter time may follow': {
    ask: `DELETE ${pods}/small?gracePeriodSeconds=10`,
    pick: [
      ['metadata', 'deletionGracePeriodSeconds'],
      ['metadata', 'generation'],
    ],
  },
  'a longer time changes nothing': {
    ask: `DELETE ${pods}/small?gracePeriodSeconds=60`,
    pick: [
      ['metadata', 'deletionGracePeriodSeconds'],
      ['metadata', 'generation'],
    ],
  },
  'no time is the end': { ask: `DELETE ${pods}/small`, body: { gracePeriodSeconds: 0 } },
  'a pod without a node goes at once': { ask: `DELETE ${pods}/burstable` },
  'a negative time is a short one': {
    ask: `DELETE ${pods}/account?gracePeriodSeconds=-1`,
    pick: [['kind'], ['metadata', 'name']],
  },

  'a pod is evicted': {
    ask: `POST ${pods}/quantities/eviction`,
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'quantities' } },
  },
  'an evicted pod is gone': { ask: `GET ${pods}/quantities` },
  'an eviction of what is not there': {
    ask: `POST ${pods}/none/eviction`,
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'none' } },
  },
  'an eviction has the name of its pod': {
    ask: `POST ${pods}/guaranteed/eviction`,
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'other' } },
  },
  'a dry run of an eviction': {
    ask: `POST ${pods}/guaranteed/eviction?dryRun=All`,
    body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'guaranteed' } },
  },
  'an eviction is an eviction': {
    ask: `POST ${pods}/guaranteed/eviction`,
    body: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'guaranteed' } },
  },
  'all pods of a selection are deleted': {
    ask: `DELETE ${pods}?labelSelector=app%3Da`,
    pick: [['kind'], ['items', 'metadata.name=large', 'metadata', 'deletionTimestamp']],
  },
}
