/** A change of one field of a ModelBooster reaches the children that it is about, and no other; pods restart only when they must. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
import { influence, variations } from '#booster/influence.ts'
import { kthena } from '#api/dialects.ts'
import { inspect } from '#cli/inspect.ts'
import { formatPath, withValueAt } from '#machinery/field-path.ts'
import { isOfKind } from '#machinery/kind.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import { revisionOf, templatesOf } from '#serving/revision.ts'
import { backend, modelBooster } from './builders.ts'

/**
 * What a field reaches: S the serving, with ! where its pods restart, V the server, R a route, P a policy, B a binding.
 * `B` in the path stands for `backends[]` and `backend`; what holds in one base only has its name in front.
 */
const table: Record<string, string> = {
  'metadata.name': 'S! V R',
  'pooled metadata.name': 'S! V R P B',
  'single metadata.name': 'S! V R P B',
  'metadata.namespace': 'S V R',
  'pooled metadata.namespace': 'S V R P B',
  'single metadata.namespace': 'S V R P B',
  'metadata.uid': 'S! V R',
  'pooled metadata.uid': 'S! V R P B',
  'single metadata.uid': 'S! V R P B',
  'spec.name': 'R',
  'spec.owner': '',
  'spec.modelMatch': 'R',
  'spec.rateLimit': 'R',
  'spec.parentRefs': 'R',
  'spec.updateStrategy': '', // how, and not what
  'spec.additionalRoutes': 'R',
  'spec.autoscalingPolicy': 'P',
  'list spec.autoscalingPolicy': 'P B',
  'single spec.autoscalingPolicy': '', // the backend has one
  'spec.costExpansionRatePercent': 'B',
  'list spec.costExpansionRatePercent': '',
  'single spec.costExpansionRatePercent': '',
  'spec.B.name': 'S! V R',
  'pooled spec.B.name': 'S! V R B',
  'single spec.B.name': 'S! V R P B',
  'spec.B.type': 'S! V B',
  'list spec.B.type': 'S! V',
  'spec.B.modelURI': 'S!',
  'spec.B.cacheURI': 'S!',
  'spec.B.env': 'S!',
  'spec.B.envFrom': 'S!',
  'spec.B.replicas': 'S',
  'spec.B.minReplicas': 'S B',
  'list spec.B.minReplicas': 'S',
  'pooled spec.backends[0].minReplicas': 'S V B', // no longer 0, so no request is held until a pod comes
  'spec.B.maxReplicas': 'B',
  'list spec.B.maxReplicas': '',
  'spec.B.scalingCost': 'B',
  'list spec.B.scalingCost': '',
  'single spec.B.scalingCost': '',
  'spec.B.scaleToZeroGracePeriod': 'B',
  'list spec.B.scaleToZeroGracePeriod': '',
  'single spec.B.scaleToZeroGracePeriod': '', // the last instance never goes
  'spec.B.routeWeight': 'R',
  'spec.B.loraAdapters': 'S! R',
  'spec.B.loraAdapters[].artifactURL': 'S!',
  'spec.B.autoscalingPolicy': 'P',
  'list spec.B.autoscalingPolicy': 'P B',
  'pooled spec.B.autoscalingPolicy': '', // the model has one
  'spec.B.schedulerName': 'S',
  'spec.B.runtimeClassName': 'S!',
  'spec.B.serviceAccountName': 'S!',
  'spec.B.imagePullSecrets': 'S!',
  'spec.B.gangPolicy': 'S',
  'spec.B.networkTopology': 'S',
  'spec.B.kvEvents': 'S!',
  'spec.B.topologySpreadConstraints': 'S!',
  'spec.B.recoveryPolicy': 'S',
  'spec.B.rolloutStrategy': 'S',
  'spec.B.restartGracePeriodSeconds': 'S',
  'spec.B.engine': 'S! V',
  'list spec.backends[0].engine': 'S!', // its config has a port, which goes first
  'spec.B.runtime': 'S!',
  'spec.B.runtime.enabled': 'S! B', // without a sidecar the engine is asked for its metrics
  'spec.B.downloader': 'S!',
  'spec.B.autoscaling': 'B',
  'list spec.B.autoscaling': '',
  'spec.B.trafficPolicy': 'V',
  'spec.B.workers[].replicas': 'S',
  'spec.B.workers[].type': 'S!', // a pair needs both; a server is one whatever it is called
  'pooled spec.B.workers[].type': '',
  'single spec.B.workers[].type': '',
  'spec.B.workers[].image': 'S!',
  'spec.B.workers[].pods': 'S!',
  'list spec.backends[1].workers[0].pods': '', // prefill and decode run in one pod each, and a warning says so
  'list spec.backends[1].workers[1].pods': '',
  'spec.B.workers[].resources': 'S!',
  'spec.B.workers[].affinity': 'S!',
  'spec.B.workers[].tolerations': 'S!',
  'spec.B.workers[].nodeSelector': 'S!',
  'spec.B.workers[].config': 'S!',
  'spec.B.workers[].config.port': 'S! V',
}

