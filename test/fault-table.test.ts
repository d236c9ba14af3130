/** Every fault that we can inject is told by the ModelBooster within 5 s, and no longer 5 s after its mend. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { ModelBooster } from '#api/model-booster.ts'
import { modelBooster } from './builders.ts'
import { faults, inject, worldOptions } from './fault-table.ts'
import { startWorld } from './world.ts'

const withinMs = 5_000
const atOnce = 4

test('each fault of the table is told in time, clears in time, and costs the others nothing', async (t) => {
  const world = await startWorld(t, worldOptions)
  await world.apply(modelBooster('good'))
  await world.condition(ModelBooster, 'good', 'Active')
  const before = await world.client.get(ModelBooster, { namespace: 'default', name: 'good' })
  const names = Object.keys(faults)
  assert.ok(names.length >= 20)
  for (let at = 0; at < names.length; at += atOnce) {
    const batch = names.slice(at, at + atOnce)
    const told = await Promise.all(batch.map((fault, i) => inject(world, fault, `f${at + i}`)))
    for (const { fault, message, toldMs, clearedMs } of told) {
      t.diagnostic(`${fault}: told in ${Math.round(toldMs)} ms, cleared in ${Math.round(clearedMs)} ms: ${message}`)
      assert.ok(toldMs < withinMs, `${fault} was told after ${toldMs} ms`)
      assert.ok(clearedMs < withinMs, `${fault} was told for ${clearedMs} ms after its mend`)
    }
    for (const i of batch.keys()) await world.client.delete(ModelBooster, { namespace: 'default', name: `f${at + i}` })
  }
  const after = await world.client.get(ModelBooster, { namespace: 'default', name: 'good' })
  assert.equal(after.metadata.resourceVersion, before.metadata.resourceVersion)
})

test('the documentation has each of them; `npm run faults -- --write` puts it there', () => {
  const docs = readFileSync(new URL('../docs/troubleshooting.md', import.meta.url), 'utf8')
  const written = [...docs.matchAll(/^\| (.+?) \| `\w+=\w+ \w+` \|/gm)].map(([, fault]) => fault)
  assert.deepEqual(written, Object.keys(faults))
})
