import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFamiliarName } from '@swimlane/docker-reference'
import fc from 'fast-check'
import { canonicalReference, parseReference } from './reference.ts'

const digest = `sha256:${'0a'.repeat(32)}`

const canonical: Record<string, string> = {
  ubuntu: 'docker.io/library/ubuntu:latest',
  'ubuntu:24.04': 'docker.io/library/ubuntu:24.04',
  'amd/x:1': 'docker.io/amd/x:1',
  'docker.io/amd/x:1': 'docker.io/amd/x:1',
  'docker.io/ubuntu': 'docker.io/library/ubuntu:latest',
  'ghcr.io/amd/llama-3-8b:v1.0.0': 'ghcr.io/amd/llama-3-8b:v1.0.0',
  'registry.internal:5000/models/x': 'registry.internal:5000/models/x:latest',
  'localhost/x': 'localhost/x:latest',
  'localhost:5000/a/b/c:v1': 'localhost:5000/a/b/c:v1',
  '127.0.0.1:5000/x:1': '127.0.0.1:5000/x:1',
  [`ghcr.io/amd/x@${digest}`]: `ghcr.io/amd/x@${digest}`,
  [`amd/x:1@${digest}`]: `docker.io/amd/x@${digest}`,
  'a__b/c-d.e_f--g:T_1.-x': 'docker.io/a__b/c-d.e_f--g:T_1.-x',
}
for (const [text, want] of Object.entries(canonical)) {
  test(`${text} is ${want}`, () => {
    assert.equal(canonicalReference(parseReference(text)), want)
    // Another's reading of the same grammar: where there is a digest, it keeps a tag beside it.
    const other = parseFamiliarName(text)
    assert.equal(`${other.domain}/${other.repository}`, want.replace(/(?:@sha256)?:[^/:]*$/, ''))
    assert.deepEqual(
      [parseReference(text).tag, parseReference(text).digest],
      [other.tag ?? (other.digest === undefined ? 'latest' : undefined), other.digest],
    )
  })
}

test('Docker Hub and hosts in capitals are one host each', () => {
  for (const host of ['index.docker.io', 'registry-1.docker.io', 'Docker.io']) {
    assert.equal(canonicalReference(parseReference(`${host}/amd/x:1`)), 'docker.io/amd/x:1')
  }
  assert.equal(canonicalReference(parseReference('GHCR.io/amd/x:1')), 'ghcr.io/amd/x:1')
  assert.equal(canonicalReference(parseReference('[::1]:5000/x:1')), '[::1]:5000/x:1')
})

const wrong: Record<string, RegExp> = {
  '': /"" names no image: it has no repository/,
  'amd/x:': /the tag "" is not/,
  'amd/X:1': /the repository "amd\/X" must be in lower case/,
  'amd/x:1:2': /more than one tag/,
  'amd/x y': /"amd\/x y" is no repository/,
  'amd//x': /"amd\/\/x" is no repository/,
  'ghcr.io/': /it has no repository/,
  'amd/-x': /"amd\/-x" is no repository/,
  'ghcr.io:port/x': /"ghcr.io:port" is no host/,
  [`x@${digest.slice(0, -1)}`]: /the digest ".*" is not "sha256:" and 64/,
  'x@sha256:abc': /the digest "sha256:abc"/,
  [`x@${digest}@${digest}`]: /more than one "@"/,
  [`x:${'t'.repeat(129)}`]: /the tag/,
  'https://ghcr.io/amd/x:1': /no host|no repository|more than one tag/,
  [`ghcr.io/${'x'.repeat(256)}`]: /its repository is longer than 255 characters/,
  [`ghcr.io/${'x'.repeat(600)}`]: /longer than 512 characters/,
}
for (const [text, message] of Object.entries(wrong)) {
  test(`"${text.slice(0, 40)}" names no image`, () => {
    assert.throws(() => parseReference(text), { kind: 'invalid', code: 'InvalidImageReference', message })
    assert.throws(() => parseFamiliarName(text))
  })
}

/** Short ones: the other reading takes exponential time for some. */
const texts = fc
  .tuple(
    fc.constantFrom('', 'docker.io/', 'localhost/', 'r.io:5000/'),
    fc.array(fc.constantFrom('a', 'b', 'c', 'B', '0', '1', '.', '-', '--', '_', '__', '___', '/', ':', '@', ' ', '*'), {
      maxLength: 8,
    }),
    fc.constantFrom('', `@${digest}`),
  )
  .map(([registry, parts, version]) => `${registry}${parts.join('')}${version}`)

test('any text is an image to both or to neither', () => {
  let images = 0
  fc.assert(
    fc.property(texts, (text) => {
      const [ours, other] = [readBy(parseReference, text), readBy(parseFamiliarName, text)]
      assert.equal(ours === undefined, other === undefined, text)
      if (ours === undefined || other === undefined) return
      images++
      const { registry, repository } = ours
      assert.equal(`${registry}/${repository}`, `${other.domain?.toLowerCase()}/${other.repository}`, text)
    }),
    { numRuns: 3000, seed: 1 },
  )
  assert.ok(images > 100, String(images))
})

function readBy<T>(parse: (text: string) => T, text: string): T | undefined {
  try {
    return parse(text)
  } catch {
    return undefined
  }
}
