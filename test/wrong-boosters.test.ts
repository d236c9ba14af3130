/**
 * Every kind of wrong ModelBooster that we know of, against a running system: the API refuses it with the field, or it
 * ends in `Failed` with the field and the mend. Beside it a healthy one stays as it is. `validate` finds the same, and
 * says where in the file.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { stringify } from 'yaml'
import { Pod } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
import { isFault } from '#base/fault.ts'
import { type Log, silentLog } from '#base/log.ts'
import type { Io } from '#cli/io.ts'
import { validate } from '#cli/validate.ts'
import type { AnyResource } from '#machinery/meta.ts'
import type { Status } from '#machinery/status.ts'
import { backend, modelBooster } from './builders.ts'
import { startWorld, type World } from './world.ts'

interface Row {
  readonly object: AnyResource
  /** Who finds it: the API server by the schema and its rules, or the controller, which tells it in `Failed`. */
  readonly by: 'api' | 'controller'
  readonly field: string
  /** Of the message: what is wrong, and what to write instead. */
  readonly says: RegExp
  /** The line of the file that `validate` points to. */
  readonly line: RegExp
  /** What `validate` says instead, where it can blame a field that the rule of the API cannot. */
  readonly exactly?: string
}

type Fields = Record<string, unknown>

const policy = { metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 10 }] }
const named = (name: string, ...backends: Fields[]) => modelBooster(name, { backends })
const list = (...backends: Fields[]) => named('wrong', ...backends)
const one = (change: Fields) => list(backend('a', change))
const pooled = (...changes: Fields[]) =>
  modelBooster('wrong', {
    autoscalingPolicy: policy,
    backends: changes.map((change, i) => backend(`a${i}`, { scalingCost: 1, ...change })),
  })
const single = (spec: Fields, change: Fields = {}) =>
  modelBooster('wrong', { backends: undefined, backend: backend('a', change), ...spec })
const workers = (...each: Fields[]) =>
  each.map((change) => ({ type: 'server', image: 'vllm/vllm-openai:v1', ...change }))
const disaggregated = (...each: Fields[]) => one({ type: 'vLLMDisaggregated', workers: workers(...each) })
const pair = (prefill: Fields, decode: Fields) =>
  disaggregated({ type: 'prefill', config: prefill }, { type: 'decode', config: decode })
const kv = (connector: string, role: string): Fields => ({
  'kv-transfer-config': JSON.stringify({ kv_connector: connector, kv_role: role }),
})
const adapter = (name: string): Fields => ({ name, artifactURL: 'hf://acme/lora' })

const at = 'spec.backends[0]'

