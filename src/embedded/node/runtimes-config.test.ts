import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultRuntimes, type RuntimesConfig, runtimeOf } from './runtimes-config.ts'

const byDefault: Record<string, 'simulated' | undefined> = {
  'vllm/vllm-openai:latest': 'simulated',
  'img/vllm-cpu:1': 'simulated',
  'lmsysorg/sglang:v0.5': 'simulated',
  'kthena/runtime:latest': 'simulated',
  'ghcr.io/volcano-sh/downloader:v1': 'simulated',
  'registry:5000/kthena/runtime@sha256:00': 'simulated',
  'postgres:17': undefined,
  'img:1': undefined,
}
for (const [image, want] of Object.entries(byDefault)) {
  test(`by default ${image} is ${want ?? 'nobody’s'}`, () => {
    assert.equal(runtimeOf(image, defaultRuntimes)?.runtime, want)
  })
}

test('the first entry that fits wins', () => {
  const config: RuntimesConfig = {
    runtimes: [
      { image: 'a/*-x:1*', runtime: 'process', command: ['run'], env: {}, volumes: {} },
      { image: 'a/*', runtime: 'simulated' },
    ],
  }
  assert.equal(runtimeOf('a/b-x:1.2', config)?.runtime, 'process')
  assert.equal(runtimeOf('a/b-x:2', config)?.runtime, 'simulated')
  assert.equal(runtimeOf('a', config), undefined)
})

test('a pod of the AIM catalog is simulated, whatever its image', () => {
  const labels = { 'aim.eai.amd.com/service': 'chat' }
  assert.equal(runtimeOf('ghcr.io/amd/llama:1', defaultRuntimes, labels)?.runtime, 'simulated')
  assert.equal(runtimeOf('ghcr.io/amd/llama:1', defaultRuntimes, { app: 'x' }), undefined)
})
