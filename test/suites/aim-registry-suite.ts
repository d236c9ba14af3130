import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AIMModel } from '#api/aim-model.ts'
import { aimModel, becomes, dockerConfigType, gpuNode, secret } from '../aim.ts'
import type { TestImage } from '../images.ts'
import type { TestRegistry, TestRegistryOptions } from '../registry.ts'
import { startWorld } from '../world.ts'

interface Row {
  readonly auth?: 'basic' | 'token'
  /** Pushed as `amd/x:1`. */
  readonly image?: TestImage
  readonly tag?: string
  /** Passwords in the model's pull secrets; undefined for a secret that is not there. */
  readonly secrets?: readonly (string | undefined)[]
  readonly want: Parameters<typeof becomes>[3]
  /** In the message of `MetadataExtracted`. */
  readonly says?: RegExp
}

const labels = {
  'aim.eai.amd.com/model.name': 'meta-llama/Llama-3-8B',
  'aim.eai.amd.com/model.recommended-deployments': '[{"gpuModel": "MI300X", "gpuCount": 4}]',
}

const read = { status: 'Ready', conditions: { MetadataExtracted: 'True/MetadataExtracted' } }

const rows: Record<string, Row> = {
  'a public image': { want: read },
  'an index': { image: { images: [{ platform: 'linux/arm64' }, { labels }] }, want: read },
  'an image in Docker’s form': { image: { mediaTypes: 'docker', labels }, want: read },
  'an image without labels': {
    image: { labels: {} },
    want: read,
    says: /no label aim\.eai\.amd\.com\/model\.recommended-/,
  },
  'a tag that is missing': {
    tag: '2',
    want: {
      status: 'Failed',
      reason: 'ReferenceNotFound',
      conditions: { MetadataExtracted: 'False/ImageNotFound', ConfigValid: 'False/ReferenceNotFound' },
    },
    says: /amd\/x:2: .* answered 404 MANIFEST_UNKNOWN/,
  },
  'a label that cannot be read': {
    image: { labels: { ...labels, 'aim.eai.amd.com/model.recommended-deployments': 'not json' } },
    want: {
      status: 'Failed',
      reason: 'InvalidSpec',
      conditions: { MetadataExtracted: 'False/MetadataFormatError', ConfigValid: 'False/InvalidSpec' },
    },
    says: /label aim\.eai\.amd\.com\/model\.recommended-deployments: it is no JSON array of objects/,
  },
  'an index for other systems': {
    image: { images: [{ platform: 'windows/amd64' }] },
    want: { status: 'Failed', conditions: { MetadataExtracted: 'False/PlatformNotFound' } },
    says: /only for: windows\/amd64/,
  },
  'a configuration that is too large': {
    image: { config: JSON.stringify({ config: { Labels: { a: 'x'.repeat(8 << 20) } } }) },
    want: { status: 'Failed', conditions: { MetadataExtracted: 'False/UnsupportedImage' } },
    says: /more than the 8 MiB that we look at/,
  },
}
const refused = {
  status: 'Failed',
  reason: 'AuthError',
  conditions: { MetadataExtracted: 'False/ImagePullAuthFailure', AuthValid: 'False/AuthError' },
}
for (const auth of ['basic', 'token'] as const) {
  Object.assign(rows, {
    [`a private image, ${auth}, with the right secret`]: { auth, secrets: ['secret'], want: read },
    [`a private image, ${auth}, with a second secret that is right`]: {
      auth,
      secrets: ['wrong', 'secret'],
      want: read,
    },
    [`a private image, ${auth}, with a wrong secret`]: {
      auth,
      secrets: ['wrong'],
      want: refused,
      says: /answered 401.*refused the credentials in \S+\/pull-0; correct them/,
    },
    [`a private image, ${auth}, without a secret`]: {
      auth,
      want: refused,
      says: /no pull secret with credentials was named; name one in/,
    },
    [`a private image, ${auth}, with a secret that is not there`]: {
      auth,
      secrets: [undefined],
      want: {
        status: 'Failed',
        reason: 'ReferenceNotFound',
        conditions: { MetadataExtracted: 'False/SecretNotFound', ConfigValid: 'False/ReferenceNotFound' },
      },
      says: /Secret pull-0 of imagePullSecrets is not in namespace/,
    },
  } satisfies Record<string, Row>)
}

/** What a model tells of an image in a registry of this kind; and that a secret heals what the lack of it broke. */
export function aimRegistrySuite(name: string, start: (options: TestRegistryOptions) => Promise<TestRegistry>): void {
  test(`models of images in ${name}`, async (t) => {
    const world = await startWorld(t, { nodes: [gpuNode('a', '74a1')] })
    const registries = new Map<string, TestRegistry>()
    t.after(async () => {
      for (const registry of registries.values()) await registry[Symbol.asyncDispose]()
    })
    for (const [at, [what, row]] of Object.entries(rows).entries()) {
      await t.test(what, async () => {
        const { auth = 'none', image = { labels }, tag = '1', secrets = [], want, says = /./ } = row
        const registry = registries.get(auth) ?? (await start({ auth }))
        registries.set(auth, registry)
        await registry.push(`${at}/amd/x:1`, image)
        const namespace = `row-${at}`
        await world.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
        const pull = (index: number, password: string) =>
          world.apply(
            secret(`pull-${index}`, registry.dockerConfig('alice', password), { namespace, type: dockerConfigType }),
          )
        for (const [index, password] of secrets.entries()) if (password !== undefined) await pull(index, password)
        const imagePullSecrets = secrets.map((_, index) => ({ name: `pull-${index}` }))
        const spec = { image: `${registry.host}/${at}/amd/x:${tag}`, imagePullSecrets }
        await world.apply(aimModel('m', spec, { namespace }))
        const told = await becomes(world, AIMModel, { namespace, name: 'm' }, want)
        assert.match(told.message('MetadataExtracted'), says)
        assert.doesNotMatch(JSON.stringify(await world.find(AIMModel, { namespace, name: 'm' })), /alice/)
        if (secrets.length === 0 || want === read) return
        await pull(0, 'secret')
        await becomes(world, AIMModel, { namespace, name: 'm' }, read)
      })
    }
  })
}
