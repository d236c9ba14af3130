import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Kind } from '#machinery/kind.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import { ownKinds } from './kinds.ts'
import { rows } from './kinds.testkit.ts'

const byName = new Map<string, Kind>(ownKinds.map((kind) => [kind.kind, kind]))

for (const { name, kind: kindName, spec, old, metadata, want } of rows) {
  test(`${kindName}: ${name}`, () => {
    const kind = byName.get(kindName)
    assert.ok(kind)
    const schema = compileSchema(kind.schema())
    const object = (spec: unknown): AnyResource =>
      schema.default({
        apiVersion: apiVersionOf(kind),
        kind: kindName,
        metadata: { name: 'chat', namespace: 'default', ...metadata },
        spec: spec as Record<string, unknown>,
      })
    const errors = schema
      .validate(object(spec), old === undefined ? undefined : object(old))
      .filter(({ field }) => field !== '<nil>') // that rules were not tried, beside an error of the schema's
    assert.deepEqual(
      errors
        .map(({ field, detail }) => `${field}: ${detail}`)
        .filter((text) => !want.some((wanted) => wanted.test(text))),
      [],
      'an error that was not expected',
    )
    for (const wanted of want) {
      assert.ok(
        errors.some(({ field, detail }) => wanted.test(`${field}: ${detail}`)),
        `nothing like ${wanted} among ${JSON.stringify(errors)}`,
      )
    }
  })
}
