import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { HostGates } from './gate.ts'

const { signal } = new AbortController()

/** Work that says when it began, and ends when told to. */
function worker(gates: HostGates) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const start = (name: string, host: string, until = signal): Promise<void> =>
    gates.run(host, until, () => {
      begun.push(name)
      return new Promise<void>((resolve) => ends.set(name, resolve))
    })
  return { begun, start, end: (name: string) => ends.get(name)?.() }
}

test('so many at once for a host, and for all hosts', async () => {
  const { begun, start, end } = worker(new HostGates({ all: 3, perHost: 2 }))
  void start('a1', 'a')
  void start('a2', 'a')
  void start('a3', 'a')
  void start('b1', 'b')
  void start('c1', 'c')
  await turn()
  assert.deepEqual(begun, ['a1', 'a2', 'b1'])
  end('b1')
  await turn()
  assert.deepEqual(begun.slice(3), ['c1'])
  end('a1')
  await turn()
  assert.deepEqual(begun.slice(4), ['a3'])
})

test('who gives up while waiting takes nobody’s turn', async () => {
  const { begun, start, end } = worker(new HostGates({ all: 1, perHost: 1 }))
  const impatient = new AbortController()
  void start('first', 'a')
  const given = start('second', 'a', impatient.signal)
  const elsewhere = start('third', 'b', impatient.signal)
  void start('fourth', 'a')
  impatient.abort(new Error('enough'))
  await assert.rejects(given, { message: 'enough' })
  await assert.rejects(elsewhere, { message: 'enough' })
  end('first')
  await turn()
  assert.deepEqual(begun, ['first', 'fourth'])
})

test('work that fails lets the next one in', async () => {
  const gates = new HostGates({ all: 1, perHost: 1 })
  await assert.rejects(
    gates.run('a', signal, () => Promise.reject(new Error('broken'))),
    { message: 'broken' },
  )
  assert.equal(await gates.run('a', signal, () => Promise.resolve('done')), 'done')
})
