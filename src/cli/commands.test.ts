/** The offline commands, from their arguments to what they print. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { recordingIo } from './io.testkit.ts'
import { main } from './main.ts'

const directory = mkdtempSync(join(tmpdir(), 'fairlead-cli-'))
after(() => rmSync(directory, { recursive: true, force: true }))

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const io = recordingIo()
  await main(args, io)
  return { code: io.code(), out: io.out(), err: io.errors() }
}

function file(name: string, text: string): string {
  const path = join(directory, name)
  writeFileSync(path, text)
  return path
}

const head = 'apiVersion: workload.serving.volcano.sh/v1alpha1\nkind: ModelBooster\n'
const good = `${head}metadata: {name: chat}
spec:
  backend: {name: a, type: vLLM, modelURI: "hf://a/b", replicas: 1, workers: [{image: vllm/vllm-openai}]}
`
const bad = `${head}metadata:
  name: Chat
spec:
  backends:
    - name: a
      typ: vLLM
      modelURI: ftp://x
      workers: []
---
apiVersion: v2
kind: Stranger
metadata: {name: s}
`

/** Leads to a port that nothing can listen on. */
const nobody = `apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:0"}}]
users: [{name: u, user: {}}]
`

test('validate says what is wrong, where, and is quiet about what is right', async () => {
  const path = file('bad.yaml', bad)
  const { code, out } = await run('validate', '-f', path, '-f', file('good.yaml', good))
  assert.equal(code, 1)
  const places = out.split('\n').map((line) => line.replace(`${directory}/`, '').split(': ').slice(0, 3).join(': '))
  assert.deepEqual(places, [
    'bad.yaml:4:9: error: metadata.name',
    'bad.yaml:8:12: error: spec.backends[0].typ',
    'bad.yaml:9:17: error: spec.backends[0].modelURI',
    'bad.yaml:10:16: error: spec.backends[0].workers',
    'bad.yaml:7:7: error: spec.backends[0].type',
    'bad.yaml:13:7: warning: kind',
    'Stranger/s: not checked',
    'ModelBooster/chat: valid',
    '',
  ])
  const json = JSON.parse((await run('validate', '--json', '-f', path)).out) as { at: string; field: string }[]
  assert.equal(json.length, 6)
  assert.equal(json[0]?.field, 'metadata.name')
})

test('where a rule and the check in code blame the same, validate says the more exact alone, beside what else is wrong', async () => {
  const text = `${head}metadata: {name: chat}
spec:
  backends: [{name: a, type: vLLM, modelURI: "hf://a/b", minReplicas: 3, maxReplicas: 2, routeWeight: -1, workers: [{image: vllm}]}]
`
  const { out } = await run('validate', '-f', file('rules.yaml', text))
  assert.deepEqual(
    out.split('\n').map((line) => line.split(': ').slice(2).join(': ')),
    [
      'spec.backends[0].routeWeight: Invalid value: -1: spec.backends[0].routeWeight in body should be greater than or equal to 0',
      'spec.backends[0].minReplicas: Invalid value: 3: must not be greater than maxReplicas (2)',
      'spec.backends[0]: Invalid value: "minReplicas: 3, maxReplicas: 2": must be equal and greater than 0 without an autoscaling policy; or write replicas alone',
      '',
    ],
  )
})

test('render prints the children of a file as one stream, and refuses what is wrong', async () => {
  const golden = fileURLToPath(new URL('testdata/render.golden.yaml', import.meta.url))
  const { code, out } = await run(
    'render',
    '-f',
    fileURLToPath(new URL('../../examples/quickstart.yaml', import.meta.url)),
  )
  assert.equal(code, 0)
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(golden, out)
  assert.equal(out, readFileSync(golden, 'utf8'))
  const list = JSON.parse((await run('render', '-o', 'json', '-f', file('good.yaml', good))).out) as {
    items: { kind: string }[]
  }
  assert.deepEqual(
    list.items.map(({ kind }) => kind),
    ['ModelServing', 'ModelServer', 'ModelRoute'],
  )
  const refused = await run('render', '-f', file('bad.yaml', bad))
  assert.equal(refused.code, 1)
  assert.equal(refused.out, '')
  assert.match(refused.err, /^error: .*bad\.yaml:4:9: metadata\.name/)
})