const rows: Record<string, Row> = {
  '1 both forms': {
    object: single({ backends: [backend('a')] }),
    by: 'api',
    field: 'spec.backend',
    says: /mutually exclusive: keep one/,
    line: /name: a/,
  },
  '2 neither form': {
    object: modelBooster('wrong', { backends: undefined, owner: 'me' }),
    by: 'api',
    field: 'spec.backends',
    says: /list of backends/,
    line: /owner: me/,
  },
  '3 two backends of one name': {
    object: list(backend('a'), backend('a')),
    by: 'api',
    field: 'spec.backends[1]',
    says: /[Dd]uplicate/,
    line: /name: a/,
  },
  '4 bounds in the wrong order': {
    object: one({ minReplicas: 3, maxReplicas: 2 }),
    by: 'api',
    field: `${at}.minReplicas`,
    says: /minReplicas may not be above maxReplicas/,
    line: /minReplicas: 3/,
    exactly: '11:20: error: spec.backends[0].minReplicas: Invalid value: 3: must not be greater than maxReplicas (2)',
  },
  '5 too many replicas in all': {
    object: list(...['a', 'b'].map((name) => backend(name, { minReplicas: 600_000, maxReplicas: 600_000 }))),
    by: 'api',
    field: 'spec.backends',
    says: /maxReplicas .* may not be above 1000000/,
    line: /name: a/,
    exactly: '8:5: error: spec.backends: Invalid value: 1200000: the sum of all maxReplicas must not exceed 1000000',
  },
  '6 vLLM with two workers': {
    object: one({ workers: workers({}, {}) }),
    by: 'api',
    field: `${at}.workers`,
    says: /exactly one worker/,
    line: /type: server/,
  },
  '7 vLLM with a decode worker': {
    object: one({ workers: workers({ type: 'decode' }) }),
    by: 'api',
    field: `${at}.workers`,
    says: /must have type server/,
    line: /type: decode/,
    exactly: '14:17: error: spec.backends[0].workers[0].type: Invalid value: "decode": type vLLM allows server here',
  },
  '8 a server worker among prefill and decode': {
    object: disaggregated({}, { type: 'decode' }),
    by: 'api',
    field: `${at}.workers`,
    says: /have type prefill or decode/,
    line: /type: server/,
    exactly:
      '14:17: error: spec.backends[0].workers[0].type: Invalid value: "server": type vLLMDisaggregated allows prefill, decode here',
  },
  '9 prefill without decode': {
    object: disaggregated({ type: 'prefill' }),
    by: 'api',
    field: `${at}.workers`,
    says: /exactly one prefill and one decode worker/,
    line: /type: prefill/,
    exactly: '14:9: error: spec.backends[0].workers: Invalid value: 0: needs exactly one worker of type decode',
  },
  '10 an image with a blank': {
    object: one({ workers: workers({ image: 'a b' }) }),
    by: 'api',
    field: `${at}.workers[0].image`,
    says: /white space/,
    line: /image: a b/,
  },
  '10 an image with a tab': {
    object: one({ workers: workers({ image: 'a\tb' }) }),
    by: 'api',
    field: `${at}.workers[0].image`,
    says: /white space/,
    line: /image:/,
  },
  '10 an image that ends in a newline': {
    object: one({ workers: workers({ image: 'a\n' }) }),
    by: 'api',
    field: `${at}.workers[0].image`,
    says: /white space/,
    line: /image:/,
  },
  '11 policies of the model and of a backend': {
    object: pooled({ autoscalingPolicy: policy }),
    by: 'api',
    field: 'spec.autoscalingPolicy',
    says: /keep it at one level/,
    line: /metrics:/,
    exactly:
      '22:5: error: spec.autoscalingPolicy: Forbidden: choose one level: keep this policy or those of the backends',
  },
  '12 no cost with a policy of the model': {
    object: pooled({ scalingCost: undefined }),
    by: 'api',
    field: 'spec.backends',
    says: /each backend needs a scalingCost above 0/,
    line: /name: a0/,
    exactly:
      '8:7: error: spec.backends[0].scalingCost: Required value: the policy of the model weighs backends by cost: write a number above 0',
  },
  '13 nothing but zero with a policy of the model': {
    object: pooled({ minReplicas: 0 }),
    by: 'api',
    field: 'spec.backends',
    says: /at least one backend needs minReplicas above 0/,
    line: /name: a0/,
    exactly:
      '8:5: error: spec.backends: Invalid value: 0: the sum of all minReplicas must be at least 1: one backend has to answer',
  },
  '14 a cost without a policy of the model': {
    object: one({ scalingCost: 5 }),
    by: 'api',
    field: 'spec.backends',
    says: /scalingCost .* remove it, or set spec.autoscalingPolicy/,
    line: /name: a/,
    exactly:
      '16:20: error: spec.backends[0].scalingCost: Forbidden: only with spec.autoscalingPolicy and spec.backends; leave it out',
  },
  '15 a policy of a backend that starts at zero': {
    object: one({ minReplicas: 0, autoscalingPolicy: policy }),
    by: 'api',
    field: 'spec.backends',
    says: /needs minReplicas of at least 1/,
    line: /name: a/,
    exactly:
      '11:20: error: spec.backends[0].minReplicas: Invalid value: 0: must be at least 1 with an autoscaling policy on the backend',
  },
  '16 a grace period of more than half an hour': {
    object: pooled({ scaleToZeroGracePeriod: '31m' }),
    by: 'api',
    field: `${at}.scaleToZeroGracePeriod`,
    says: /between 0s and 30m/,
    line: /scaleToZeroGracePeriod: 31m/,
  },
  '16 a negative grace period': {
    object: pooled({ scaleToZeroGracePeriod: '-1s' }),
    by: 'api',
    field: `${at}.scaleToZeroGracePeriod`,
    says: /between 0s and 30m/,
    line: /scaleToZeroGracePeriod: -1s/,
  },
  '17 an adapter named like the model': {
    object: one({ loraAdapters: [adapter('wrong')] }),
    by: 'api',
    field: 'spec.backends',
    says: /name of a loraAdapter must differ/,
    line: /name: a/,
    exactly:
      '17:17: error: spec.backends[0].loraAdapters[0].name: Invalid value: "wrong": must differ from the name of the model: clients choose by it',
  },
  '17 an adapter twice': {
    object: one({ loraAdapters: [adapter('fr'), adapter('fr')] }),
    by: 'api',
    field: `${at}.loraAdapters[1]`,
    says: /Duplicate value/,
    line: /name: fr/,
  },
  '18 a port that is none': {
    object: one({ workers: workers({ config: { port: null } }) }),
    by: 'controller',
    field: `${at}.workers[0].config.port`,
    says: /1 to 65535/,
    line: /port: null/,
  },
  '18 engines on different ports': {
    object: pair({ port: 9000 }, {}),
    by: 'controller',
    field: `${at}.workers[1].config.port`,
    says: /different engine ports/,
    line: /config: \{\}/,
  },
  '19 weights on a claim, cached on a host': {
    object: one({ modelURI: 'pvc://w/m', cacheURI: 'hostpath:///c' }),
    by: 'api',
    field: `${at}.cacheURI`,
    says: /cacheURI must begin with pvc:/,
    line: /cacheURI: hostpath/,
    exactly:
      '16:17: error: spec.backends[0].cacheURI: Invalid value: "hostpath:///c": with a pvc:// modelURI this must be pvc:// too: the downloader mounts only the cache volume',
  },
  '20 a path that climbs out of the claim': {
    object: one({ modelURI: 'pvc://../x', cacheURI: 'pvc://w' }),
    by: 'api',
    field: `${at}.modelURI`,
    says: /may not contain \.\./,
    line: /modelURI: pvc/,
    exactly: '10:17: error: spec.backends[0].modelURI: Invalid value: "pvc://../x": must not contain a ".." segment',
  },
  '21 weights beside the cache mount': {
    object: one({ modelURI: 'pvc:///foobar/x', cacheURI: 'pvc://foo' }),
    by: 'controller',
    field: `${at}.modelURI`,
    says: /outside the cache mount \/foo/,
    line: /modelURI: pvc/,
  },
  '22 two connectors': {
    object: pair(kv('NixlConnector', 'kv_producer'), kv('MooncakeConnector', 'kv_consumer')),
    by: 'controller',
    field: `${at}.workers`,
    says: /different connectors/,
    line: /type: prefill/,
  },
  '23 prefill as a consumer': {
    object: pair(kv('NixlConnector', 'kv_consumer'), kv('NixlConnector', 'kv_consumer')),
    by: 'controller',
    field: `${at}.workers`,
    says: /write kv_producer or kv_both/,
    line: /type: prefill/,
  },
  '24 a connector on one side only': {
    object: pair(kv('NixlConnector', 'kv_producer'), {}),
    by: 'controller',
    field: `${at}.workers`,
    says: /decode worker has no config.kv-transfer-config/,
    line: /type: prefill/,
  },
  '25 all weights zero': {
    object: list(backend('a', { routeWeight: 0 }), backend('b', { routeWeight: 0 })),
    by: 'api',
    field: 'spec.backends',
    says: /at least one backend needs a routeWeight above 0/,
    line: /name: a/,
    exactly:
      '16:20: error: spec.backends[0].routeWeight: Invalid value: 0: all backends have weight 0, so none could be picked: raise one',
  },
  '26 a config that is no object': {
    object: one({ workers: workers({ config: 'x' }) }),
    by: 'api',
    field: `${at}.workers[0].config`,
    says: /must be of type object/,
    line: /config: x/,
  },
  '27 a fixed size with a policy': {
    object: single({ autoscalingPolicy: policy }, { minReplicas: undefined, maxReplicas: undefined, replicas: 1 }),
    by: 'api',
    field: 'spec.backend',
    says: /needs minReplicas and maxReplicas/,
    line: /name: a/,
    exactly:
      '14:15: error: spec.backend.replicas: Invalid value: 1: an autoscaling policy needs room: write minReplicas and maxReplicas instead',
  },
  '28 names that make too long a pod name': {
    object: named('m'.repeat(60), backend('abcdef')),
    by: 'api',
    field: 'metadata.name',
    says: /more than 49 characters/,
    line: /name: m{60}/,
  },
  '29 a type that is not built': {
    object: one({ type: 'MindIE' }),
    by: 'controller',
    field: `${at}.type`,
    says: /not supported.*vLLM/,
    line: /type: MindIE/,
  },
  '30 a scheme that there is not': {
    object: one({ modelURI: 'ftp://x' }),
    by: 'api',
    field: `${at}.modelURI`,
    says: /hf/,
    line: /modelURI: ftp/,
  },
  '30 a name in upper case': {
    object: list(backend('Aa_')),
    by: 'api',
    field: `${at}.name`,
    says: /a-z/,
    line: /name: Aa_/,
  },
}

