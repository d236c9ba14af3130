import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFault } from '#base/fault.ts'
import { negotiate } from './negotiate.ts'

const nothing =
  '406: Not Acceptable\n\nAvailable representations: application/json, application/yaml, application/vnd.kubernetes.protobuf'

const rows: Record<string, { accept: string | null; want: string }> = {
  'no wish is JSON': { accept: null, want: 'object' },
  'anything is JSON': { accept: '*/*', want: 'object' },
  'what kubectl get asks for is a table': {
    accept:
      'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
    want: 'table',
  },
  'a table may be of the older version': {
    accept: 'application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
    want: 'table v1beta1',
  },
  'a table of a version that nobody knows is passed over': {
    accept: 'application/json;as=Table;v=v2;g=meta.k8s.io,application/json',
    want: 'object',
  },
  'a table of a version that nobody knows cannot be had': {
    accept: 'application/json;as=Table;v=v2;g=meta.k8s.io',
    want: 'only the following media types are accepted: application/json, application/yaml, application/vnd.kubernetes.protobuf',
  },
  YAML: { accept: 'application/yaml', want: 'object in YAML' },
  'just any application format cannot be had': { accept: 'application/*', want: nothing },
  'protobuf is passed over': { accept: 'application/vnd.kubernetes.protobuf,application/json', want: 'object' },
  'protobuf alone cannot be had': { accept: 'application/vnd.kubernetes.protobuf', want: nothing },
  'a page cannot be had': { accept: 'text/html', want: nothing },
  'the better liked comes first': {
    accept: 'application/json;q=0.5,application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io;q=0.9',
    want: 'partial',
  },
  'what is refused is not given': { accept: 'application/json;q=0', want: nothing },
  'what is not offered here is passed over': {
    accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json',
    want: 'object',
  },
}
for (const [name, { accept, want }] of Object.entries(rows)) {
  test(name, () => assert.equal(answer(accept), want))
}

function answer(accept: string | null): string {
  try {
    const { form, version, yaml } = negotiate(accept, { forms: ['table', 'partial'] })
    return `${form}${version === 'v1' ? '' : ` ${version}`}${yaml ? ' in YAML' : ''}`
  } catch (error) {
    assert.ok(isFault(error))
    return error.message
  }
}
