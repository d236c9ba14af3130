/** `fairlead up` as a process: what it promises before, while and after it runs. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect as connectSocket, type AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ModelBooster } from '#api/model-booster.ts'
import { Pod } from '#api/core/kinds.ts'
import { createClient } from '#kube/create-client.ts'
import { loadClusterAccess } from '#kube/kubeconfig.ts'
import { connect } from '#kube/transport.ts'
import { isLoopback, listeningOf } from './listening.ts'
import { alive, descendants, fairlead, startUp, temporaryDirectory, type UpProcess } from './up-process.ts'

const example = (name: string): string => fileURLToPath(new URL(`../examples/${name}`, import.meta.url))
const quickstart = example('quickstart.yaml')

function clientOf(t: TestContext, kubeconfig: string) {
  const access = loadClusterAccess({ path: kubeconfig, env: {} })
  const connection = connect(access)
  t.after(() => connection[Symbol.asyncDispose]())
  return createClient({ fetch: connection.fetch, baseUrl: access.server, userAgent: 'a-user' })
}

/** Status of a plain request, with a certificate authority and a token or without. */
function statusOf(url: string, options: { ca?: string; token?: string }): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname: host, port } = new URL(url)
    const socket = connectTls({ host, port: Number(port), ...(options.ca === undefined ? {} : { ca: options.ca }) })
    let text = ''
    socket
      .on('error', reject)
      .on('data', (data) => (text += data.toString()))
      .on('close', () => resolve(Number(text.split(' ')[1])))
    const authorization = options.token === undefined ? '' : `Authorization: Bearer ${options.token}\r\n`
    socket.write(`GET /api/v1/pods HTTP/1.1\r\nHost: ${host}\r\n${authorization}Connection: close\r\n\r\n`)
  })
}

