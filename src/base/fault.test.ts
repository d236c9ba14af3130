import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, faultKinds, isFault, messageOf } from './fault.ts'

test('a fault carries what each edge needs', () => {
  const cause = new Error('ECONNREFUSED')
  const details = { kind: 'Status' }
  const fault = new Fault('unavailable', 'ServerGone', 'the server went away', { cause, details, retryAfterMs: 500 })
  assert.ok(fault instanceof Error)
  assert.deepEqual(
    [fault.name, fault.kind, fault.code, fault.message, fault.retryAfterMs],
    ['Fault', 'unavailable', 'ServerGone', 'the server went away', 500],
  )
  assert.equal(fault.cause, cause)
  assert.equal(fault.details, details)
})

test('a fault without more to say says no more', () => {
  const fault = new Fault('missing', 'NotFound', 'no such pod')
  assert.deepEqual([fault.retryAfterMs, fault.details, 'cause' in fault], [undefined, undefined, false])
})

for (const kind of faultKinds) {
  test(`a fault is told by its kind: ${kind}`, () => {
    const fault: unknown = new Fault(kind, 'Code', 'message')
    assert.ok(isFault(fault))
    assert.deepEqual(
      faultKinds.filter((each) => isFault(fault, each)),
      [kind],
    )
  })
}

const strangers: Record<string, unknown> = {
  'an error': new Error('x'),
  'what looks like a fault': { name: 'Fault', kind: 'invalid', code: 'Code', message: 'x' },
  nothing: undefined,
}
for (const [name, value] of Object.entries(strangers))
  test(`${name} is no fault`, () => assert.equal(isFault(value), false))

const messages: Record<string, { thrown: unknown; want: string }> = {
  'of an error its message, not its stack': { thrown: new TypeError('bad'), want: 'bad' },
  'of a text the text': { thrown: 'bad', want: 'bad' },
  'of nothing that': { thrown: undefined, want: 'undefined' },
}
for (const [name, { thrown, want }] of Object.entries(messages)) {
  test(`the message is ${name}`, () => assert.equal(messageOf(thrown), want))
}
