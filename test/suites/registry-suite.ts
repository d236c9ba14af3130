import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { type Credential, readPullSecrets } from '#oci/credentials.ts'
import { openRegistries } from '#oci/registries.ts'
import type { TestImage } from '../images.ts'
import type { TestRegistry, TestRegistryOptions } from '../registry.ts'

/** What any registry has to let us do. `name` stands in front of the tests' own. */
export function registrySuite(name: string, start: (options: TestRegistryOptions) => Promise<TestRegistry>): void {
  const registries = new Map<string, Promise<TestRegistry>>()
  after(async () => {
    for (const registry of registries.values()) await (await registry)[Symbol.asyncDispose]()
  })
  const running = (auth: 'none' | 'basic' | 'token'): Promise<TestRegistry> => {
    const registry = registries.get(auth) ?? start({ auth })
    registries.set(auth, registry)
    return registry
  }

  const rows: Record<string, Row> = {
    'a public image': { want: 'labels' },
    'an image by its digest': { asks: (host, digest) => `${host}/amd/x@${digest}`, want: 'labels' },
    'an image in Docker’s form': { image: { mediaTypes: 'docker' }, want: 'labels' },
    'scenario 13 an index in OCI’s form, with an attestation': {
      image: { images: [{ platform: 'unknown/unknown' }, { platform: 'linux/arm64' }, { labels }] },
      want: 'labels',
    },
    'a manifest list in Docker’s form': {
      image: {
        mediaTypes: 'docker',
        images: [
          { mediaTypes: 'docker', platform: 'linux/arm64' },
          { mediaTypes: 'docker', labels },
        ],
      },
      want: 'labels',
    },
    'scenario 13 an index without an image for Linux': {
      image: { images: [{ platform: 'windows/amd64' }] },
      want: /amd\/x:1: it has no image for Linux, only for: windows\/amd64/,
      wantCode: 'PlatformNotFound',
    },
    'a tag that is not there': {
      asks: (host) => `${host}/amd/x:2`,
      want: /amd\/x:2: 127\.0\.0\.1:\d+ answered 404 MANIFEST_UNKNOWN/,
      wantCode: 'ImageNotFound',
    },
    'a repository that is not there': {
      asks: (host) => `${host}/amd/y:1`,
      want: /amd\/y:1: .* answered 404/,
      wantCode: 'ImageNotFound',
    },
  }
  for (const auth of ['basic', 'token'] as const) {
    Object.assign(rows, {
      [`a private image, ${auth}, with the right secret`]: { auth, secrets: [['alice', 'secret']], want: 'labels' },
      [`a private image, ${auth}, with the second secret`]: {
        auth,
        secrets: [
          ['alice', 'wrong'],
          ['alice', 'secret'],
        ],
        want: 'labels',
      },
      [`a private image, ${auth}, with a wrong secret`]: {
        auth,
        secrets: [['alice', 'guess-42']],
        want: /amd\/x:1: .* answered 401[^:]*: it refused the credentials in ns\/secret-0; correct them/,
        wantCode: 'ImagePullAuthFailure',
      },
      [`a private image, ${auth}, without a secret`]: {
        auth,
        want: /amd\/x:1: .* answered 401[^:]*: the image is missing or not accessible .* imagePullSecrets/,
        wantCode: 'ImagePullAuthFailure',
      },
      [`a private image, ${auth}, by its digest, in an index`]: {
        auth,
        secrets: [['alice', 'secret']],
        image: { images: [{ labels }] },
        asks: (host: string, digest: string) => `${host}/amd/x@${digest}`,
        want: 'labels',
      },
    } satisfies Record<string, Row>)
  }

  for (const auth of ['none', 'basic', 'token'] as const) {
    test(`${name}: what it has, ${auth}`, async () => {
      const registry = await running(auth)
      for (const tag of ['1', '2', 'latest']) await registry.push(`listed/x:${tag}`, { labels })
      await using asked = openRegistries()
      const credentials = credentialsIn(registry, { user: 'alice', password: 'secret', index: 0 })
      const repository = { registry: registry.host, repository: 'listed/x' }
      const { names, isComplete } = await asked.tags(repository, { credentials, signal })
      assert.deepEqual([names.toSorted(), isComplete], [['1', '2', 'latest'], true])
      const listed = await asked.repositories(registry.host, 'listed', { credentials, signal })
      assert.deepEqual(listed, { names: ['listed/x'], isComplete: true })
      const all = await asked.repositories(registry.host, undefined, { credentials, signal })
      assert.ok(all.names.includes('listed/x'))
    })
  }

  for (const [what, row] of Object.entries(rows)) {
    test(`${name}: ${what}`, async () => {
      const { auth = 'none', image = {}, asks = (host) => `${host}/amd/x:1`, secrets = [], want, wantCode } = row
      const registry = await running(auth)
      const digest = await registry.push('amd/x:1', { labels, ...image })
      await using asked = openRegistries()
      const credentials = secrets.flatMap(([user, password], index) =>
        credentialsIn(registry, { user, password, index }),
      )
      const answer = asked.inspect(asks(registry.host, digest), { credentials, signal })
      if (typeof want === 'string') {
        const inspected = await answer
        assert.deepEqual(inspected.labels, labels)
        assert.deepEqual([inspected.digest, inspected.platform], [digest, 'linux/amd64'])
      } else {
        await assert.rejects(answer, { code: wantCode, message: want })
        await answer.catch((error: Error) => assert.doesNotMatch(error.message, /guess-42|alice/))
      }
    })
  }
}

interface Row {
  readonly auth?: 'basic' | 'token'
  readonly image?: TestImage
  readonly asks?: (host: string, digest: string) => string
  /** User and password of each. */
  readonly secrets?: readonly (readonly [user: string, password: string])[]
  readonly want: 'labels' | RegExp
  readonly wantCode?: string
}

const labels = { 'aim.eai.amd.com/model.name': 'llama', 'org.opencontainers.image.title': 'Llama' }
const signal = AbortSignal.timeout(20_000)

interface Identity {
  readonly user: string
  readonly password: string
  readonly index: number
}

function credentialsIn(registry: TestRegistry, { user, password, index }: Identity): readonly Credential[] {
  const type = 'kubernetes.io/dockerconfigjson'
  const data = registry.dockerConfig(user, password)
  return readPullSecrets([{ name: `secret-${index}`, namespace: 'ns', type, data }]).credentials
}
