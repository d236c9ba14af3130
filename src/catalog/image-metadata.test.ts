import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readImageMetadata, type ReadLabels } from './image-metadata.ts'

const deployments = '[{"gpuModel": "MI300X", "gpuCount": 4}]'
const mi300x = { gpuModel: 'MI300X', gpuCount: 4 }
const aim = 'aim.eai.amd.com/'

const rows: Record<
  string,
  { labels: Record<string, string>; want: Partial<Omit<ReadLabels, 'metadata'>> & { model?: object; oci?: object } }
> = {
  'the documented labels': {
    labels: {
      [`${aim}model.recommended-deployments`]: deployments,
      [`${aim}model.name`]: 'meta-llama/Llama-3-8B',
      [`${aim}model.family`]: 'llama',
      'org.opencontainers.image.title': 'Llama 3',
      'org.opencontainers.image.licenses': 'llama3',
    },
    want: {
      model: { canonicalName: 'meta-llama/Llama-3-8B', family: 'llama', recommendedDeployments: [mi300x] },
      oci: { title: 'Llama 3', licenses: 'llama3' },
    },
  },
  'those of released images': {
    labels: {
      'com.amd.aim.model.canonicalName': 'a/b',
      'com.amd.aim.model.recommendedDeployments': deployments,
      'com.amd.aim.model.tags': 'chat, , code,',
      'com.amd.aim.hfToken.required': 'True',
      'com.amd.aim.title': 'B',
      'com.amd.aim.description.full': 'long',
      'com.amd.aim.release.notes': 'new',
    },
    want: {
      model: {
        canonicalName: 'a/b',
        title: 'B',
        descriptionFull: 'long',
        releaseNotes: 'new',
        tags: ['chat', 'code'],
        hfTokenRequired: true,
        recommendedDeployments: [mi300x],
      },
    },
  },
  'those of the first images': {
    labels: {
      'org.amd.silogen.model.canonicalName': 'a/b',
      'org.amd.silogen.model.deployments': deployments,
      'org.amd.silogen.hfToken.required': 'no',
    },
    want: { model: { canonicalName: 'a/b', recommendedDeployments: [mi300x] } },
  },
  'of several families the documented one counts, key by key': {
    labels: {
      [`${aim}model.canonicalName`]: 'seed/name',
      [`${aim}model.family`]: ' ',
      'com.amd.aim.model.canonicalName': 'amd/name',
      'com.amd.aim.model.family': 'amd',
      'org.amd.silogen.model.family': 'silogen',
      'org.amd.silogen.model.source': 'hub',
      [`${aim}model.recommended-deployments`]: deployments,
      'com.amd.aim.model.recommendedDeployments': 'not json',
    },
    want: { model: { canonicalName: 'seed/name', family: 'amd', source: 'hub', recommendedDeployments: [mi300x] } },
  },
  'a label that cannot be read leaves the others': {
    labels: { 'com.amd.aim.model.recommendedDeployments': 'not json', [`${aim}model.name`]: 'a/b' },
    want: {
      model: { canonicalName: 'a/b' },
      malformed:
        'label com.amd.aim.model.recommendedDeployments: it is no JSON array of objects, such as [{"gpuModel": "MI300X", "gpuCount": 4}]',
    },
  },
  'none at all': { labels: {}, want: {} },
  'an empty list': { labels: { [`${aim}model.recommended-deployments`]: '[]' }, want: {} },
  'the words that images had before OCI’s': {
    labels: {
      'org.label-schema.name': 'x',
      'org.label-schema.url': 'http://x',
      'org.label-schema.vcs-url': 'git',
      'org.label-schema.vcs-ref': 'abc',
      'org.label-schema.build-date': '2026',
      'org.label-schema.version': '1',
      'org.opencontainers.image.version': '2',
      [`${aim}model.recommended-deployments`]: deployments,
    },
    want: {
      model: { recommendedDeployments: [mi300x] },
      oci: { title: 'x', source: 'git', documentation: 'http://x', created: '2026', revision: 'abc', version: '2' },
    },
  },
}
for (const [name, { labels, want }] of Object.entries(rows)) {
  test(`image metadata: ${name}`, () => {
    const { metadata, ...rest } = readImageMetadata(labels)
    const { model = {}, oci = {}, ...others } = want
    assert.deepEqual(metadata, { model, oci, originalLabels: labels })
    assert.deepEqual(rest, { malformed: undefined, ignored: [], ...others })
  })
}

test('#68 image metadata: two megabytes of labels fit into a status, the small ones as they are', () => {
  const large = Object.fromEntries(
    Array.from({ length: 20 }, (_, index) => [`large-${index}`, 'x'.repeat(100_000 + index)]),
  )
  const { metadata } = readImageMetadata({ ...large, small: 'kept', [`${aim}description.full`]: 'y'.repeat(100_000) })
  assert.equal(metadata.originalLabels?.['small'], 'kept')
  assert.equal(metadata.originalLabels?.['large-19'], '<truncated 100019 bytes>')
  assert.ok(Buffer.byteLength(JSON.stringify(metadata)) < 200_000)
})

test('image metadata: a hundred thousand labels fit too', () => {
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`label-${index}`, '']))
  assert.ok(JSON.stringify(readImageMetadata(many).metadata).length < 300_000)
})
