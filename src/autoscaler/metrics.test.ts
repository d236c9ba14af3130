import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { decide } from './decide.ts'
import { createAutoscalerMetrics } from './metrics.ts'
import { facts, scalingTarget, spread } from './scaling.testkit.ts'

const subject = {
  apiVersion: 'v1',
  kind: 'AutoscalingPolicyBinding',
  metadata: { namespace: 'ml', name: 'chat', uid: '7' },
}

async function told(readings: Parameters<typeof facts>[1]): Promise<string> {
  const registry = new Registry()
  const { onDecision, onScrape } = createAutoscalerMetrics(registry)
  const input = { target: scalingTarget(), memories: {}, nowMs: 0, tickMs: 15_000, returning: true }
  for (const found of [facts(2, { load: spread(2, 60) }), facts(2, readings)]) {
    for (const decision of decide({ ...input, facts: { chat: found } }).decisions) onDecision(subject, decision)
  }
  onScrape({ ok: true, durationMs: 5 })
  return registry.metrics()
}

const labels = 'namespace="ml",kind="AutoscalingPolicyBinding",name="chat",pool="chat"'

test('decisions are told as metrics', async () => {
  const text = await told({ load: spread(2, 60) })
  for (const line of [
    `fairlead_autoscaler_current_replicas{${labels}} 2`,
    `fairlead_autoscaler_recommended_replicas{${labels}} 6`,
    `fairlead_autoscaler_desired_replicas{${labels}} 6`,
    `fairlead_autoscaler_metric_value{${labels},metric="load"} 30`,
    `fairlead_autoscaler_metric_target{${labels},metric="load"} 10`,
    'fairlead_autoscaler_decisions_total{rule="Load",direction="up"} 2',
    'fairlead_autoscaler_scrape_duration_seconds_count{outcome="answered"} 1',
  ])
    assert.ok(text.includes(line), `${line}\nin\n${text}`)
})

test('a metric that is gone has no value, rather than its last one', async () => {
  const text = await told({ load: { kind: 'none', why: 'gone' } })
  assert.doesNotMatch(text, /^fairlead_autoscaler_(metric_value|recommended_replicas)\{/m)
  assert.match(text, /decisions_total\{rule="NoMetrics",direction="none"\} 1/)
})

test('of what is gone no number stays', async () => {
  const registry = new Registry()
  const { onDecision, onForgotten } = createAutoscalerMetrics(registry)
  const input = { target: scalingTarget(), memories: {}, nowMs: 0, tickMs: 15_000, returning: true }
  const { decisions } = decide({ ...input, facts: { chat: facts(2, { load: spread(2, 60) }) } })
  const other = { ...subject, metadata: { ...subject.metadata, name: 'code', uid: '8' } }
  for (const decision of decisions) for (const each of [subject, other]) onDecision(each, decision)
  onForgotten('7')
  const text = await registry.metrics()
  assert.doesNotMatch(text, /name="chat"/)
  assert.equal(text.match(/name="code"/g)?.length, 6)
})
