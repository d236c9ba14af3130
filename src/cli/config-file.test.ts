import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { nodesIn } from './nodes-file.ts'
import { runtimesIn } from './runtimes-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'fairlead-test-'))
after(() => rmSync(folder, { recursive: true }))

function written(text: string): string {
  const file = join(folder, 'file.yaml')
  writeFileSync(file, text)
  return file
}

test('what a file about runtimes leaves out is added', () => {
  assert.deepEqual(runtimesIn(written('runtimes: [{image: a, runtime: process}]')), {
    runtimes: [{ image: 'a', runtime: 'process', env: {}, volumes: {} }],
  })
})

test('numbers of a node’s capacity become texts', () => {
  assert.deepEqual(nodesIn(written('nodes: [{name: a, capacity: {cpu: 4, memory: 8Gi}}]')), [
    { name: 'a', capacity: { cpu: '4', memory: '8Gi' } },
  ])
})

const wrong: Record<string, { read: (file: string) => unknown; text: string; code: string; want: RegExp }> = {
  'runtimes that there are not, and keys': {
    read: runtimesIn,
    text: 'runtimes: [{image: a, runtime: docker}, {image: b, runtime: process, comand: []}]',
    code: 'InvalidRuntimes',
    want: /file\.yaml: runtimes\.0\.runtime: .*; runtimes\.1: .*comand/,
  },
  'no nodes': { read: nodesIn, text: 'nodes: []', code: 'InvalidNodes', want: /file\.yaml: nodes: / },
  'a list': { read: nodesIn, text: '[]', code: 'InvalidNodes', want: /file\.yaml: file: / },
  'what is no YAML': { read: nodesIn, text: 'nodes: [', code: 'BadFile', want: /file\.yaml: / },
}
for (const [name, { read, text, code, want }] of Object.entries(wrong)) {
  test(`a file with ${name} is refused with its name and all that is wrong`, () => {
    assert.throws(() => read(written(text)), { kind: 'invalid', code, message: want })
  })
}