const bugs: unknown[] = []
const log: Log = { ...silentLog, with: () => log, error: (message, fields) => bugs.push({ message, ...fields }) }
const cleanup: (() => unknown)[] = []
let world: World
let goodBefore: string[]
let directory: string

before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'wrong-boosters-'))
  cleanup.push(() => rmSync(directory, { recursive: true }))
  world = await startWorld({ after: (run) => void cleanup.push(run as () => unknown) }, { log })
  await world.apply(modelBooster('good'))
  await world.condition(ModelBooster, 'good', 'Active')
  await world.settled()
  goodBefore = await versions()
})

after(async () => {
  for (const clean of cleanup.reverse()) await clean()
})

for (const [name, { object, by, field, says }] of Object.entries(rows)) {
  test(`${name}: ${by === 'api' ? 'refused by the API' : 'ends in Failed'}, with the field and the mend`, async () => {
    if (by === 'api') {
      const status = await refusalOf(object)
      assert.equal(status.code, 422, status.message)
      const found = status.details?.causes?.find((cause) => cause.field === field && says.test(cause.message ?? ''))
      assert.ok(found, JSON.stringify(status.details?.causes))
    } else {
      await world.apply(object)
      const booster = object.metadata.name ?? ''
      const { message } = await world.condition(ModelBooster, booster, 'Failed')
      assert.ok(message.includes(`${field}: `), message)
      assert.match(message, says)
      await world.condition(ModelBooster, booster, 'Active', 'False')
      await world.settled()
      await world.client.delete(ModelBooster, { namespace: 'default', name: booster })
    }
    assert.deepEqual(await versions(), goodBefore, 'nothing came of it, and the good one is as it was')
    assert.deepEqual(bugs, [])
  })
}

