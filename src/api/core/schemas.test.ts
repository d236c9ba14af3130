import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import { coreDocument } from './document.ts'
import { coreKinds, Pod, reviewKinds, Service, subresourceKinds } from './kinds.ts'
import { coreSchema, embeddedSchema } from './schemas.ts'

const podSpec = 'io.k8s.api.core.v1.PodSpec'

function defaulted(kind: Kind, spec: Record<string, unknown>): Record<string, unknown> {
  const object: AnyResource = { apiVersion: 'v1', kind: kind.kind, metadata: { name: 'a' }, spec }
  return compileSchema(kind.schema()).default(object).spec ?? {}
}

for (const kind of [...coreKinds, ...reviewKinds, ...subresourceKinds]) {
  test(`${kind.group === '' ? '' : `${kind.group}/`}${kind.kind} is what the pinned document calls it`, () => {
    assert.equal(kind.schema().type, 'object')
    const named = Object.values(coreDocument().definitions).some((definition) =>
      definition['x-kubernetes-group-version-kind']?.some(
        ({ group, version, kind: name }) => group === kind.group && version === kind.version && name === kind.kind,
      ),
    )
    assert.ok(named)
  })
}

test('a pod gets the defaults of Kubernetes that depend on nothing', () => {
  const pod = defaulted(Pod, {
    containers: [{ name: 'a', image: 'a', ports: [{ containerPort: 80 }], readinessProbe: { httpGet: { port: 80 } } }],
  })
  assert.equal(pod.restartPolicy, 'Always')
  assert.equal(pod.terminationGracePeriodSeconds, 30)
  assert.deepEqual(pod.containers, [
    {
      name: 'a',
      image: 'a',
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
      resources: {},
      ports: [{ containerPort: 80, protocol: 'TCP' }],
      readinessProbe: {
        httpGet: { port: 80, path: '/', scheme: 'HTTP' },
        timeoutSeconds: 1,
        periodSeconds: 10,
        successThreshold: 1,
        failureThreshold: 3,
      },
    },
  ])
})

test('a service gets the defaults of Kubernetes that depend on nothing', () => {
  assert.deepEqual(defaulted(Service, { ports: [{ port: 80 }] }), {
    type: 'ClusterIP',
    sessionAffinity: 'None',
    ports: [{ port: 80, protocol: 'TCP' }],
  })
})

test('a core schema keeps how strategic merge patch joins a list', () => {
  const containers = coreSchema(podSpec).properties?.containers
  assert.equal(containers?.['x-kubernetes-patch-merge-key'], 'name')
  assert.equal(containers?.['x-kubernetes-patch-strategy'], 'merge')
  assert.deepEqual(containers?.['x-kubernetes-list-map-keys'], ['name'])
})

test('one definition is one object however often it is used', () => {
  const { containers, initContainers } = coreSchema(podSpec).properties ?? {}
  assert.equal(containers?.items?.properties, initContainers?.items?.properties)
})

test('quantities and ports take numbers and text', () => {
  const container = coreSchema('io.k8s.api.core.v1.Container').properties
  const limits = container?.resources?.properties?.limits?.additionalProperties
  assert.ok(typeof limits === 'object')
  assert.equal(limits['x-kubernetes-int-or-string'], true)
  assert.match('16Gi', new RegExp(limits.pattern ?? ''))
  assert.doesNotMatch('16 GB', new RegExp(limits.pattern ?? ''))
  const port = container?.readinessProbe?.properties?.httpGet?.properties?.port
  assert.equal(port?.['x-kubernetes-int-or-string'], true)
})

test('inside a CustomResourceDefinition a pod has no prose, no patch strategy, and only the defaults of keys', () => {
  const text = JSON.stringify(embeddedSchema(podSpec))
  assert.doesNotMatch(text, /"description":"|x-kubernetes-patch/)
  assert.deepEqual([...new Set(text.match(/"default":[^,}]*/g))].sort(), ['"default":""', '"default":"TCP"'])
})

test('a schema is read only when somebody asks for it, and then once', () => {
  assert.equal(Pod.schema(), Pod.schema())
})
