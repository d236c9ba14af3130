import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { connectorPackages, rayFollowerCommand, type VllmStart, vllmCommand } from './vllm-command.ts'
import { configArguments } from './vllm-arguments.ts'
import { quoteWord } from './shell.ts'
import { drainScript } from './vllm-pre-stop.ts'

const start: VllmStart = {
  modelPath: '/cache/m',
  servedName: 'chat',
  config: {},
  kvEvents: undefined,
  loras: [],
  ray: undefined,
  packages: [],
  extraArgs: [],
}

const values: Record<string, { config: Record<string, unknown>; want: string[] }> = {
  'a text': { config: { dtype: 'auto' }, want: ['--dtype', 'auto'] },
  'an empty text is the flag alone': { config: { 'enable-x': '' }, want: ['--enable-x'] },
  'true is the flag alone': { config: { enable_x: true }, want: ['--enable-x'] },
  'false and null are nothing': { config: { a: false, b: null }, want: [] },
  'a great integer has no exponent': {
    config: { n: 1048576, m: 1e21 },
    want: ['--m', '1' + '0'.repeat(21), '--n', '1048576'],
  },
  'a fraction is as in JSON': { config: { u: 0.9, v: 0.00001 }, want: ['--u', '0.9', '--v', '0.00001'] },
  'a list of scalars is several words': { config: { l: ['a', 1, true] }, want: ['--l', 'a', '1', 'true'] },
  'an object is compact JSON': { config: { o: { a: [1], b: 'x y' } }, want: ['--o', '{"a":[1],"b":"x y"}'] },
  'a list with an object in it is JSON too': { config: { l: [{ a: 1 }] }, want: ['--l', '[{"a":1}]'] },
  'keys are sorted as they were written': {
    config: { b_c: 1, 'b-d': 2, B: 3 },
    want: ['--B', '3', '--b-d', '2', '--b-c', '1'],
  },
  'upper case stays': { config: { maxLen: 1 }, want: ['--maxLen', '1'] },
}
for (const [name, { config, want }] of Object.entries(values)) {
  test(`argument: ${name}`, () => assert.deepEqual(configArguments(config), want))
}

const served: Record<string, { config: Record<string, unknown>; want: string[] }> = {
  'the name of the model where none is given': { config: {}, want: ['--served-model-name', 'chat'] },
  'the name given, in either spelling': { config: { served_model_name: 'x' }, want: ['--served-model-name', 'x'] },
  'several names': { config: { 'served-model-name': ['x', 'y'] }, want: ['--served-model-name', 'x', 'y'] },
  'an empty name counts as none': { config: { 'served-model-name': '' }, want: ['--served-model-name', 'chat'] },
}
for (const [name, { config, want }] of Object.entries(served)) {
  test(`served under: ${name}`, () => assert.deepEqual(vllmCommand({ ...start, config }).slice(5), want))
}

test('what the user says about KV events and the executor is not said twice', () => {
  const config = { kv_events_config: '{}', 'distributed-executor-backend': 'mp' }
  const command = vllmCommand({ ...start, config, kvEvents: {}, ray: { pods: 2, gpus: 0 } }).join(' ')
  assert.equal(command.split('kv-events-config').length, 2)
  assert.equal(command.split('executor').length, 2)
  assert.ok(!command.includes('--num-gpus'))
})

