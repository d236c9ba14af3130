/**
 * A real cluster as ground: its own garbage collector and namespaces, our binders for its scheduler and storage, and our node
 * for its kubelets, each an ordinary client. Cleared before it is stood on; tests have it one after the other.
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '#base/clock.ts'
import { serveFetch } from '#cli/serve.ts'
import type { Runtime } from '#controller/controller.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import { type LocalNode, type NodeOptions, startNode } from '#embedded/node/node.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import type { Informer } from '#kube/informer.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { startSimulation } from '#simulator/simulation.ts'
import { type Ground, type GroundOptions, problemsOnly } from '../ground.ts'
import { startBinders } from './binders.ts'
import { openLines } from './lines.ts'
import type { ClusterTarget } from './target.ts'

/** Of the world before; one that comes with the same finds its objects again, as after a restart of everything. */
let dataDirBefore: string | undefined

export async function standOnCluster(target: ClusterTarget, options: GroundOptions): Promise<Ground> {
  const clock = systemClock
  const { log = problemsOnly, dataDir } = options
  const requests: AnsweredRequest[] = []
  await using stack = new AsyncDisposableStack()
  const clears = dataDir === undefined || dataDir !== dataDirBefore
  dataDirBefore = dataDir
  const lines = stack.use(await openLines(target, { tell: (request) => requests.push(request), clears }))
  const { bystander, url } = lines

  const clientOf = (userAgent: string) => createClient({ fetch: lines.lineOf('user'), baseUrl: url, userAgent, clock })
  const informers = stack.use(createInformers({ client: clientOf('kubernetes'), clock, log, freeze: true }))
  const runtime = (name: string): Runtime => ({ client: clientOf(name), informers, clock, log })
  const binders = stack.use(await startBinders(runtime('kubernetes')))
  const simulation = options.simulation ?? stack.use(startSimulation())
  for (const entry of options.nodes ?? [{ name: 'local', acceptsAll: true }]) {
    const node = await startListeningNode(target, {
      ...runtime(`kubelet-${entry.name}`),
      acceptsAll: false,
      ...entry,
      dataDir: dataDir ?? join(tmpdir(), 'fairlead-test-node'),
      simulation,
      ...(options.runtimes !== undefined && { runtimes: options.runtimes }),
    })
    stack.use(node)
  }

  async function holdsAll(kind: Kind, cache: Informer<Resource>): Promise<boolean> {
    const versionOf = ({ metadata }: Resource): string => `${metadata.uid} ${metadata.resourceVersion}`
    const { items } = await bystander.list(kind)
    const versions = new Set(items.map(versionOf))
    const cached = cache.list()
    return cached.length === items.length && cached.every((object) => versions.has(versionOf(object)))
  }

  const started = stack.move()
  return {
    lineOf: (who) => lines.lineOf(who),
    url,
    requests,
    idle: () => binders.idle(),
    caughtUp: async (caches) =>
      (await Promise.all(Array.from(caches, ([kind, cache]) => holdsAll(kind, cache)))).every(Boolean),
    patienceMs: 60_000,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

/** A node whose kubelet the API server can ask for logs, where it would believe it. */
async function startListeningNode({ identity }: ClusterTarget, options: NodeOptions): Promise<AsyncDisposable> {
  if (identity === undefined) return startNode(options)
  const started = Promise.withResolvers<LocalNode>()
  const kubelet = await serveFetch({
    fetch: async (request) => (await started.promise).fetch(request),
    host: '127.0.0.1',
    port: 0,
    tls: identity,
  })
  const node = await startNode({ ...options, kubeletPort: kubelet.port })
  started.resolve(node)
  return {
    async [Symbol.asyncDispose]() {
      await node[Symbol.asyncDispose]()
      await kubelet.close()
    },
  }
}
