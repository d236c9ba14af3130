import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Container, Pod } from '#api/core/types.generated.ts'
import { type EnvironmentSources, resolveEnvironment } from './environment.ts'

const meta = (name: string) => ({ name, namespace: 'ns' })
const sources: EnvironmentSources = {
  podIP: '127.20.0.1',
  hostIP: '127.0.0.1',
  allocatable: { cpu: '4', memory: '8Gi' },
  secret: (name) =>
    name === 's'
      ? { apiVersion: 'v1', kind: 'Secret', metadata: meta(name), data: { KEY: Buffer.from('v1').toString('base64') } }
      : undefined,
  configMap: (name) =>
    name === 'c'
      ? { apiVersion: 'v1', kind: 'ConfigMap', metadata: meta(name), data: { KEY: 'v2', A: 'a' } }
      : undefined,
}
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...meta('p'), uid: 'u', labels: { 'app/x': 'y' } },
  spec: { containers: [], nodeName: 'n' },
}

type Row = Partial<Container> & { want?: Record<string, string>; problem?: string }
const rows: Record<string, Row> = {
  'literal values, later ones seeing earlier ones': {
    env: [
      { name: 'A', value: 'x' },
      { name: 'B', value: '$(A)-$(C)' },
      { name: 'C', value: 'z' },
    ],
    want: { A: 'x', B: 'x-$(C)', C: 'z' },
  },
  'env wins over envFrom, later sources over earlier ones': {
    envFrom: [{ configMapRef: { name: 'c' } }, { secretRef: { name: 's' } }],
    env: [{ name: 'A', value: 'mine' }],
    want: { KEY: 'v1', A: 'mine' },
  },
  'a prefix of envFrom': { envFrom: [{ prefix: 'P_', configMapRef: { name: 'c' } }], want: { P_KEY: 'v2', P_A: 'a' } },
  'fields of the pod': {
    env: ['metadata.name', 'metadata.uid', "metadata.labels['app/x']", 'spec.nodeName', 'status.podIP'].map(
      (fieldPath, i) => ({ name: `F${i}`, valueFrom: { fieldRef: { fieldPath } } }),
    ),
    want: { F0: 'p', F1: 'u', F2: 'y', F3: 'n', F4: '127.20.0.1' },
  },
  'resources, in units of the divisor and rounded up': {
    resources: { limits: { cpu: '1500m' }, requests: { memory: '1Gi' } },
    env: [
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      { name: 'MILLIS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
      { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'requests.memory', divisor: '1Mi' } } },
      { name: 'ALL', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Gi' } } },
    ],
    want: { CPU: '2', MILLIS: '1500', MEM: '1024', ALL: '8' },
  },
  'what is optional may be absent': {
    envFrom: [{ secretRef: { name: 'no', optional: true } }],
    env: [
      { name: 'A', valueFrom: { secretKeyRef: { name: 'no', key: 'k', optional: true } } },
      { name: 'B', valueFrom: { configMapKeyRef: { name: 'c', key: 'no', optional: true } } },
    ],
    want: {},
  },
  'an absent secret': {
    env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'no', key: 'k' } } }],
    problem: 'secret "no" not found',
  },
  'an absent key': {
    env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'c', key: 'no' } } }],
    problem: "couldn't find key no in ConfigMap ns/c",
  },
  'an absent source of all': { envFrom: [{ secretRef: { name: 'no' } }], problem: 'secret "no" not found' },
  'a field that there is not': {
    env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.x' } } }],
    problem: 'unsupported fieldPath: spec.x',
  },
}
for (const [name, { want = {}, problem, ...container }] of Object.entries(rows)) {
  test(`environment: ${name}`, () => {
    const { env, problems } = resolveEnvironment(pod, { name: 'c', ...container }, sources)
    assert.deepEqual(problems, problem === undefined ? [] : [problem])
    if (problem === undefined) assert.deepEqual(env, { HOSTNAME: 'p', ...want })
  })
}