/** Runs a command with stubs in front of the PATH; each prints its name and arguments as a line of JSON. */
function run(command: readonly string[], cwd?: string): string[][] {
  const directory = mkdtempSync(join(tmpdir(), 'fairlead-'))
  try {
    for (const name of ['python3', 'pip', 'helper']) {
      const file =
        name === 'helper' ? join(directory, 'examples/online_serving/multi-node-serving.sh') : join(directory, name)
      const print = `process.stdout.write(JSON.stringify([${JSON.stringify(name)}, ...process.argv.slice(2)]) + '\\n')`
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(`${file}.cjs`, print)
      writeFileSync(file, `#!/bin/sh\nexec "${process.execPath}" "${file}.cjs" "$@"\n`)
      if (name !== 'helper') chmodSync(file, 0o755)
    }
    const [program = '', ...words] = command
    const out = execFileSync(program, words, {
      cwd: cwd ?? directory,
      env: { ...process.env, PATH: `${directory}${delimiter}${process.env['PATH']}` },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as string[])
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const transfer = '{"kv_connector":"NixlConnector",\n "kv_role":"kv_both", "x": "it\'s {a,b} $HOME `id` \\\\ "}'

test('B-12: bash hands every word on as it was', () => {
  const config = { 'kv-transfer-config': transfer, 'chat-template': '$(date) "quoted"; rm -rf x' }
  const nixl = connectorPackages['NixlConnector']
  assert.ok(nixl)
  const plain = vllmCommand({ ...start, config, kvEvents: {}, loras: [{ name: 'fr', path: '/cache/fr' }] })
  const wrapped = vllmCommand({
    ...start,
    config,
    kvEvents: {},
    loras: [{ name: 'fr', path: '/cache/fr' }],
    packages: [nixl],
    ray: { pods: 2, gpus: 8 },
  })
  assert.deepEqual(plain.slice(0, 1), ['python3'])
  assert.deepEqual(wrapped.slice(0, 2), ['bash', '-c'])
  const withoutRay = (words: readonly string[]) => words.filter((word) => !/executor_backend|^ray$/.test(word))
  const [pip, helper, python] = run(wrapped)
  assert.deepEqual(pip, ['pip', 'install', '--upgrade', 'nixl'])
  assert.deepEqual(helper, ['helper', 'leader', '--ray_cluster_size=2', '--num-gpus=8'])
  assert.deepEqual(withoutRay(python ?? []), plain)
  assert.ok(python?.includes(transfer))
})

test('a follower joins the cluster of its entry pod', () => {
  const [bash = '', option = '', script = ''] = rayFollowerCommand()
  const [helper] = run([bash, option, script.replace('$(ENTRY_ADDRESS)', 'chat-0-leader-0-0.ml')])
  assert.deepEqual(helper, ['helper', 'worker', '--ray_address=chat-0-leader-0-0.ml'])
})

test('without the helper script the engine is not started', () => {
  const command = vllmCommand({ ...start, ray: { pods: 2, gpus: 0 } })
  assert.throws(() => run(command, tmpdir()), /multi-node-serving\.sh/)
})

test('quoting is undone by a shell, whatever the text', () => {
  // One shell for all texts; NUL cannot be in an argument, so it separates them in the answer.
  const texts = fc
    .sample(fc.string({ unit: 'binary', maxLength: 30 }), { numRuns: 200, seed: 7 })
    .map((text) => text.replaceAll('\0', '').toWellFormed())
  const out = execFileSync('bash', ['-c', `printf '%s\\0' ${texts.map(quoteWord).join(' ')}`], { encoding: 'utf8' })
  assert.deepEqual(out.split('\0').slice(0, -1), texts)
})

/** What the preStop script does when the engine's metrics are `metrics`; `curl` and `sleep` are stubs. */
function drain(metrics: string): 'stops' | 'waits' {
  const stubs = `curl() { printf '%s' ${quoteWord(metrics)}; }; sleep() { exit 7; };`
  try {
    const script = drainScript(8000).replace('/proc/1/fd/1', '/dev/null')
    execFileSync('/bin/sh', ['-c', `${stubs}\n${script}`], { stdio: 'ignore' })
    return 'stops'
  } catch (error) {
    assert.equal((error as { status?: number }).status, 7)
    return 'waits'
  }
}

const drains: Record<string, { metrics: string; want: 'stops' | 'waits' }> = {
  'an idle engine stops': {
    metrics:
      '# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{a="b"} 0.0\nvllm:num_requests_waiting{a="b"} 0.0\n',
    want: 'stops',
  },
  'an idle engine of several ranks stops': {
    metrics: 'vllm:num_requests_running{e="0"} 0.0\nvllm:num_requests_running{e="1"} 0.0\n',
    want: 'stops',
  },
  'a running request is waited for': {
    metrics: 'vllm:num_requests_running{e="0"} 0.0\nvllm:num_requests_running{e="1"} 1.0\n',
    want: 'waits',
  },
  'a waiting request is waited for': { metrics: 'vllm:num_requests_waiting 2.0\n', want: 'waits' },
  'an engine that tells nothing is not waited for': { metrics: '', want: 'stops' },
}
for (const [name, { metrics, want }] of Object.entries(drains)) {
  test(`B-40, preStop: ${name}`, () => assert.equal(drain(metrics), want))
}