function isListening(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, host, () => resolve(true)).on('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

async function takenPort(t: TestContext): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

/** All processes of an `up`, and the ports that they listen on; there is a router among them. */
function footprint({ child }: UpProcess): { pids: number[]; listening: ReturnType<typeof listeningOf> } {
  const pids = [child.pid ?? 0, ...descendants(child.pid ?? 0)]
  assert.ok(pids.length >= 2, 'the router is a process of its own')
  return { pids, listening: pids.flatMap(listeningOf) }
}

async function assertNothingLeft({ pids, listening }: ReturnType<typeof footprint>): Promise<void> {
  const left = await Promise.all(listening.map(({ port }) => isListening(port)))
  assert.deepEqual({ pids: pids.filter(alive), ports: listening.filter((_, at) => left[at]) }, { pids: [], ports: [] })
}

test('only who has the kubeconfig gets in, it is for its owner alone, and nothing listens beyond loopback', async (t) => {
  const up = startUp(t, join(temporaryDirectory(t), 'data'))
  const { kubeconfig, apiUrl, routerUrl } = await up.ready()
  assert.equal(statSync(kubeconfig).mode & 0o777, 0o600)
  const config = JSON.parse(readFileSync(kubeconfig, 'utf8')) as {
    clusters: { cluster: { 'certificate-authority-data': string } }[]
    users: { user: { token: string } }[]
  }
  const ca = Buffer.from(config.clusters[0]?.cluster['certificate-authority-data'] ?? '', 'base64').toString()
  const token = config.users[0]?.user.token ?? ''
  assert.equal(await statusOf(apiUrl, { ca }), 401)
  assert.equal(await statusOf(apiUrl, { ca, token: `${token}x` }), 401)
  assert.equal(await statusOf(apiUrl, { ca, token }), 200)
  await assert.rejects(statusOf(apiUrl, { token }), /certificate/)
  assert.equal((await fetch(`${routerUrl}/v1/models`)).status, 200)

  const { listening } = footprint(up)
  assert.ok(listening.length >= 2)
  assert.deepEqual(
    listening.filter((each) => !isLoopback(each)),
    [],
  )
})

for (const flag of ['api-port', 'router-port']) {
  test(`a taken --${flag} is an error that names the flag`, async (t) => {
    const port = await takenPort(t)
    const directory = temporaryDirectory(t)
    const up = startUp(t, directory, [`--${flag}`, String(port)])
    assert.equal(await up.ended, 1)
    assert.match(up.errors(), new RegExp(`^error: port ${port} .* is taken; .*--${flag}`, 'm'))
    // What the router says on standard error is kept, also when it has run for long.
    const log = readFileSync(join(directory, 'fairlead.log'), 'utf8')
    assert.equal(/"line":"error: port \d+ /.test(log), flag === 'router-port')
    assert.doesNotMatch(up.errors(), /^ {4}at |is it running/m)
  })
}

for (const flag of ['port', 'metrics-port']) {
  test(`a taken --${flag} of the router alone is an error that names the flag`, async (t) => {
    const port = await takenPort(t)
    const kubeconfig = join(temporaryDirectory(t), 'kubeconfig')
    const clusters = [{ name: 'c', cluster: { server: 'http://127.0.0.1:0' } }]
    const contexts = [{ name: 'c', context: { cluster: 'c', user: 'u' } }]
    const users = [{ name: 'u', user: {} }]
    writeFileSync(kubeconfig, JSON.stringify({ 'current-context': 'c', clusters, contexts, users }))
    const others = ['--kubeconfig', kubeconfig, '--port', '0', '--metrics-port', '0']
    const { code, err } = await fairlead(['router', ...others, `--${flag}`, String(port)])
    assert.match(err, new RegExp(`^error: port ${port} on 127.0.0.1 is taken; give another with --${flag},`, 'm'))
    assert.equal(code, 1)
  })
}

test('a second up on the same directory is refused and says who has it; the first goes on', async (t) => {
  const dataDir = temporaryDirectory(t)
  const first = startUp(t, dataDir)
  const { apiUrl } = await first.ready()
  const second = startUp(t, dataDir)
  assert.equal(await second.ended, 1)
  assert.match(second.errors(), /^error: .*(another|in use)/m)
  assert.ok(second.errors().includes(dataDir), second.errors())
  assert.ok(await isListening(Number(new URL(apiUrl).port)))
})

test('what was applied answers; stopped and started again, the same objects run and answer', async (t) => {
  const dataDir = temporaryDirectory(t)
  const identities = async (up: UpProcess) => {
    const client = clientOf(t, (await up.ready()).kubeconfig)
    const lists = await Promise.all([client.list(ModelBooster), client.list(Pod)])
    return lists.flatMap(({ items }) => items.map(({ metadata }) => metadata.uid))
  }
  const first = startUp(t, dataDir, ['--apply', quickstart])
  const { text } = await first.event('answer')
  assert.ok(String(text).length > 0)
  const before = await identities(first)
  assert.equal(before.length, 2)
  const left = footprint(first)
  assert.equal(await first.stop('SIGINT'), 0)
  await assertNothingLeft(left)

  const second = startUp(t, dataDir)
  const { routerUrl } = await second.ready()
  assert.deepEqual(await identities(second), before)
  const body = JSON.stringify({ model: 'quickstart', messages: [{ role: 'user', content: 'Say hello.' }] })
  let status = 0
  while (status !== 200) {
    const response = await fetch(`${routerUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    ;({ status } = response)
    const said = await response.text()
    assert.ok([200, 404, 502, 503].includes(status), `${status} ${said}`)
  }
  const again = footprint(second)
  assert.equal(await second.stop('SIGTERM'), 0)
  await assertNothingLeft(again)
})

test('killed, it leaves no process and no port', async (t) => {
  const up = startUp(t, temporaryDirectory(t))
  await up.ready()
  const left = footprint(up)
  assert.equal(await up.stop('SIGKILL'), 'SIGKILL')
  // The router's pipes are closed with its parent's, and it ends after that; `ended` waited for the parent alone.
  while (left.pids.some(alive)) await new Promise((resolve) => setImmediate(resolve))
  await assertNothingLeft(left)
})

test('the router comes back on its ports when it dies', async (t) => {
  const up = startUp(t, temporaryDirectory(t))
  const { routerUrl, metricsUrl } = await up.ready()
  assert.match(await (await fetch(metricsUrl)).text(), /^kthena_router_/m)
  const [router = 0] = descendants(up.child.pid ?? 0)
  process.kill(router, 'SIGKILL')
  for (const url of [routerUrl, metricsUrl]) {
    const port = Number(new URL(url).port)
    while (descendants(up.child.pid ?? 0).includes(router) || !(await isListening(port)))
      await new Promise((resolve) => setImmediate(resolve))
  }
})

test('--exit-when-active ends with 0 once every booster has answered; on nodes and runtimes of files too', async (t) => {
  const files = ['--nodes', example('local-pods/nodes.yaml'), '--runtimes', example('local-pods/runtimes.yaml')]
  const up = startUp(t, temporaryDirectory(t), ['--exit-when-active', '--apply', quickstart, ...files])
  const answer = await up.event('answer')
  assert.equal(answer['model'], 'quickstart')
  assert.equal(await up.ended, 0)
})

test('--exit-when-active waits for services of the catalog as well', async (t) => {
  const up = startUp(t, temporaryDirectory(t), ['--exit-when-active', '--apply', example('aim/service.yaml')])
  const answer = await up.event('answer')
  assert.equal(answer['model'], 'chat')
  assert.equal(await up.ended, 0)
})

const booster = (backend: string) => `apiVersion: workload.serving.volcano.sh/v1alpha1
kind: ModelBooster
metadata: {name: chat}
spec:
  backend: {${backend}}
`
const neverActive: Record<string, { text: string; want: RegExp }> = {
  'a file that the API refuses': {
    text: booster('name: a, type: Nonsense, modelURI: "hf://a/b", replicas: 1, workers: [{image: vllm}]'),
    want: /wrong\.yaml:\d+:\d+: .*spec\.backend\.type.*vLLM/,
  },
  'a booster that the planner refuses': {
    text: booster('name: a, type: MindIE, modelURI: "hf://a/b", replicas: 1, workers: [{image: vllm}]'),
    want: /ModelBooster default\/chat: .*type.*not supported/,
  },
}
for (const [name, { text, want }] of Object.entries(neverActive)) {
  test(`--exit-when-active ends with 1 for ${name}, and says why`, async (t) => {
    const directory = temporaryDirectory(t)
    const file = join(directory, 'wrong.yaml')
    writeFileSync(file, text)
    const up = startUp(t, join(directory, 'data'), ['--exit-when-active', '--apply', file])
    const { message } = await up.event('error')
    assert.match(String(message), want)
    assert.equal(await up.ended, 1)
  })
}

const refused: Record<string, { args: (directory: string) => string[]; code: number; want: RegExp }> = {
  'a file that is not there': {
    args: () => ['--apply', '/nowhere/x.yaml'],
    code: 1,
    want: /^error: cannot read \/nowhere\/x\.yaml: no such file/,
  },
  'a data directory that is a file': {
    args: (directory) => {
      writeFileSync(join(directory, 'file'), '')
      return ['--data-dir', join(directory, 'file')]
    },
    code: 1,
    want: /^error: cannot use .*file.*--data-dir/,
  },
  'a data directory that it may not write': {
    args: (directory) => {
      mkdirSync(join(directory, 'taken/fairlead.log'), { recursive: true })
      return ['--data-dir', join(directory, 'taken')]
    },
    code: 1,
    want: /^error: cannot use .*taken.*--data-dir/,
  },
  'a nodes file of another shape': {
    args: (directory) => {
      writeFileSync(join(directory, 'nodes.yaml'), 'nodes: [{labels: {a: b}}]\n')
      return ['--nodes', join(directory, 'nodes.yaml')]
    },
    code: 1,
    want: /^error: .*nodes\.yaml: nodes\.0\.name/,
  },
  'a runtimes file of another shape': {
    args: (directory) => {
      writeFileSync(join(directory, 'runtimes.yaml'), 'runtimes: [{image: x, runtime: podman}]\n')
      return ['--runtimes', join(directory, 'runtimes.yaml')]
    },
    code: 1,
    want: /^error: .*runtimes\.yaml: runtimes\.0\.runtime/,
  },
  'a port that is none': { args: () => ['--api-port', '99999'], code: 64, want: /a port is a number from 0 to 65535/ },
}
for (const [name, { args, code, want }] of Object.entries(refused)) {
  test(`up refuses ${name}`, async (t) => {
    const directory = temporaryDirectory(t)
    const { code: actual, err } = await fairlead(['up', '--data-dir', join(directory, 'data'), ...args(directory)])
    assert.match(err, want)
    assert.equal(actual, code)
  })
}

test('who stops reading stops it, without a word', async (t) => {
  const up = startUp(t, temporaryDirectory(t), ['--apply', quickstart])
  await up.ready()
  const { pids } = footprint(up)
  up.child.stdout?.destroy()
  assert.equal(await up.ended, 0)
  assert.equal(up.errors(), '')
  assert.deepEqual(pids.filter(alive), [])
})
