import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AIMServiceTemplate, type AIMServiceTemplateSpec } from '#api/aim-service-template.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import { specHash } from './spec-hash.ts'

const hashOf = (spec: Partial<AIMServiceTemplateSpec>, image = 'i:1', env: { name: string; value?: string }[] = []) =>
  specHash(
    {
      apiVersion: apiVersionOf(AIMServiceTemplate),
      kind: 'AIMServiceTemplate',
      metadata: { name: 't' },
      spec: { modelName: 'm', ...spec },
    },
    image,
    env,
  )

const base = hashOf({})
const changes: Record<string, string> = {
  '#55 another image': hashOf({}, 'i:2'),
  'another metric': hashOf({ metric: 'latency' }),
  'another precision': hashOf({ precision: 'fp8' }),
  'another profile': hashOf({ profileId: 'p' }),
  'other hardware': hashOf({ hardware: { gpu: { requests: 1, model: 'MI300X' } } }),
  'another environment': hashOf({}, 'i:1', [{ name: 'A', value: '1' }]),
}
for (const [name, hash] of Object.entries(changes)) {
  test(`${name} has the image asked anew`, () => assert.notEqual(hash, base))
}

test('what the pods run as does not', () => {
  assert.equal(hashOf({ serviceAccountName: 'a', resources: { limits: { cpu: '1' } } }), base)
})

test('the earlier spelling of the GPU means the same', () => {
  assert.equal(
    hashOf({ gpuSelector: { count: 2, model: 'MI300X' } }),
    hashOf({ hardware: { gpu: { requests: 2, model: 'MI300X' } } }),
  )
})
