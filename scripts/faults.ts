/**
 * Injects every fault of `test/fault-table.ts` into a cluster in this process, mends it, and prints what the ModelBooster
 * told of it and when, as a Markdown table. `--write` puts the table into docs/troubleshooting.md.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ModelBooster } from '#api/model-booster.ts'
import { faults, inject, type Told, worldOptions } from '../test/fault-table.ts'
import { startWorld } from '../test/world.ts'

const docs = join(import.meta.dirname, '../docs/troubleshooting.md')
const marks = ['<!-- faults: written by `npm run faults -- --write` -->', '<!-- faults end -->'] as const

const stops: (() => unknown)[] = []
const world = await startWorld({ after: (stop) => void stops.push(stop as () => unknown) }, worldOptions)
const rows: string[] = []
try {
  for (const [i, fault] of Object.keys(faults).entries()) {
    try {
      rows.push(rowOf(await inject(world, fault, `f${i}`)))
    } catch (error) {
      process.exitCode = 1
      rows.push(`| ${fault} | | **not told**: ${(error as Error).message} | | |`)
    }
    await world.client.delete(ModelBooster, { namespace: 'default', name: `f${i}` })
  }
} finally {
  for (const stop of stops.toReversed()) await stop()
}
const table = ['| fault | condition | message | told after | cleared after |', '|---|---|---|---:|---:|', ...rows].join(
  '\n',
)
console.log(table)
if (process.argv.includes('--write') && process.exitCode === undefined) {
  const [before = '', rest = ''] = readFileSync(docs, 'utf8').split(marks[0])
  writeFileSync(docs, `${before}${marks[0]}\n\n${table}\n\n${marks[1]}${rest.split(marks[1])[1] ?? ''}`)
}

function rowOf({ fault, condition, message, toldMs, clearedMs }: Told): string {
  const cell = (text: string) => text.replaceAll('|', String.raw`\|`).replaceAll(/\s+/g, ' ')
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  return `| ${fault} | \`${condition}\` | \`${cell(message)}\` | ${seconds(toldMs)} | ${seconds(clearedMs)} |`
}