const wrongLines: Record<string, { args: string[]; code: number; want: RegExp }> = {
  'no file': { args: ['validate'], code: 64, want: /--filename <file\.\.\.>' not specified/ },
  'an unknown command': { args: ['frob'], code: 64, want: /unknown command 'frob'/ },
  'an unknown form': {
    args: ['get', 'pods', '-o', 'xml'],
    code: 64,
    want: /Allowed choices are wide, json, yaml, name/,
  },
  'an unknown kind': {
    args: ['get', 'frobs'],
    code: 64,
    want: /^error: no kind is called frobs; fairlead knows modelboosters, /,
  },
  'a name too many': { args: ['get', 'pods/a', 'b'], code: 64, want: /write KIND\/NAME or KIND NAME/ },
  'nothing to describe': { args: ['describe', 'pod'], code: 64, want: /fairlead describe pod\/NAME/ },
  'nothing to delete': { args: ['delete'], code: 64, want: /KIND\/NAME or -f FILE/ },
  'a kind without names to delete': { args: ['delete', 'pods'], code: 64, want: /fairlead delete pod\/NAME/ },
  'a file that is not there': {
    args: ['validate', '-f', '/nowhere/x'],
    code: 1,
    want: /cannot read \/nowhere\/x: no such file/,
  },
  'a kubeconfig that is not there': {
    args: ['get', 'pods', '--kubeconfig', '/nowhere/x'],
    code: 1,
    want: /\/nowhere\/x/,
  },
  'a server that is not there': {
    args: ['apply', '-f', file('good.yaml', good), '--kubeconfig', file('nobody.kubeconfig', nobody)],
    code: 1,
    want: /^error: cannot reach .*\n  is it running\?/,
  },
  'nothing to render': { args: ['render', '-f', '/dev/null'], code: 1, want: /no objects in \/dev\/null/ },
  'a load that lasts no time': {
    args: ['simulate', 'scaling', '-f', 'x', '--generate', 'day', '--minutes', '0'],
    code: 64,
    want: /--minutes.*whole number from 1 up/,
  },
  'a burst of none, by which none would ever go': {
    args: ['manager', '--kube-api-burst', '0'],
    code: 64,
    want: /--kube-api-burst.*whole number from 1 up/,
  },
  'an unknown shell': { args: ['completion', 'tcsh'], code: 64, want: /write bash, zsh, fish/ },
}
for (const [name, { args, code, want }] of Object.entries(wrongLines)) {
  test(`${name} is told in a line, with an exit status of ${code}`, async () => {
    const result = await run(...args)
    assert.match(result.err, want)
    assert.doesNotMatch(result.err, /\n {4}at /)
    assert.equal(result.code, code)
    assert.equal(result.out, '')
  })
}

test('the completion of bash completes commands, flags, kinds and files', async () => {
  const script = file('completion.bash', (await run('completion', 'bash')).out)
  const complete = (...words: string[]): string[] => {
    const line = `source ${script}; COMP_WORDS=(fairlead ${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length}; _fairlead; echo "\${COMPREPLY[@]}"`
    return execFileSync('bash', ['-c', line], { encoding: 'utf8' }).trim().split(' ')
  }
  assert.deepEqual(complete('de'), ['describe', 'delete'])
  assert.deepEqual(complete('up', '--ap'), ['--apply', '--api-port'])
  assert.deepEqual(complete('get', 'modelb'), ['modelboosters'])
  assert.deepEqual(complete('apply', '-f', `${directory}/compl`), [script])
})

test('every shell gets all commands', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { out, code } = await run('completion', shell)
    assert.equal(code, 0)
    for (const command of ['up', 'apply', 'get', 'tree', 'describe', 'logs', 'delete', 'render', 'validate', 'version'])
      assert.match(out, new RegExp(`\\b${command}\\b`), `${shell} ${command}`)
  }
})

test('version tells all three versions', async () => {
  const versions = JSON.parse((await run('version', '-o', 'json')).out) as Record<string, string>
  assert.deepEqual(Object.keys(versions), ['fairlead', 'node', 'kubernetes'])
  assert.match((await run('version')).out, /^fairlead \d+\.\d+\.\d+\nnode \d+\.\d+\.\d+\nkubernetes v\d+\.\d+\.\d+\n$/)
})
