import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AimStatus } from '#api/aim-fields.ts'
import type { Condition } from '#machinery/meta.ts'
import { type Component, type Problem, rollUp } from './rollup.ts'

const nowMs = Date.parse('2026-01-01T00:00:00Z')
const part = (type: string, state: AimStatus, reason = `${state}Reason`): Component => ({
  type,
  state,
  reason,
  message: `${type} is ${state}`,
})
const problem = (category: Problem['category']): Problem => ({ category, message: `${category} trouble` })

function rolled(components: Component[], problems: Problem[] = [], conditions: Condition[] = []) {
  return rollUp({ components, problems }, { conditions, generation: 3, nowMs })
}

const rows: Record<string, { components: Component[]; problems?: Problem[]; status: AimStatus; reason: string }> = {
  'all ready': { components: [part('A', 'Ready'), part('B', 'Ready')], status: 'Ready', reason: 'AllComponentsReady' },
  'one that goes on': {
    components: [part('A', 'Ready'), part('B', 'Progressing')],
    status: 'Progressing',
    reason: 'Progressing',
  },
  '#61 what goes on is told as that in either scope': {
    components: [part('ClusterServiceTemplatesReady', 'Progressing')],
    status: 'Progressing',
    reason: 'Progressing',
  },
  'one that waits before one that goes on': {
    components: [part('A', 'Pending'), part('B', 'Progressing')],
    status: 'Pending',
    reason: 'Progressing',
  },
  'the worst, with its reason': {
    components: [part('A', 'Degraded'), part('B', 'NotAvailable', 'NoGpu')],
    status: 'NotAvailable',
    reason: 'NoGpu',
  },
  'failure before all': {
    components: [part('A', 'NotAvailable'), part('B', 'Failed', 'Broken')],
    status: 'Failed',
    reason: 'Broken',
  },
  'credentials before the spec': {
    components: [part('A', 'Ready')],
    problems: [problem('invalid'), problem('auth')],
    status: 'Failed',
    reason: 'AuthError',
  },
  'the spec before what is missing': {
    components: [],
    problems: [problem('reference'), problem('invalid')],
    status: 'Failed',
    reason: 'InvalidSpec',
  },
  'what is missing, though all parts are ready': {
    components: [part('A', 'Ready')],
    problems: [problem('reference')],
    status: 'Failed',
    reason: 'ReferenceNotFound',
  },
  'what may pass, as the part says': {
    components: [part('A', 'Progressing')],
    problems: [problem('infra')],
    status: 'Progressing',
    reason: 'InfrastructureError',
  },
}
for (const [name, { components, problems, status, reason }] of Object.entries(rows)) {
  test(`a whole is its parts: ${name}`, () => {
    const whole = rolled(components, problems)
    assert.equal(whole.status, status)
    const [ready] = whole.conditions
    assert.deepEqual([ready?.type, ready?.reason, ready?.observedGeneration], ['Ready', reason, 3])
  })
}

test('conditions about trouble come with it, and stay when it is over', () => {
  const typesOf = (conditions: Condition[]) => conditions.map(({ type, status }) => `${type}=${status}`)
  const before = rolled([part('A', 'Ready')])
  assert.deepEqual(typesOf(before.conditions), ['Ready=True', 'A=True'])
  const during = rolled([part('A', 'Ready')], [problem('auth'), problem('infra')], before.conditions)
  assert.deepEqual(typesOf(during.conditions), [
    'Ready=False',
    'A=True',
    'AuthValid=False',
    'DependenciesReachable=False',
  ])
  const after = rolled([part('A', 'Ready')], [], during.conditions)
  assert.deepEqual(typesOf(after.conditions), ['Ready=True', 'A=True', 'AuthValid=True', 'DependenciesReachable=True'])
})

test('what is not known now stays as it was told', () => {
  const before = rolled([part('A', 'Ready')], [problem('auth')])
  const parts = { components: [part('A', 'Progressing')], problems: [], undecided: ['auth'] as const }
  const during = rollUp(parts, { conditions: before.conditions, generation: 4, nowMs: nowMs + 60_000 })
  assert.equal(during.status, 'Progressing')
  const auth = during.conditions.find(({ type }) => type === 'AuthValid')
  assert.deepEqual([auth?.status, auth?.reason, auth?.observedGeneration], ['False', 'AuthError', 4])
})

test('#62 a part that is no more leaves no condition and counts no more', () => {
  const before = rolled([part('A', 'Ready'), part('GPUReady', 'NotAvailable')])
  const after = rolled([part('A', 'Ready')], [], before.conditions)
  assert.equal(after.status, 'Ready')
  assert.ok(!after.conditions.some(({ type }) => type === 'GPUReady'))
})

test('a time moves when the status flips, and not for other words', () => {
  const before = rolled([part('A', 'Progressing', 'One')])
  const laterMs = nowMs + 60_000
  const again = (component: Component) =>
    rollUp({ components: [component], problems: [] }, { conditions: before.conditions, generation: 4, nowMs: laterMs })
      .conditions[1]
  assert.equal(again(part('A', 'Progressing', 'Two'))?.lastTransitionTime, '2026-01-01T00:00:00Z')
  assert.equal(again(part('A', 'Ready'))?.lastTransitionTime, '2026-01-01T00:01:00Z')
})
