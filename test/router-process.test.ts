/** `fairlead router` as a process of a cluster: where it listens, what it reads, how it goes. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Namespace, Pod } from '#api/core/kinds.ts'
import { listeningOf } from './listening.ts'
import { type ManagedCluster, startManagedCluster } from './manager-process.ts'

const program = fileURLToPath(new URL('../bin/fairlead.cjs', import.meta.url))

interface RouterProcess {
  readonly child: ChildProcess
  readonly url: string
  readonly metricsUrl: string
  readonly ended: Promise<number>
}

async function startRouter(t: TestContext, kubeconfig: string, args: readonly string[]): Promise<RouterProcess> {
  const ports = ['--port', '0', '--metrics-port', '0', '--json']
  const child = spawn(process.execPath, [program, 'router', '--kubeconfig', kubeconfig, ...ports, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close').then(([code]) => code as number)
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  const lines = createInterface({ input: child.stdout })
  const [line] = (await once(lines, 'line')) as [string]
  const { port, metricsPort } = JSON.parse(line) as { port: number; metricsPort: number }
  return { child, url: `http://127.0.0.1:${port}`, metricsUrl: `http://127.0.0.1:${metricsPort}`, ended }
}

const apiVersion = 'networking.serving.volcano.sh/v1alpha1'

/** A model of one pod, which is an engine of this very process. */
async function serve(cluster: ManagedCluster, namespace: string, model: string, port: number): Promise<void> {
  const metadata = { namespace, name: model }
  const labels = { app: model }
  await cluster.apply({
    apiVersion,
    kind: 'ModelServer',
    metadata,
    spec: { inferenceEngine: 'vLLM', workloadSelector: { matchLabels: labels }, workloadPort: { port } },
  })
  await cluster.apply({
    apiVersion,
    kind: 'ModelRoute',
    metadata,
    spec: { modelName: model, rules: [{ targetModels: [{ modelServerName: model }] }] },
  })
  // On a node that nobody is, so that its status is ours to tell.
  const spec = { nodeName: 'elsewhere', containers: [{ name: 'engine', image: 'engine' }] }
  const made = { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, labels }, spec }
  const pod = await cluster.client.create(Pod, made)
  const conditions = ['ContainersReady', 'Ready'].map((type) => ({ type, status: 'True' as const }))
  await cluster.client.updateStatus(Pod, { ...pod, status: { phase: 'Running', podIP: '127.0.0.1', conditions } })
}

/** Answers when it is told to. */
async function engine(t: TestContext) {
  const calls: ServerResponse[] = []
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      calls.push(response)
      server.emit('called')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, calls, port: (server.address() as AddressInfo).port }
}

const chat = (model: string): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hello' }], stream: true }),
})

const textOf = async (url: string): Promise<string> => (await fetch(url)).text()

const modelsOf = async ({ url }: RouterProcess): Promise<string[]> => {
  const { data } = (await (await fetch(`${url}/v1/models`)).json()) as { data: { id: string }[] }
  return data.map(({ id }) => id)
}

test('told its namespaces, a router reads nothing beyond them; told all addresses, it listens on all', async (t) => {
  const cluster = await startManagedCluster(t)
  for (const name of ['red', 'blue'])
    await cluster.client.create(Namespace, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  for (const name of ['red', 'blue', 'default']) await serve(cluster, name, `of-${name}`, 1)
  const since = cluster.requests.length
  const flags = ['--namespaces', 'red,default', '--bind-address', '0.0.0.0']
  const router = await startRouter(t, cluster.kubeconfig, flags)
  for (const url of [router.url, router.metricsUrl]) {
    assert.equal((await fetch(`${url}/healthz`)).status, 200)
    await cluster.until('it is ready', async () => (await fetch(`${url}/readyz`)).status === 200)
  }
  assert.deepEqual(await modelsOf(router), ['of-default', 'of-red'])
  const asked = cluster.requests.slice(since).filter(({ userAgent }) => userAgent.startsWith('fairlead/'))
  assert.deepEqual(new Set(asked.map(({ namespace }) => namespace)), new Set(['red', 'default']))
  assert.ok(asked.every(({ verb }) => verb === 'watch' || verb === 'list'))
  assert.deepEqual(
    listeningOf(router.child.pid ?? 0).map(({ address }) => address),
    ['00000000', '00000000'],
  )
})

test('a router that is told to stop ends the answers under way, takes no others, and goes in time', async (t) => {
  const cluster = await startManagedCluster(t)
  const { server, calls, port } = await engine(t)
  await serve(cluster, 'default', 'chat', port)
  const router = await startRouter(t, cluster.kubeconfig, ['--drain-seconds', '60'])
  await cluster.until('the pod', async () => /"ready":true/.test(await textOf(`${router.metricsUrl}/debug/endpoints`)))
  const called = once(server, 'called')
  const answer = fetch(`${router.url}/v1/chat/completions`, chat('chat'))
  await called
  const [call] = calls
  call?.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: {"first":true}\n\n')
  const response = await answer

  router.child.kill('SIGTERM')
  await cluster.until('it says so', async () => (await fetch(`${router.metricsUrl}/readyz`)).status === 503)
  await assert.rejects(fetch(`${router.url}/v1/models`))
  call?.end('data: [DONE]\n\n')
  assert.match(await response.text(), /"first":true[^]*\[DONE\]/)
  const endedMs = Date.now()
  assert.equal(await router.ended, 0)
  assert.ok(Date.now() - endedMs < 10_000, 'with 60 seconds to drain')
})
