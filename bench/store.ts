/**
 * Committed writes of the store alone, on disk with full durability: one writer that waits for each, and many at once.
 *
 * `node bench/store.ts [--runs 3]`
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { openStore } from '#embedded/store/store.ts'
import { printTable, type Row } from './measure.ts'

const { values: options } = parseArgs({ options: { runs: { type: 'string', default: '3' } } })
const text = JSON.stringify({ spec: { filler: 'x'.repeat(2_000) } })
const keys = 1_000
const longestMs = 2_000

const rows: Row[] = []
for (const writers of [1, 4, 16, 64]) {
  const values: number[] = []
  for (let run = 0; run < Number(options.runs); run++) values.push(await writesPerSecond(writers))
  rows.push({ what: `${writers} at once`, unit: 'writes/s', values })
}
printTable('Committed writes of 2 KB', rows)

async function writesPerSecond(writers: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'fairlead-bench-'))
  try {
    await using store = openStore({ path: join(folder, 'store.db') })
    const startMs = performance.now()
    let written = 0
    const writer = async (): Promise<void> => {
      while (performance.now() - startMs < longestMs) {
        const name = `key-${written++ % keys}`
        await store.put({ resource: 'things', namespace: 'default', name }, () => text)
      }
    }
    await Promise.all(Array.from({ length: writers }, writer))
    return (written * 1000) / (performance.now() - startMs)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
