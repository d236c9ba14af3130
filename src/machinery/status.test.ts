import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { FieldError } from './field-error.ts'
import {
  alreadyExists,
  badRequest,
  conflict,
  expired,
  faultOfStatus,
  forbidden,
  invalid,
  notFound,
  statusOf,
  unauthorized,
  unsupportedMediaType,
} from './status.ts'

const boosters = { group: 'workload.serving.volcano.sh', plural: 'modelboosters', kind: 'ModelBooster' }
const pods = { group: '', plural: 'pods', kind: 'Pod' }
const required: FieldError = { field: 'spec.a', type: 'FieldValueRequired', detail: '' }
const wrong: FieldError = { field: 'spec.b', type: 'FieldValueInvalid', value: 3, detail: 'must be 4' }

const cases: Record<string, { fault: Fault; code: number; reason: string; kind: string; message: string }> = {
  'an absent object': {
    fault: notFound(boosters, 'x'),
    code: 404,
    reason: 'NotFound',
    kind: 'missing',
    message: 'modelboosters.workload.serving.volcano.sh "x" not found',
  },
  'a core object that exists': {
    fault: alreadyExists(pods, 'x'),
    code: 409,
    reason: 'AlreadyExists',
    kind: 'conflict',
    message: 'pods "x" already exists',
  },
  'a lost race': {
    fault: conflict(boosters, 'x'),
    code: 409,
    reason: 'Conflict',
    kind: 'conflict',
    message:
      'Operation cannot be fulfilled on modelboosters.workload.serving.volcano.sh "x": the object has been modified; please apply your changes to the latest version and try again',
  },
  'one wrong field': {
    fault: invalid(boosters, 'x', [required]),
    code: 422,
    reason: 'Invalid',
    kind: 'invalid',
    message: 'ModelBooster.workload.serving.volcano.sh "x" is invalid: spec.a: Required value',
  },
  'several wrong fields, each once': {
    fault: invalid(pods, 'x', [required, wrong, wrong]),
    code: 422,
    reason: 'Invalid',
    kind: 'invalid',
    message: 'Pod "x" is invalid: [spec.a: Required value, spec.b: Invalid value: 3: must be 4]',
  },
  'a request that cannot be read': {
    fault: badRequest('no'),
    code: 400,
    reason: 'BadRequest',
    kind: 'invalid',
    message: 'no',
  },
  'an old version': { fault: expired('too old'), code: 410, reason: 'Expired', kind: 'missing', message: 'too old' },
  'a missing right': {
    fault: forbidden(pods, 'x', 'because'),
    code: 403,
    reason: 'Forbidden',
    kind: 'denied',
    message: 'pods "x" is forbidden: because',
  },
  'no credentials': {
    fault: unauthorized(),
    code: 401,
    reason: 'Unauthorized',
    kind: 'denied',
    message: 'Unauthorized',
  },
  'an unknown encoding': {
    fault: unsupportedMediaType('not this'),
    code: 415,
    reason: 'UnsupportedMediaType',
    kind: 'invalid',
    message: 'not this',
  },
}
for (const [name, { fault, code, reason, kind, message }] of Object.entries(cases)) {
  test(`${name} is told in Kubernetes' words, and survives the way to the client`, () => {
    const status = statusOf(fault)
    assert.deepEqual([status.code, status.reason, status.message], [code, reason, message])
    const received = faultOfStatus(JSON.parse(JSON.stringify(status)))
    assert.deepEqual([received.kind, received.code, received.message], [kind, reason, message])
    assert.deepEqual(statusOf(received), status)
  })
}

test('an invalid object lists a cause for each field', () => {
  assert.deepEqual(statusOf(invalid(boosters, 'x', [wrong])).details, {
    name: 'x',
    group: 'workload.serving.volcano.sh',
    kind: 'ModelBooster',
    causes: [{ reason: 'FieldValueInvalid', message: 'Invalid value: 3: must be 4', field: 'spec.b' }],
  })
})

test('a fault without a Status is answered by its kind', () => {
  const codes = (['invalid', 'missing', 'denied', 'conflict', 'exhausted', 'unavailable'] as const).map(
    (kind) => statusOf(new Fault(kind, 'Some', 'text')).code,
  )
  assert.deepEqual(codes, [422, 404, 403, 409, 429, 503])
})

test('how long to wait goes both ways, in whole seconds', () => {
  const status = statusOf(new Fault('exhausted', 'QueueFull', 'full', { retryAfterMs: 1200 }))
  assert.equal(status.details?.retryAfterSeconds, 2)
  assert.equal(faultOfStatus(status).retryAfterMs, 2000)
})

test('of a bug nothing inside is shown', () => {
  for (const thrown of [new Error('password=1'), 'password=1', undefined]) {
    const status = statusOf(thrown)
    assert.equal(status.code, 500)
    assert.doesNotMatch(JSON.stringify(status), /password/)
  }
})
