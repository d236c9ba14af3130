import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readUpTo } from './read-up-to.ts'

const rows: Record<string, { chunks: number; want: { length: number; isWhole: boolean; left: boolean } }> = {
  nothing: { chunks: 0, want: { length: 0, isWhole: true, left: false } },
  'what fits': { chunks: 3, want: { length: 30, isWhole: true, left: false } },
  'more than fits': { chunks: 9, want: { length: 40, isWhole: false, left: true } },
}
for (const [name, { chunks: count, want }] of Object.entries(rows)) {
  test(`a stream of ${name} is read up to the limit`, async () => {
    let [chunks, left] = [count, false]
    const stream = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          if (chunks-- > 0) controller.enqueue(new Uint8Array(10))
          else controller.close()
        },
        cancel: () => void (left = true),
      },
      { highWaterMark: 0 },
    )
    const { bytes, isWhole } = await readUpTo(stream, 30)
    assert.deepEqual({ length: bytes.length, isWhole, left }, want)
  })
}
