import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { renderWhy } from './why.ts'

const nowMs = Date.parse('2030-01-01T00:10:00Z')

function binding(status: AutoscalingPolicyBinding['status']): AutoscalingPolicyBinding {
  return {
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'AutoscalingPolicyBinding',
    metadata: { name: 'chat' },
    spec: { policyRef: { name: 'chat' } },
    ...(status !== undefined && { status }),
  }
}

test('the latest decision in full, and those before it', () => {
  const lines = renderWhy(
    binding({
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Reconciled', message: '', lastTransitionTime: '' },
        {
          type: 'ScalingActive',
          status: 'True',
          reason: 'MetricsPartial',
          message: 'chat: pod b',
          lastTransitionTime: '',
        },
      ],
      decisions: [
        {
          time: '2030-01-01T00:08:00Z',
          pool: 'chat',
          current: 1,
          recommended: 9,
          stabilized: 9,
          limited: 5,
          desired: 5,
          mode: 'Stable',
          rule: 'ScaleUpLimited',
          message: '9 are asked for, and the pace of scaling up allows 5',
          metrics: [
            { name: 'load', value: '90', target: '10', proposal: 9 },
            { name: 'latency', target: '2', note: 'pod a: status 503' },
          ],
        },
        {
          time: '2030-01-01T00:01:00Z',
          pool: 'chat',
          current: 2,
          stabilized: 1,
          limited: 1,
          desired: 1,
          mode: 'Stable',
          rule: 'Load',
          message: 'load is 1',
        },
      ],
    }),
    nowMs,
  )
  assert.equal(
    lines.join('\n'),
    `AutoscalingPolicyBinding/chat

  why 5 of chat, for 2m: ScaleUpLimited
    9 are asked for, and the pace of scaling up allows 5

    load: 90 of 10, asks for 9
    latency: unknown of 2, asks for nothing known (pod a: status 503)
    there were ......... 1
    asked for .......... 9
    after the window ... 9
    after the pace ..... 5
    decided ............ 5

    before that
    9m     2 → 1  load is 1
  ScalingActive=True  MetricsPartial: chat: pod b`,
  )
})

test('before the first look it says so', () => {
  assert.deepEqual(renderWhy(binding(undefined), nowMs), ['AutoscalingPolicyBinding/chat', '  nothing was decided yet'])
})
