import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostPortsAnnotation } from './local-node.ts'
import { podAddress } from './pod-address.ts'

const cases: Record<string, { podIP?: string; annotation?: string; want: object | undefined }> = {
  'its IP and the very port': { podIP: '10.0.0.1', want: { host: '10.0.0.1', port: 8000 } },
  'nowhere while it has no IP': { want: undefined },
  'the host port where the node maps them': {
    podIP: '127.0.0.1',
    annotation: '{"8000":34567}',
    want: { host: '127.0.0.1', port: 34567 },
  },
  'nowhere when the node maps others': { podIP: '127.0.0.1', annotation: '{"9000":1}', want: undefined },
  'nowhere when the mapping is broken': { podIP: '127.0.0.1', annotation: '{', want: undefined },
}
for (const [name, { podIP, annotation, want }] of Object.entries(cases)) {
  test(`a port of a pod answers at ${name}`, () => {
    const metadata = annotation === undefined ? {} : { annotations: { [hostPortsAnnotation]: annotation } }
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata, status: podIP === undefined ? {} : { podIP } }
    assert.deepEqual(podAddress(pod, 8000), want)
  })
}