/** Samples that leave their field as good as it was. */
const without: ReadonlySet<string> = new Set([
  'list spec.backends[0].replicas', // 1, as minReplicas says
  'list spec.backends[1].replicas',
  'pooled spec.backends[1].replicas',
  'single spec.backend.replicas',
  'pooled spec.backends[1].scaleToZeroGracePeriod', // the last instance never goes
])

const policy = {
  metrics: [{ metricName: 'm', targetValue: 10 }],
  behavior: { scaleUp: { panicPolicy: { period: '1s' } } },
}
const pair = ['prefill', 'decode'].map((type) => ({ type, image: 'i' }))
const bases: Record<string, Record<string, unknown>> = {
  list: {
    name: 'Chat',
    rateLimit: { inputTokensPerUnit: 5 },
    additionalRoutes: [{ name: 'r', modelName: 'q', targets: [{ backend: 'a' }] }],
    backends: [
      backend('a', {
        cacheURI: 'pvc://c',
        env: [{ name: 'X', value: '1' }],
        loraAdapters: [{ name: 'fr', artifactURL: 'hf://o/fr' }],
        gangPolicy: { enabled: true },
        routeWeight: 5,
        schedulerName: 's',
        workers: [{ type: 'server', image: 'i', pods: 2, config: { port: 9000, 'max-model-len': 1 } }],
      }),
      backend('b', { type: 'vLLMDisaggregated', workers: pair }),
    ],
  },
  pooled: {
    autoscalingPolicy: policy,
    costExpansionRatePercent: 100,
    backends: [
      backend('a', { minReplicas: 0, maxReplicas: 3, scalingCost: 1, scaleToZeroGracePeriod: '5s' }),
      backend('b', { maxReplicas: 3, scalingCost: 2 }),
    ],
  },
  single: {
    backends: undefined,
    backend: backend('a', { maxReplicas: 3, autoscalingPolicy: policy, runtime: { enabled: true } }),
  },
}

const letters: Record<string, string> = {
  ModelServing: 'S',
  ModelServer: 'V',
  ModelRoute: 'R',
  AutoscalingPolicy: 'P',
  AutoscalingPolicyBinding: 'B',
}

for (const [base, spec] of Object.entries(bases)) {
  test(`every field of a booster, ${base}`, () => {
    const { object } = inspect({ object: modelBooster('chat', spec), file: '', at: () => '' })
    const booster = { ...object, metadata: { ...object.metadata, uid: 'u-1' } } as unknown as ModelBooster
    const met = new Set<string>()
    for (const { path, value } of variations(booster, ModelBooster.schema())) {
      const field = formatPath(path)
      if (/^spec\.backends?$/.test(field) || without.has(`${base} ${field}`)) continue
      const [entry, want] = entryOf(base, field)
      met.add(entry)
      assert.equal(
        reached(booster, withValueAt(booster, path, value) as Resource),
        want,
        `${base} ${field} = ${JSON.stringify(value)}`,
      )
    }
    const unmet = Object.keys(table).filter((key) => !met.has(key) && key.startsWith(`${base} `))
    assert.deepEqual(unmet, [])
  })
}

/** The entry of just this field, else the longest that it lies in, one of this base before one of all. */
function entryOf(base: string, field: string): [string, string] {
  const plain = field.replace(/^spec\.backends?(\[\d+\])?/, 'spec.B').replaceAll(/\[\d+\]/g, '[]')
  const exact = table[`${base} ${field}`]
  if (exact !== undefined) return [`${base} ${field}`, exact]
  for (let at = plain; at !== ''; at = at.slice(0, Math.max(0, at.search(/(\.[^.[\]]*|\[[^\]]*\])$/)))) {
    for (const key of [`${base} ${at}`, at]) {
      const want = table[key]
      if (want !== undefined) return [key, want]
    }
  }
  throw new Error(`the table says nothing of ${base} ${field}`)
}

function reached(before: Resource, after: Resource): string {
  const former = new Map(influence(after, before, kthena.images).map(({ child }) => [at(child), child]))
  const kinds = influence(before, after, kthena.images).map(({ child }) => {
    const letter = letters[child.kind] ?? '?'
    const was = former.get(at(child)) ?? [...former.values()].find(({ kind }) => kind === child.kind)
    return was !== undefined && revision(was) !== revision(child) ? `${letter}!` : letter
  })
  return [...new Set(kinds)].toSorted((a, b) => 'SVRPB'.indexOf(a[0] ?? '') - 'SVRPB'.indexOf(b[0] ?? '')).join(' ')
}

const at = ({ kind, metadata }: Resource): string => `${kind}/${metadata.name}`

function revision(child: AnyResource): string | undefined {
  if (!isOfKind(child, ModelServing)) return undefined
  return revisionOf(templatesOf(compileSchema(ModelServing.schema()).default<ModelServing>(child)))
}
