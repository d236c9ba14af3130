import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silentLog } from './log.ts'

test('a silent log takes everything and says nothing', (t) => {
  const writes = [t.mock.method(process.stdout, 'write'), t.mock.method(process.stderr, 'write')]
  const log = silentLog.with({ pod: 'a' }).with({})
  for (const level of ['debug', 'info', 'warn', 'error'] as const) log[level]('message', { fact: 1 })
  assert.deepEqual(
    writes.map((write) => write.mock.callCount()),
    [0, 0],
  )
})
