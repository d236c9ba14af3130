import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseAllDocuments } from 'yaml'
import { checkModelBooster, warnModelBooster } from '#api/model-booster-rules.ts'
import { kthena } from '#api/dialects.ts'
import { isBooster } from '#api/family-kinds.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { childrenOf, convert } from './convert.ts'

const examples = join(import.meta.dirname, '../../examples')

function boosterIn(file: string): AnyResource {
  const documents = parseAllDocuments(readFileSync(join(examples, file), 'utf8'), { version: '1.1' })
  const found = documents.map((one) => one.toJS() as AnyResource).find((one) => isBooster(one))
  assert.ok(found, `no model in ${file}`)
  return found
}

const files = ['model-booster', 'model'].flatMap((folder) =>
  readdirSync(join(examples, folder)).map((name) => `${folder}/${name}`),
)
for (const file of files.filter((name) => name.endsWith('.yaml'))) {
  test(`example ${file} is converted without an error or a warning`, () => {
    const booster = boosterIn(file)
    assert.deepEqual([...checkModelBooster(booster), ...warnModelBooster(booster)], [])
    assert.ok(convert(booster, kthena.images).ok)
  })
}

/** The five promised names, in both places of the policy. */
const both = ['test-model-backend1', 'test-model-backend2']
const promised: Record<string, { file: string; scaling: string[] }> = {
  'with the policy at the model': { file: 'model-booster/test-model-policy-of-model.yaml', scaling: ['test-model'] },
  'with policies at the backends': { file: 'model-booster/test-model-policy-of-backend.yaml', scaling: both },
}
for (const [name, { file, scaling }] of Object.entries(promised)) {
  test(`test-model has the promised names ${name}`, () => {
    const conversion = convert(boosterIn(file), kthena.images)
    assert.ok(conversion.ok)
    const names = Object.groupBy(childrenOf(conversion.desired), ({ kind }) => kind)
    assert.deepEqual(
      Object.entries(names).map(([kind, objects]) => [kind, objects?.map(({ metadata }) => metadata.name)]),
      [
        ['ModelServing', both],
        ['ModelServer', both],
        ['AutoscalingPolicy', scaling],
        ['ModelRoute', ['test-model']],
        ['AutoscalingPolicyBinding', scaling],
      ],
    )
  })
}
