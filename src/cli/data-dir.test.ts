import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isFault } from '#base/fault.ts'
import { claimDataDir } from './data-dir.ts'

const rows: Record<string, { has: readonly string[]; mode: number; want: number | RegExp }> = {
  'an empty directory is taken and closed': { has: [], mode: 0o755, want: 0o700 },
  'one of ours is taken, whatever was put beside': { has: ['identity.json', 'notes'], mode: 0o755, want: 0o700 },
  'one of a start that did not come far is taken': { has: ['fairlead.log'], mode: 0o700, want: 0o700 },
  'a directory of something else is refused and keeps its rights': {
    has: ['photos'],
    mode: 0o755,
    want: /cannot use .*: it holds photos, which is not ours; name another directory with --data-dir/,
  },
}
for (const [name, { has, mode, want }] of Object.entries(rows)) {
  test(name, (t) => {
    const dir = join(mkdtempSync(join(tmpdir(), 'fairlead-')), 'data')
    t.after(() => rmSync(join(dir, '..'), { recursive: true }))
    mkdirSync(dir)
    for (const file of has) writeFileSync(join(dir, file), '')
    chmodSync(dir, mode)
    if (typeof want === 'number') assert.equal(claimDataDir(dir), dir)
    else
      assert.throws(
        () => claimDataDir(dir),
        (error) => isFault(error, 'invalid') && want.test(error.message),
      )
    assert.equal(statSync(dir).mode & 0o777, typeof want === 'number' ? want : mode)
  })
}

test('a directory that is not there is made', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'fairlead-'))
  t.after(() => rmSync(root, { recursive: true }))
  assert.equal(statSync(claimDataDir(join(root, 'a', 'b'))).mode & 0o777, 0o700)
})
