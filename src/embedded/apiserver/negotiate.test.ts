import assert from 'node:assert/strict'
import { test } from 'node:test'
import { negotiate, type Representation } from './negotiate.ts'

const rows: Record<string, { accept: string | null; want: Representation | undefined }> = {
  'no wish is JSON': { accept: null, want: 'object' },
  'anything is JSON': { accept: '*/*', want: 'object' },
  'what kubectl get asks for is a table': {
    accept:
      'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
    want: 'table',
  },
  'a table of a version that we do not write is passed over': {
    accept: 'application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
    want: 'object',
  },
  'protobuf is passed over': { accept: 'application/vnd.kubernetes.protobuf,application/json', want: 'object' },
  'protobuf alone cannot be had': { accept: 'application/vnd.kubernetes.protobuf', want: undefined },
  'a page cannot be had': { accept: 'text/html', want: undefined },
  'the better liked comes first': {
    accept: 'application/json;q=0.5,application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io;q=0.9',
    want: 'partial',
  },
  'what is refused is not given': { accept: 'application/json;q=0', want: undefined },
  'what is not offered here is passed over': {
    accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json',
    want: 'object',
  },
}
for (const [name, { accept, want }] of Object.entries(rows)) {
  test(name, () => assert.equal(negotiate(accept, ['table', 'partial']), want))
}
