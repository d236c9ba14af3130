/**
 * A real cluster as ground: its own garbage collector and namespaces, our pod binder for its scheduler, and our node for its
 * kubelets, each an ordinary client. Cleared before it is stood on; tests have it one after the other.
 */
import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { Node, Pod, CustomResourceDefinition, PersistentVolumeClaim } from '#api/core/kinds.ts'
import { systemClock } from '#base/clock.ts'
import { serveFetch } from '#cli/serve.ts'
import type { Runtime } from '#controller/controller.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import { startPodBinder } from '#embedded/builtin/pod-binder.ts'
import { startPvcBinder } from '#embedded/builtin/pvc-binder.ts'
import { type LocalNode, startNode } from '#embedded/node/node.ts'
import { createClient } from '#kube/create-client.ts'
import { createInformers } from '#kube/create-informers.ts'
import type { CredentialSource } from '#kube/credentials.ts'
import type { Informer } from '#kube/informer.ts'
import { loadClusterAccess } from '#kube/kubeconfig.ts'
import { connect } from '#kube/transport.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'
import { startSimulation } from '#simulator/simulation.ts'
import { type Ground, type GroundOptions, problemsOnly, type Who } from '../ground.ts'
import { clear } from './clear.ts'
import { recorded } from './requests.ts'
import type { ClusterTarget } from './target.ts'

/** Of the world before; one that comes with the same finds its objects again, as after a restart of everything. */
let dataDirBefore: string | undefined

export async function standOnCluster(target: ClusterTarget, options: GroundOptions): Promise<Ground> {
  const clock = systemClock
  const requests: AnsweredRequest[] = []
  await using stack = new AsyncDisposableStack()
  const access = loadClusterAccess({ env: {}, path: target.kubeconfig })
  const unseen = (credentials = access.credentials): Fetch => stack.use(connect({ ...access, credentials })).fetch
  const line = (credentials?: CredentialSource): Fetch =>
    recorded(unseen(credentials), (request) => requests.push(request))
  const bearer = (token: string) => ({ get: async () => ({ authorization: `Bearer ${token}` }), refused: () => false })
  const lines: Readonly<Record<Who, Fetch>> = {
    user: line(),
    manager: line(bearer(target.tokens.manager)),
    router: line(bearer(target.tokens.router)),
  }
  const clientOf = (userAgent: string) => createClient({ fetch: lines.user, baseUrl: access.server, userAgent, clock })
  const bystander = createClient({ fetch: unseen(), baseUrl: access.server, userAgent: 'test-bystander', clock })
  if (options.dataDir === undefined || options.dataDir !== dataDirBefore) await clear(bystander)
  dataDirBefore = options.dataDir

  const { log = problemsOnly } = options
  const informers = stack.use(createInformers({ client: clientOf('kubernetes'), clock, log, freeze: true }))
  const runtime = (name: string): Runtime => ({ client: clientOf(name), informers, clock, log })
  const binders = [startPodBinder(runtime('kube-scheduler')), startPvcBinder(runtime('kubernetes'))]
  const seen: readonly Kind[] = [CustomResourceDefinition, Node, PersistentVolumeClaim, Pod] as readonly Kind[]
  await Promise.all(seen.map((kind) => informers.of(kind).synced()))
  for (const binder of binders) stack.use(binder).start()
  const simulation = options.simulation ?? stack.use(startSimulation())
  for (const entry of options.nodes ?? [{ name: 'local', acceptsAll: true }]) {
    let node: LocalNode | undefined
    const kubelet =
      target.identity === undefined
        ? undefined
        : await serveFetch({
            fetch: async (request) => node?.fetch(request) ?? new Response(null, { status: 503 }),
            host: '127.0.0.1',
            port: 0,
            tls: target.identity,
          })
    if (kubelet !== undefined) stack.defer(() => kubelet.close())
    node = await startNode({
      ...runtime(`kubelet-${entry.name}`),
      acceptsAll: false,
      ...entry,
      dataDir: options.dataDir ?? join(tmpdir(), 'fairlead-test-node'),
      simulation,
      ...(kubelet !== undefined && { kubeletPort: kubelet.port }),
      ...(options.runtimes !== undefined && { runtimes: options.runtimes }),
    })
    stack.use(node)
  }

  const started = stack.move()
  return {
    lineOf: (who) => lines[who],
    url: access.server,
    requests,
    idle: () => binders.every((binder) => binder.idle()),
    async caughtUp(caches) {
      return (await Promise.all(Array.from(caches, ([kind, cache]) => holdsAll(kind, cache)))).every(Boolean)
    },
    patienceMs: 60_000,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }

  async function holdsAll(kind: Kind, cache: Informer<Resource>): Promise<boolean> {
    const versionOf = ({ metadata }: Resource): string => `${metadata.uid} ${metadata.resourceVersion}`
    const { items } = await bystander.list(kind)
    const versions = new Set(items.map(versionOf))
    const cached = cache.list()
    return cached.length === items.length && cached.every((object) => versions.has(versionOf(object)))
  }
}
