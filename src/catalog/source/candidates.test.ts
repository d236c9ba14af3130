import assert from 'node:assert/strict'
import { test } from 'node:test'
import { candidatesOf } from './candidates.ts'
import { readFilters } from './filter.ts'
import type { FoundImage } from './search.ts'

const [filter] = readFilters({ registry: 'ghcr.io', filters: [{ image: '*' }], maxModels: 1, syncInterval: '1h' })
assert.ok(filter)

const image = (repository: string, tag: string, registry = 'ghcr.io'): FoundImage => ({
  registry,
  repository,
  tag,
  digest: undefined,
})
const found = (...images: FoundImage[]) => ({
  filter,
  images,
  problems: [],
  retryAfterMs: 0,
})

test('the name of a model is that which other operators give', () => {
  const [candidate] = candidatesOf([found(image('silogen/llama-3-8b', 'v1.2.0'))])
  assert.equal(candidate?.name, 'silogen-llama-3-8b-v1-2-0-ed2f74')
})

test('the newest come first, whoever found them, and each once', () => {
  const first = found(image('b', '1.0.0'), image('a', 'latest'), image('a', '1.0.0'), image('a', '1.10.0'))
  const second = found(image('a', '1.0.0'), image('c', 'v1.9.0'), image('a', '2.0.0-rc1'), image('b', 'edge'))
  const order = [first, second].map((one, index, all) => candidatesOf([one, ...all.filter((_, at) => at !== index)]))
  assert.deepEqual(
    order[0]?.map((candidate) => candidate.image),
    ['a:2.0.0-rc1', 'a:1.10.0', 'c:v1.9.0', 'a:1.0.0', 'b:1.0.0', 'b:edge', 'a:latest'].map(
      (each) => `ghcr.io/${each}`,
    ),
  )
  assert.deepEqual(order[0], order[1])
})

test('an image of Docker Hub is written as people write it', () => {
  const digest = `sha256:${'0a'.repeat(32)}`
  const images = [image('amd/x', '1.0.0', 'docker.io'), { ...image('amd/x', '', 'docker.io'), tag: undefined, digest }]
  assert.deepEqual(
    candidatesOf([found(...images)]).map((candidate) => candidate.image),
    ['amd/x:1.0.0', `amd/x@${digest}`],
  )
})
