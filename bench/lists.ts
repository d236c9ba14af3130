/**
 * Large lists and many watchers of the API server, over HTTP from another process: how long an answer takes, and the
 * longest that the server's event loop stood still for it.
 *
 * `node bench/lists.ts [--objects 5000] [--runs 5]`
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { coreKinds } from '#api/core/kinds.ts'
import { crdOf } from '#api/crd.ts'
import { ownKinds } from '#api/kinds.ts'
import { ModelServing } from '#api/model-serving.ts'
import { tokenAuthenticator } from '#cli/identity.ts'
import { serveFetch } from '#cli/serve.ts'
import { createApiServer } from '#embedded/apiserver/server.ts'
import { openStore } from '#embedded/store/store.ts'
import { createClient } from '#kube/create-client.ts'
import { collectionPath } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { mib, pause, printTable, type Row } from './measure.ts'

const { values: options } = parseArgs({
  options: {
    objects: { type: 'string', default: '5000' },
    runs: { type: 'string', default: '5' },
    serve: { type: 'boolean', default: false },
  },
})
const objects = Number(options.objects)
const watchers = 50
const writesWatched = 500
const delayResolutionMs = 1
const path = collectionPath(ModelServing, 'default')
const tableType = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'
const authorization = 'Bearer bench'

if (options.serve) await serve()
else await measure()

/** Serves `objects` ModelServings; answers each message with the longest stall since the last one, in ms. */
async function serve(): Promise<void> {
  const server = await createApiServer({
    store: openStore({ path: ':memory:' }),
    kinds: coreKinds,
    customKinds: ownKinds.map(crdOf),
    authenticate: tokenAuthenticator('bench'),
  })
  const client = createClient({
    fetch: (request) => {
      request.headers.set('authorization', 'Bearer bench')
      return server.fetch(request)
    },
  })
  for (let index = 0; index < objects; index++) await client.create(ModelServing, serving(index))
  const { port } = await serveFetch({ fetch: server.fetch, host: '127.0.0.1', port: 0 })
  const delay = monitorEventLoopDelay({ resolution: delayResolutionMs })
  delay.enable()
  process.on('message', () => {
    process.send?.({ stallMs: delay.max / 1e6 - delayResolutionMs })
    delay.reset()
  })
  process.once('disconnect', () => process.exit())
  process.send?.({ port })
}

async function measure(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['--serve', '--objects', String(objects)])
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }]
    const base = `http://127.0.0.1:${port}`
    const stall = async (): Promise<number> => {
      child.send('stall')
      const [{ stallMs }] = (await once(child, 'message')) as [{ stallMs: number }]
      return stallMs
    }
    const cases = {
      'all at once': () => read(`${base}${path}`),
      'pages of 500': () => pages(base),
      'all as a Table': () => read(`${base}${path}`, tableType),
      [`${watchers} watchers see ${writesWatched} writes`]: () => fanOut(base),
    }
    const rows: Row[] = []
    for (const [what, run] of Object.entries(cases)) {
      const [times, stalls, sizes]: [number[], number[], number[]] = [[], [], []]
      await run()
      for (let round = 0; round < Number(options.runs); round++) {
        await pause(200)
        await stall()
        const startMs = performance.now()
        sizes.push((await run()) / mib)
        times.push(performance.now() - startMs)
        stalls.push(await stall())
      }
      rows.push(
        { what, unit: 'ms', values: times },
        { what: `${what}: answer`, unit: 'MiB', values: sizes },
        { what: `${what}: longest stall`, unit: 'ms', values: stalls, budget: '≤ 50' },
      )
    }
    printTable(`${objects} ModelServings`, rows)
  } finally {
    child.disconnect()
  }
}

/** Resolves to the bytes of the answer. */
async function read(url: string, accept = 'application/json'): Promise<number> {
  return (await text(url, accept)).length
}

async function text(url: string, accept = 'application/json'): Promise<string> {
  const response = await fetch(url, { headers: { authorization, accept } })
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`)
  return response.text()
}

async function pages(base: string): Promise<number> {
  let bytes = 0
  let next = ''
  do {
    const page = await text(`${base}${path}?limit=500&continue=${encodeURIComponent(next)}`)
    bytes += page.length
    next = (JSON.parse(page) as { metadata: { continue?: string } }).metadata.continue ?? ''
  } while (next !== '')
  return bytes
}

/** Resolves to the bytes that all watchers got, once each has seen every write. */
async function fanOut(base: string): Promise<number> {
  const { metadata } = JSON.parse(await text(`${base}${path}?limit=1`)) as { metadata: { resourceVersion: string } }
  const stop = new AbortController()
  const seen = Array.from({ length: watchers }, async () => {
    const url = `${base}${path}?watch=true&resourceVersion=${metadata.resourceVersion}`
    const response = await fetch(url, { headers: { authorization }, signal: stop.signal })
    let bytes = 0
    let lines = 0
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) lines++
      if (lines >= writesWatched) break
    }
    return bytes
  })
  const label = String(performance.now())
  const queue = Array.from({ length: writesWatched }, (_, index) => index).values()
  const writer = async (): Promise<void> => {
    for (const index of queue) {
      const response = await fetch(`${base}${path}/serving-${index}`, {
        method: 'PATCH',
        headers: { authorization, 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify({ metadata: { annotations: { bench: label } } }),
      })
      if (!response.ok) throw new Error(await response.text())
      await response.arrayBuffer()
    }
  }
  await Promise.all(Array.from({ length: 8 }, writer))
  const bytes = (await Promise.all(seen)).reduce((sum, each) => sum + each, 0)
  stop.abort()
  return bytes
}

function serving(index: number): AnyResource {
  const template = {
    metadata: { labels: { app: 'bench' } },
    spec: {
      containers: [
        {
          name: 'engine',
          image: 'vllm/vllm-openai:latest',
          command: ['python3', '-m', 'vllm.entrypoints.openai.api_server'],
          args: ['--model', '/models/qwen', '--served-model-name', `model-${index}`, '--port', '8000'],
          env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
          ports: [{ containerPort: 8000, protocol: 'TCP' }],
          resources: { limits: { 'nvidia.com/gpu': '1', cpu: '8', memory: '64Gi' } },
          volumeMounts: [{ name: 'models', mountPath: '/models' }],
          readinessProbe: { httpGet: { path: '/health', port: 8000 }, periodSeconds: 10 },
        },
      ],
      volumes: [{ name: 'models', emptyDir: {} }],
    },
  }
  return {
    apiVersion: 'workload.serving.volcano.sh/v1alpha1',
    kind: 'ModelServing',
    metadata: { name: `serving-${index}`, namespace: 'default', labels: { app: 'bench' } },
    spec: {
      schedulerName: 'default-scheduler',
      replicas: 1,
      template: { roles: [{ name: 'leader', replicas: 1, workerReplicas: 0, entryTemplate: template }] },
    },
  }
}
