/** The alerts that the pages propose are about metrics that there are. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createControllerMetrics } from '#controller/metrics.ts'
import { createMetrics } from '#router/metrics.ts'
import { emptySnapshot } from '#routing/snapshot.ts'
import { objectsOf, root } from './objects.ts'

interface Rule {
  readonly alert: string
  readonly expr: string
}

const page = readFileSync(join(root, 'docs/operations.md'), 'utf8')
const [, text = ''] = /```yaml\n(apiVersion: monitoring[^]*?)```/.exec(page) ?? []
const [example] = objectsOf(text)
const { groups } = example?.spec as { groups: { rules: Rule[] }[] }
const rules = groups.flatMap((group) => group.rules)

/** All series that both programs may have. */
async function seriesNames(): Promise<Set<string>> {
  const manager = createControllerMetrics({
    controllers: () => [],
    election: { name: 'fairlead-manager', leads: () => true },
    missing: () => [],
  })
  const texts = [
    await manager.render(),
    await createMetrics(() => emptySnapshot, { held: () => 0 }, false).registry.metrics(),
  ]
  return new Set(
    texts.flatMap((each) =>
      [...each.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type]) =>
        type === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => name + part) : [name],
      ),
    ),
  )
}

test('each alert is about series that there are', async () => {
  const series = await seriesNames()
  assert.ok(rules.length >= 6)
  for (const { alert, expr } of rules) {
    const asked = [...expr.matchAll(/\b(?:leader|controller|workqueue|kthena|fairlead)_\w+/g)].map(([name]) => name)
    assert.ok(asked.length > 0, alert)
    for (const name of asked) assert.ok(series.has(name), `${alert}: ${name}`)
  }
})
