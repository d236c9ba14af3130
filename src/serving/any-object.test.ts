/** Whatever the API server lets through, and whatever a foreign one might: the planner answers, it does not throw. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { Pod } from '#api/core/types.generated.ts'
import { ModelServing } from '#api/model-serving.ts'
import { untouched } from '#controller/domain.ts'
import { compileSchema } from '#machinery/schema.ts'
import { factsOf } from './pod-facts.ts'
import { plan } from './plan.ts'
import { status } from './status.ts'

const container = { name: 'engine', image: 'vllm/vllm-openai', env: [{ name: 'A', value: '1' }] }
const whole = {
  apiVersion: 'workload.serving.volcano.sh/v1alpha1',
  kind: 'ModelServing',
  metadata: { name: 'chat', namespace: 'ml', uid: 'u-1', generation: 1 },
  spec: {
    replicas: 2,
    recoveryPolicy: 'ServingGroupRecreate',
    rolloutStrategy: {
      type: 'ServingGroupRollingUpdate',
      paused: false,
      rollingUpdateConfiguration: { maxUnavailable: '50%', maxSurge: '10%', partition: 1 },
    },
    template: {
      restartGracePeriodSeconds: 5,
      gangPolicy: { minRoleReplicas: { decode: 1 } },
      roles: [
        {
          name: 'decode',
          replicas: 2,
          workerReplicas: 1,
          entryTemplate: { metadata: { labels: { a: 'b' } }, spec: { containers: [container] } },
          workerTemplate: { spec: { containers: [container], initContainers: [container] } },
        },
      ],
    },
  },
  status: {
    currentRevision: 'a',
    servedRevision: 'b',
    groups: [{ ordinal: 0, revision: 'a', roles: [{ name: 'decode-0', phase: 'Running', incarnation: 2 }] }],
    conditions: [],
  },
}

type Path = readonly (string | number)[]

function pathsIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  return [path, ...Object.entries(value).flatMap(([key, member]) => pathsIn(member, [...path, key]))]
}

function replaced(value: unknown, [step, ...rest]: Path, by: unknown): unknown {
  if (step === undefined) return by
  const copy = structuredClone(value) as Record<string | number, unknown>
  copy[step] = replaced(copy[step], rest, by)
  return copy
}

const places = pathsIn(whole.spec, ['spec']).concat(pathsIn(whole.status, ['status']))
const damaged = fc
  .array(fc.tuple(fc.constantFrom(...places), fc.oneof(fc.jsonValue(), fc.constant(undefined))), { maxLength: 3 })
  .map((damages) => damages.reduce<unknown>((object, [path, by]) => tryReplace(object, path, by), whole))

/** An earlier damage may have taken the place away. */
function tryReplace(object: unknown, path: Path, by: unknown): unknown {
  try {
    return replaced(object, path, by)
  } catch {
    return object
  }
}

const pods: readonly Pod[] = [
  { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'chat-0-decode-0-0', uid: 'p1' } },
  { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'chat-0-decode-0-1', uid: 'p2' }, status: { phase: 'Running' } },
  { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'chat-x', uid: 'p3' } },
]

test('no object that the schema admits makes plan or status throw', () => {
  const schema = compileSchema(ModelServing.schema())
  let admitted = 0
  fc.assert(
    fc.property(damaged, fc.subarray([...pods]), (object, some) => {
      const complete = schema.default(schema.prune(object).value) as ModelServing
      if (schema.validate(complete).length > 0) return
      admitted++
      const facts = some.map((pod) => factsOf('chat', pod)).filter((each) => each !== undefined)
      const observed = {
        pods: some,
        facts,
        services: [],
        revisions: [],
        routers: [],
        servers: [],
        volcano: 'absent' as const,
        podGroups: [],
      }
      assert.ok(Array.isArray(plan(complete, observed, 0).stages))
      assert.ok(Array.isArray(status(complete, observed, untouched, 0)?.conditions))
    }),
    { numRuns: 800 },
  )
  assert.ok(admitted > 100, `only ${admitted} objects were admitted`)
})