test('31 a body that is no JSON is a 400, one of a wrong type a 415, and both are a Status', async () => {
  const send = async (contentType: string, body: string): Promise<Status> => {
    const path = '/apis/workload.serving.volcano.sh/v1alpha1/namespaces/default/modelboosters'
    const headers = { 'content-type': contentType }
    const response = await world.client.raw(path, { method: 'POST', headers, body })
    const status = (await response.json()) as Status
    assert.equal(response.status, status.code)
    assert.equal(status.kind, 'Status')
    return status
  }
  assert.equal((await send('application/json', '{"spec":')).code, 400)
  assert.equal((await send('application/json', '[]')).code, 400)
  assert.equal((await send('text/plain', JSON.stringify(one({})))).code, 415)
  assert.deepEqual(bugs, [])
})

for (const [name, { object, field, says, line, exactly }] of Object.entries(rows)) {
  test(`${name}: found by validate, with file, line and column`, () => {
    const file = join(directory, 'wrong.yaml')
    const text = stringify(object, { aliasDuplicateObjects: false })
    writeFileSync(file, text)
    const { output, exitCode } = validated(file)
    assert.equal(exitCode, 1)
    if (exactly !== undefined) {
      assert.ok(output.split('\n').includes(`${file}:${exactly}`), output)
      return
    }
    const message = output.split(`${file}:`).find((each) => each.includes(` ${field}`) && says.test(each))
    assert.ok(message, output)
    const [, row, column] = /^(\d+):(\d+): error: /.exec(message) ?? []
    assert.ok(Number(column) >= 1, message)
    assert.match(text.split('\n')[Number(row) - 1] ?? '', line, message)
  })
}

/** What there is, and in which version. */
async function versions(): Promise<string[]> {
  const objects = [
    ...(await world.list(ModelBooster)).filter(({ metadata }) => metadata.name === 'good'),
    ...(await world.list(ModelServing)),
    ...(await world.list(Pod)),
  ]
  return objects.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`)
}

async function refusalOf(object: AnyResource): Promise<Status> {
  try {
    await world.client.create(ModelBooster, object as unknown as ModelBooster)
  } catch (error) {
    if (isFault(error)) return error.details as Status
    throw error
  }
  return assert.fail('it was accepted')
}

function validated(file: string): { output: string; exitCode: number } {
  const result = { output: '', exitCode: 0 }
  const io: Io = {
    write: (text) => void (result.output += text),
    error: (line) => void (result.output += `${line}\n`),
    exit: (code) => void (result.exitCode = code),
    interactive: false,
    colors: false,
    columns: 80,
    rows: 24,
    env: {},
  }
  validate({ filename: [file] }, io)
  return result
}
