import assert from 'node:assert/strict'
import { test } from 'node:test'
import { renderDescription } from './describe.ts'

const nowMs = Date.parse('2030-01-01T00:10:00Z')
const metadata = {
  name: 'chat',
  namespace: 'default',
  uid: 'u',
  generation: 3,
  creationTimestamp: '2030-01-01T00:00:00Z',
}

test('a description tells all of an object: what it is, shall be and is, what it owns and what happened to it', () => {
  const text = renderDescription(
    {
      kind: 'ModelBooster',
      object: {
        apiVersion: 'workload.serving.volcano.sh/v1alpha1',
        kind: 'ModelBooster',
        metadata: {
          ...metadata,
          labels: { team: 'a' },
          annotations: { note: 'b', 'kubectl.kubernetes.io/last-applied-configuration': '{"data":{"key":"c2VjcmV0"}}' },
        },
        spec: { backend: { name: 'a', replicas: 1 } },
        status: {
          conditions: [
            { type: 'Active', status: 'False', reason: 'ModelProcessing', message: 'not yet', lastTransitionTime: '' },
          ],
        },
      },
      children: [
        {
          kind: 'ModelRoute',
          name: 'chat',
          namespace: 'default',
          createdAt: metadata.creationTimestamp,
          state: { ready: true, failed: false, reason: '', message: '' },
          children: [],
        },
      ],
      events: [
        {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: 'e', namespace: 'default' },
          involvedObject: {},
          type: 'Warning',
          reason: 'Odd',
          message: 'something',
          count: 2,
          lastTimestamp: '2030-01-01T00:09:00Z',
        },
      ],
    },
    nowMs,
    false,
  )
  assert.equal(
    text,
    `Name:       chat
Namespace:  default
Kind:       ModelBooster (workload.serving.volcano.sh/v1alpha1)
Age:        10m
Generation: 3
Labels:
  team: a
Annotations:
  note: b
Spec:
  backend:
    name: a
    replicas: 1
Conditions:
  Active=False  ModelProcessing: not yet
Children:
  ModelRoute/chat  ✔ 10m
Events:
  60s    Warning Odd (2 times): something
`,
  )
})
