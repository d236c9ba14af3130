import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeManifest } from './manifest.ts'

const digest = `sha256:${'0a'.repeat(32)}`
const index = 'application/vnd.oci.image.index.v1+json'
const image = 'application/vnd.oci.image.manifest.v1+json'
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json'

const rows: Record<string, { document: object; sentAs?: string; want: string }> = {
  'the type it was sent as': { document: { config: { digest } }, sentAs: image, want: `image ${image}` },
  'with a charset': { document: { config: { digest } }, sentAs: `${image}; charset=utf-8`, want: `image ${image}` },
  'its own word, sent as JSON': {
    document: { mediaType: dockerList, manifests: [] },
    sentAs: 'application/json',
    want: `index ${dockerList}`,
  },
  'its form, where nobody says': { document: { manifests: [] }, want: `index ${index}` },
  'the form of an image': { document: { config: { digest } }, sentAs: 'text/plain', want: `image ${image}` },
}
for (const [name, { document, sentAs, want }] of Object.entries(rows)) {
  test(`a manifest is told by ${name}`, () => {
    const manifest = decodeManifest(Buffer.from(JSON.stringify(document)), sentAs)
    assert.equal(`${manifest?.form} ${manifest?.mediaType}`, want)
  })
}

for (const [name, document] of Object.entries({
  'without a configuration': { mediaType: image },
  'with a digest that is none': { mediaType: image, config: { digest: '../../../token' } },
  'of something else': { mediaType: 'application/vnd.example+json' },
})) {
  test(`a manifest ${name} holds no image`, () => {
    assert.throws(() => decodeManifest(Buffer.from(JSON.stringify(document)), undefined), { code: 'UnsupportedImage' })
  })
}
