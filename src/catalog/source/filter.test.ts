import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModelFilter } from '#api/aim-cluster-model-source.ts'
import { isExact, ownerIn, readFilters, takesRepository, takesTag } from './filter.ts'

const digest = `sha256:${'0a'.repeat(32)}`

function read(filter: ModelFilter, spec: { registry?: string; versions?: string[] } = {}) {
  const { registry = 'docker.io', versions } = spec
  const [first] = readFilters({
    registry,
    syncInterval: '1h',
    maxModels: 100,
    filters: [filter],
    ...(versions && { versions }),
  })
  assert.ok(first)
  return first
}

const rows: Record<string, { image: string; registry?: string; want: string }> = {
  'a repository of Docker Hub': { image: 'amd/x', want: 'docker.io amd/x' },
  'an official one': { image: 'ubuntu', want: 'docker.io library/ubuntu' },
  'official ones': { image: 'ubu*', want: 'docker.io library/ubu*' },
  'with a tag': { image: 'amd/x:1.0', want: 'docker.io amd/x tag 1.0, exact' },
  'with some tags': { image: 'amd/x:1.*', want: 'docker.io amd/x tag 1.*' },
  'with a digest': { image: `amd/x@${digest}`, want: `docker.io amd/x digest ${digest}, exact` },
  'of a registry that it names': { image: 'ghcr.io/amd/aim-*', want: 'ghcr.io amd/aim-*' },
  'of the registry of the spec': { image: 'amd/x', registry: 'ghcr.io', want: 'ghcr.io amd/x' },
  'Docker Hub’s own name beats the registry of the spec': {
    image: 'docker.io/amd/x:1',
    registry: 'ghcr.io',
    want: 'docker.io amd/x tag 1, exact',
  },
  'a port is no tag': { image: 'registry.internal:5000/amd/x', want: 'registry.internal:5000 amd/x' },
  'a port and a tag': { image: 'amd/x:2', registry: 'localhost:5000', want: 'localhost:5000 amd/x tag 2, exact' },
  'one part elsewhere than at Docker Hub': { image: 'ghcr.io/x', want: 'ghcr.io x' },
  anything: { image: '*', registry: 'ghcr.io', want: 'ghcr.io *' },
}
for (const [name, { image, registry, want }] of Object.entries(rows)) {
  test(`a filter: ${name}`, () => {
    const filter = read({ image }, registry === undefined ? {} : { registry })
    const tag = filter.tag === undefined ? '' : ` tag ${filter.tag}`
    const byDigest = filter.digest === undefined ? '' : ` digest ${filter.digest}`
    assert.equal(`${filter.registry} ${filter.repository}${tag}${byDigest}${isExact(filter) ? ', exact' : ''}`, want)
  })
}

const wrong: Record<string, { filter: ModelFilter; registry?: string; want: RegExp }> = {
  'no repository': { filter: { image: 'amd/X' }, want: /^spec\.filters\[0\]: .*must be in lower case/ },
  'a registry with a star': {
    filter: { image: '*.io/x' },
    want: /the registry of "\*\.io\/x" must be named without "\*"/,
  },
  'a registry that is none': { filter: { image: 'x' }, registry: 'mine', want: /"mine\/x" names no registry/ },
  'no constraint': {
    filter: { image: 'x', versions: ['>=one'] },
    want: /^spec\.filters\[0\]: ">=one" is no version constraint; write such as/,
  },
  'an exclusion that is none': { filter: { image: 'x', exclude: ['a b'] }, want: /names no image/ },
}
for (const [name, { filter, registry, want }] of Object.entries(wrong)) {
  test(`a filter with ${name}`, () => {
    const reading = (): unknown => read(filter, registry === undefined ? {} : { registry })
    assert.throws(reading, { kind: 'invalid', message: want })
  })
}

test('which repositories a filter takes, and whose they are', () => {
  const filter = read({ image: 'amd/aim-*', exclude: ['amd/aim-base', 'docker.io/amd/aim-test'] })
  const names = ['amd/aim-x', 'amd/aim-x/y', 'amd/aim-base', 'amd/aim-base-2', 'amd/aim-test', 'amd/other']
  assert.deepEqual(
    names.filter((name) => takesRepository(filter, name)),
    ['amd/aim-x', 'amd/aim-x/y', 'amd/aim-base-2'],
  )
  assert.deepEqual(
    ['amd/aim-*', 'a*/x', 'ghcr.io/*', 'ghcr.io/x'].map((image) => ownerIn(read({ image }))),
    ['amd', undefined, undefined, undefined],
  )
})

const tags: Record<string, { filter?: Partial<ModelFilter>; versions?: string[]; want: string[] }> = {
  'all, but for signatures': { want: ['1.0.0', 'v1.2.3', '1.3.0', '1.2', 'latest', '2.0.0-rc1'] },
  'at least': { versions: ['>=1.2'], want: ['v1.2.3', '1.3.0', '2.0.0-rc1'] },
  '#73 a tilde': { versions: ['~1.2.0'], want: ['v1.2.3'] },
  '#73 a caret': { versions: ['^1.0.0'], want: ['1.0.0', 'v1.2.3', '1.3.0'] },
  'an x': { versions: ['1.x'], want: ['1.0.0', 'v1.2.3', '1.3.0'] },
  'both of two, with a comma, a blank, or as two': { versions: ['>=1.0.0, <1.3.0'], want: ['1.0.0', 'v1.2.3'] },
  'one of two': { versions: ['1.0.0 || 1.3.0'], want: ['1.0.0', '1.3.0'] },
  'all of a list': { versions: ['>=1.0.0', '<1.3.0'], want: ['1.0.0', 'v1.2.3'] },
  'a letter before it': { versions: ['v1.0.0'], want: ['1.0.0'] },
  'the filter’s own instead of the source’s': { filter: { versions: ['1.3.0'] }, versions: ['1.0.0'], want: ['1.3.0'] },
  'a tag, whatever the constraints': { filter: { image: 'x*:latest' }, versions: ['1.0.0'], want: ['latest'] },
}
for (const [name, { filter = {}, versions, want }] of Object.entries(tags)) {
  test(`which tags a filter takes: ${name}`, () => {
    const all = ['1.0.0', 'v1.2.3', '1.3.0', '1.2', 'latest', '2.0.0-rc1', `sha256-${'0a'.repeat(32)}.sig`]
    const taking = read({ image: 'x*', ...filter }, versions === undefined ? {} : { versions })
    assert.deepEqual(
      all.filter((tag) => takesTag(taking, tag)),
      want,
    )
  })
}

test('a version before its release is one after those before it', () => {
  assert.equal(takesTag(read({ image: 'x*' }, { versions: ['>=0.8.0'] }), '0.8.1-rc1'), true)
  assert.equal(takesTag(read({ image: 'x*' }, { versions: ['>=0.8.0'] }), '0.8.0-rc1'), false)
})
