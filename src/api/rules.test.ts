import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FieldError } from '#machinery/field-error.ts'
import type { AutoscalingPolicy } from './autoscaling-policy.ts'
import { checkAutoscalingPolicy } from './autoscaling-rules.ts'
import { checkModelRoute, warnModelRoute } from './model-route-rules.ts'
import { checkModelServer } from './model-server-rules.ts'
import { checkModelServing, warnModelServing } from './model-serving-rules.ts'
import { AutoscalingPolicySpec } from './schemas/autoscaling-policy.ts'
import { ModelRouteSpec } from './schemas/model-route.ts'
import { ModelServerSpec } from './schemas/model-server.ts'
import { ModelServingSpec } from './schemas/model-serving.ts'

const head = { apiVersion: '', kind: '', metadata: { name: 'chat' } }

function fieldsOf(errors: readonly FieldError[]): string[] {
  return errors.map(({ field }) => field)
}

function servingWith(entryTemplate: unknown, workerTemplate?: unknown) {
  const role = {
    name: 'leader',
    entryTemplate,
    workerReplicas: workerTemplate === undefined ? 0 : 1,
    ...(workerTemplate !== undefined && { workerTemplate }),
  }
  return { ...head, spec: ModelServingSpec.parse({ template: { roles: [role] } }) }
}

const fine = { spec: { containers: [{ name: 'engine', image: 'vllm/vllm-openai:v0.10.0' }] } }

test('a ModelServing with plain pods has nothing wrong', () => {
  const serving = servingWith(fine, fine)
  assert.deepEqual([...checkModelServing(serving), ...warnModelServing(serving)], [])
})

test('white space in any image and a pod without containers are found', () => {
  const entry = { spec: { containers: [{ name: 'a', image: 'a' }], initContainers: [{ name: 'b', image: 'b\t' }] } }
  assert.deepEqual(fieldsOf(checkModelServing(servingWith(entry, { spec: { containers: [] } }))), [
    'spec.template.roles[0].entryTemplate.spec.initContainers[0].image',
    'spec.template.roles[0].workerTemplate.spec.containers',
  ])
})

test('a template that sets what the controller sets is warned about', () => {
  const labels = { 'modelserving.volcano.sh/role': 'x', app: 'chat' }
  const entry = { metadata: { labels }, spec: { ...fine.spec, restartPolicy: 'Never' } }
  assert.deepEqual(fieldsOf(warnModelServing(servingWith(entry))), [
    'spec.template.roles[0].entryTemplate.metadata.labels[modelserving.volcano.sh/role]',
    'spec.template.roles[0].entryTemplate.spec.restartPolicy',
  ])
})

test('labels that no pod can carry are found in every selector', () => {
  const spec = ModelServerSpec.parse({
    inferenceEngine: 'vLLM',
    workloadPort: { port: 8000 },
    workloadSelector: {
      matchLabels: { 'a b': 'c', ok: '-no' },
      pdGroup: { groupKey: 'a/b/c', prefillLabels: { role: 'prefill' }, decodeLabels: { role: '?' } },
    },
  })
  assert.deepEqual(fieldsOf(checkModelServer({ ...head, spec })), [
    'spec.workloadSelector.matchLabels',
    'spec.workloadSelector.matchLabels[ok]',
    'spec.workloadSelector.pdGroup.groupKey',
    'spec.workloadSelector.pdGroup.decodeLabels[role]',
  ])
})

function routeWith(modelMatch: unknown) {
  const rules = [{ modelMatch, targetModels: [{ modelServerName: 'a' }] }]
  return { ...head, spec: ModelRouteSpec.parse({ modelName: 'chat', rules }) }
}

test('regular expressions that do not compile are found in headers and path', () => {
  const route = routeWith({ headers: { 'x-a': { regex: '(' }, 'x-b': { regex: '^b+$' } }, uri: { regex: '[' } })
  assert.deepEqual(fieldsOf(checkModelRoute(route)), [
    'spec.rules[0].modelMatch.headers[x-a].regex',
    'spec.rules[0].modelMatch.uri.regex',
  ])
})

test('a match of which only one part is used is warned about', () => {
  assert.deepEqual(fieldsOf(warnModelRoute(routeWith({ uri: { exact: '/a', prefix: '/b' } }))), [
    'spec.rules[0].modelMatch.uri',
  ])
})

function policyWith(spec: unknown): AutoscalingPolicy {
  return { ...head, spec: AutoscalingPolicySpec.parse(spec) }
}

test('a metric has one target', () => {
  const metrics = [
    { metricName: 'm', targetValue: 1 },
    { name: 'm', targetValue: 2 },
  ]
  assert.deepEqual(fieldsOf(checkAutoscalingPolicy(policyWith({ metrics }))), ['spec.metrics[1]'])
})

test('a role that scales needs metrics and their sources; one that does not needs neither', () => {
  const policy = policyWith({
    disaggregatedTarget: {
      targetRef: { name: 'chat' },
      roles: {
        prefill: { minReplicas: 1, maxReplicas: 1 },
        decode: { minReplicas: 1, maxReplicas: 2, metricSources: { other: { pod: {} } } },
      },
    },
  })
  assert.deepEqual(fieldsOf(checkAutoscalingPolicy(policy)), [
    'spec.disaggregatedTarget.roles[decode].metrics',
    'spec.disaggregatedTarget.roles[decode].metricSources',
  ])
})
