import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ContainerCommand, parseCommand, type Program } from './command-line.ts'

const server = ['python3', '-m', 'vllm.entrypoints.openai.api_server']
const sidecar = ['--port', '8100', '--engine', 'vllm', '--engine-base-url', 'http://localhost:9000', '--pod', 'p.ns']

function parse(container: Partial<ContainerCommand>): Program {
  return parseCommand({ image: 'img/vllm:1', command: [], args: [], env: {}, ...container })
}

/** The members of an engine's settings that a row is about. */
function settings(container: Partial<ContainerCommand>): Record<string, unknown> {
  const program = parse(container)
  assert.equal(program.run, 'engine', JSON.stringify(program))
  return program.run === 'engine' ? { ...program.settings } : {}
}

const engines: Record<string, { container: Partial<ContainerCommand>; want: Record<string, unknown> }> = {
  'the plain command of a booster': {
    container: {
      command: [...server, '--model', '/cache/x', '--max-model-len', '4096', '--served-model-name', 'tiny'],
    },
    want: { port: 8000, servedNames: ['tiny'], modelRoot: '/cache/x', maxModelLength: 4096, maxSequences: 256 },
  },
  'underscores and equals signs': {
    container: { command: [...server, '--max_model_len=4k', '--port=9000', '--max_num_seqs', '2'] },
    want: { port: 9000, maxModelLength: 4000, maxSequences: 2 },
  },
  'the model stands in for a served name': {
    container: { command: [...server, '--model', 'acme/x'] },
    want: { servedNames: ['acme/x'] },
  },
  'several served names': {
    container: { command: [...server, '--served-model-name', 'a', 'b', '--port', '1'] },
    want: { servedNames: ['a', 'b'], port: 1 },
  },
  'vllm serve takes the model first': {
    container: { command: ['vllm', 'serve', 'acme/x', '--port', '9000'] },
    want: { modelRoot: 'acme/x', port: 9000 },
  },
  'arguments alone go to the image': {
    container: { args: ['--model', 'acme/x'] },
    want: { modelRoot: 'acme/x' },
  },
  'SGLang has its own port and spelling': {
    container: { command: ['python3', '-m', 'sglang.launch_server', '--model-path', 'm', '--context-length', '10'] },
    want: { port: 30_000, modelRoot: 'm', maxModelLength: 10 },
  },
  'LoRA modules in both forms': {
    container: { command: [...server, '--enable-lora', '--lora-modules', 'a=/x=y', '{"name":"b","path":"/z"}'] },
    want: {
      loraModules: [
        { name: 'a', path: '/x=y' },
        { name: 'b', path: '/z' },
      ],
    },
  },
  'adapters come and go when the environment says so': {
    container: { command: server, env: { VLLM_ALLOW_RUNTIME_LORA_UPDATING: 'True' } },
    want: { runtimeLora: true },
  },
  'the prefill script with pip and a quoted JSON': {
    container: {
      command: [
        'bash',
        '-c',
        `pip install nixl && exec ${server.join(' ')} --kv-transfer-config '{"kv_connector":"NixlConnector","kv_role":"kv_producer"}' --served-model-name pd7`,
      ],
    },
    want: { kvRole: 'kv_producer', servedNames: ['pd7'] },
  },
  'the ray leader of either helper': {
    container: {
      command: [
        'bash',
        '-c',
        `helper=a.sh; if [ ! -f "$helper" ]; then helper=b.sh; fi; chmod +x "$helper" && "$helper" leader --ray_cluster_size=3 --num-gpus=8 && exec ${server.join(' ')} --tensor-parallel-size 8 --distributed_executor_backend ray --served-model-name big`,
      ],
    },
    want: { servedNames: ['big'] },
  },
  'a flag of the simulator beats its variable': {
    container: { command: [...server, '--simulate-ttft-ms', '7'], env: { FAIRLEAD_SIMULATE_TTFT_MS: '9' } },
    want: { simulate: { ...(settings({ command: server })['simulate'] as object), 'ttft-ms': 7 } },
  },
}
for (const [name, { container, want }] of Object.entries(engines)) {
  test(name, () => {
    const found = settings(container)
    assert.deepEqual(Object.fromEntries(Object.keys(want).map((key) => [key, found[key]])), want)
  })
}

const others: Record<string, { container: Partial<ContainerCommand>; run: Program['run']; says?: RegExp }> = {
  'a ray worker serves nothing': {
    container: { command: ['bash', '-c', 'chmod +x h.sh && ./h.sh worker --ray_address=pod.ns'] },
    run: 'follower',
  },
  'the same by a shell that is given the file, as the guides of vLLM write it': {
    container: { command: ['bash', '-c', 'bash /examples/multi-node-serving.sh worker --ray_address=pod.ns'] },
    run: 'follower',
  },
  'and without a script': {
    container: { command: ['sh', 'multi-node-serving.sh', 'worker', '--ray_address=pod.ns'] },
    run: 'follower',
  },
  'the sidecar by its image': {
    container: { image: 'kthena/runtime:1', args: [...sidecar, '--model', 'm'] },
    run: 'sidecar',
  },
  'a sidecar without a model says what is missing': {
    container: { image: 'ghcr.io/kthena/runtime@sha256:1', args: sidecar },
    run: 'exit',
    says: /required: --model/,
  },
  'the downloader by its image': {
    container: { image: 'kthena/downloader', args: ['--source', 'hf://a/b', '--output-dir', '/c'] },
    run: 'downloader',
  },
  'a port that is no number ends like argparse': {
    container: { command: [...server, '--port', 'abc'] },
    run: 'exit',
    says: /error: argument --port: invalid int value: 'abc'/,
  },
  'a flag without its value': {
    container: { command: [...server, '--port'] },
    run: 'exit',
    says: /argument --port: expected one argument/,
  },
  'a role nobody knows': {
    container: { command: [...server, '--kv-transfer-config', '{"kv_role":"x"}'] },
    run: 'exit',
    says: /Unsupported kv_role: x/,
  },
  'a flag of the simulator that there is not': {
    container: { command: [...server, '--simulate-tfft-ms', '3'] },
    run: 'exit',
    says: /unrecognized arguments: --simulate-tfft-ms/,
  },
  'an unknown program': { container: { command: ['nginx'] }, run: 'refuse', says: /"nginx"/ },
  'a script that starts nothing known': {
    container: { command: ['sh', '-c', 'echo hi'] },
    run: 'refuse',
    says: /nothing to run/,
  },
  'a script with an open quote': {
    container: { command: ['sh', '-c', "echo 'hi"] },
    run: 'exit',
    says: /unexpected EOF/,
  },
}
for (const [name, { container, run, says }] of Object.entries(others)) {
  test(name, () => {
    const program = parse(container)
    assert.equal(program.run, run, JSON.stringify(program))
    const text = program.run === 'exit' ? program.log : program.run === 'refuse' ? program.message : ''
    if (says !== undefined) assert.match(text, says)
    if (program.run === 'exit') assert.equal(program.exitCode, 2)
  })
}

test('no command line makes the parser throw', () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom('bash', '-c', ...server, '--port', '--lora-modules', '--kv-transfer-config', '{', 'vllm', 'serve'),
  )
  fc.assert(
    fc.property(fc.array(word), fc.array(word), fc.dictionary(fc.string(), fc.string()), (command, args, env) => {
      assert.ok(parse({ command, args, env }).run.length > 0)
    }),
  )
})
