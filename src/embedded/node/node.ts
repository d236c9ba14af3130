import type { Clock } from '#base/clock.ts'
import { messageOf } from '#base/fault.ts'
import type { Log } from '#base/log.ts'
import { ConfigMap, Pod, Secret } from '#api/core/kinds.ts'
import { EventRecorder } from '#controller/events.ts'
import type { Client } from '#kube/client.ts'
import type { Informers } from '#kube/informer.ts'
import type { Fetch } from '#machinery/http.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import { type Addresses, addressesFor } from './addresses.ts'
import { type Backoff, kubeletBackoff } from './container-runner.ts'
import { kubeletApi } from './kubelet-api.ts'
import { keepNode, machineCapacity } from './node-object.ts'
import { PodRunner } from './pod-runner.ts'
import { Preparer } from './preparer.ts'
import { networkProber, type Prober } from './probe.ts'
import { processRuntime } from './process-runtime.ts'
import { defaultRuntimes, type RuntimeEntry, runtimeOf, type RuntimesConfig } from './runtimes-config.ts'
import { simulatedRuntime, type SimulationHandle } from './simulated-runtime.ts'
import type { ContainerRuntime } from './container-runtime.ts'

export interface NodeOptions {
  readonly client: Client
  /** Of all namespaces; the node looks at Pods, Secrets and ConfigMaps. */
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Log
  /** Default `local`. */
  readonly name?: string
  readonly labels?: Readonly<Record<string, string>>
  /** Beside or instead of the machine's own. */
  readonly capacity?: Readonly<Record<string, string>>
  /** Whether any pod fits, whatever it asks for; default true. */
  readonly acceptsAll?: boolean
  /** Where volumes of processes live. */
  readonly dataDir: string
  readonly runtimes?: RuntimesConfig
  readonly simulation: SimulationHandle
  /** Where `fetch` listens over TLS, for an API server that is not of this process. */
  readonly kubeletPort?: number
  readonly addresses?: Addresses
  readonly backoff?: Backoff
  readonly prober?: Prober
  /** Kubernetes version to report; default that of the pinned API. */
  readonly version?: string
}

/** A running node; disposing it ends its containers and leaves the pods in the API, to be picked up again. */
export interface LocalNode extends AsyncDisposable {
  readonly name: string
  /** What an API server asks of a kubelet: container logs. */
  readonly fetch: Fetch
}

/** Registers a node and runs the pods that are bound to it. Resolves when it is registered and sees its pods. */
export async function startNode(options: NodeOptions): Promise<LocalNode> {
  const { client, informers, clock, log, simulation, dataDir } = options
  const { name = 'local', runtimes = defaultRuntimes, prober = networkProber, backoff = kubeletBackoff } = options
  const addresses = options.addresses ?? addressesFor(process.platform)
  const stopped = new AbortController()
  const events = new EventRecorder({ client, clock, log, component: 'kubelet' })
  const running = new Map<string, PodRunner>() // by uid
  const byPlace = new Map<string, PodRunner>()
  const pods = informers.of(Pod)
  const secrets = informers.of(Secret)
  const configMaps = informers.of(ConfigMap)
  const capacity = { ...machineCapacity(), ...options.capacity }
  const simulator = simulatedRuntime(simulation)

  const resolveHost = (host: string) => {
    const [pod = '', namespace = ''] = host.split('.')
    return byPlace.get(`${namespace}/${pod}`)?.podIP
  }
  const runtimeFor = (entry: RuntimeEntry): ContainerRuntime =>
    entry.runtime === 'simulated' ? simulator : processRuntime(entry, resolveHost)

  const preparer = new Preparer({
    runtimes,
    runtimeFor,
    secrets,
    configMaps,
    addresses,
    capacity,
    dataDir,
    log,
    retry: (uid) => running.get(uid)?.retry(),
  })

  const adopt = (pod: Pod) => {
    if (pod.spec?.nodeName !== name) return
    const { uid = '' } = pod.metadata
    const known = running.get(uid)
    if (known !== undefined) return known.update(pod)
    const { phase } = pod.status ?? {}
    const over = phase === 'Succeeded' || phase === 'Failed'
    if (over && pod.metadata.deletionTimestamp === undefined) return
    const runner = new PodRunner({
      pod,
      client,
      clock,
      log,
      addresses,
      backoff,
      prober,
      prepare: (object, container, podIP) => preparer.prepare(object, container, podIP),
      isSimulated: (image) => runtimeOf(image, runtimes, pod.metadata.labels)?.runtime === 'simulated',
      tell: (object, why) => events.happened(object, why),
      cleanUp: (object) => preparer.cleanUp(object),
    })
    running.set(uid, runner)
    byPlace.set(keyOf(placeOf(pod)), runner)
    if (pod.metadata.deletionTimestamp === undefined) runner.start()
    else runner.update(pod)
  }
  const drop = (pod: Pod) => {
    const runner = running.get(pod.metadata.uid ?? '')
    if (runner === undefined) return
    running.delete(pod.metadata.uid ?? '')
    if (byPlace.get(keyOf(placeOf(pod))) === runner) byPlace.delete(keyOf(placeOf(pod)))
    runner.close().catch((error: unknown) => log.error('pod not closed', { error: messageOf(error) }))
  }
  const retry = ({ metadata }: Secret | ConfigMap) => {
    for (const runner of running.values()) {
      if (runner.pod.metadata.namespace === metadata.namespace) runner.retry()
    }
  }

  const facts = {
    name,
    labels: options.labels ?? {},
    capacity,
    acceptsAll: options.acceptsAll ?? true,
    simulates: runtimes.runtimes.some(({ runtime }) => runtime === 'simulated'),
    hostIP: addresses.hostIP,
    version: options.version ?? 'v1.37.2',
    ...(options.kubeletPort !== undefined && { kubeletPort: options.kubeletPort }),
  }
  await keepNode(facts, { client, clock, log }, stopped.signal)
  await Promise.all([secrets.synced(stopped.signal), configMaps.synced(stopped.signal)])
  const unsubscribe = [
    pods.subscribe({ upsert: adopt, remove: drop }),
    secrets.subscribe({ upsert: retry, remove() {} }),
    configMaps.subscribe({ upsert: retry, remove() {} }),
  ]
  await pods.synced(stopped.signal)
  log.info('node started', { node: name, pods: running.size })

  return {
    name,
    fetch: kubeletApi({
      find: (namespace, pod, container) => byPlace.get(`${namespace}/${pod}`)?.container(container),
      now: () => clock.now(),
    }),
    async [Symbol.asyncDispose]() {
      stopped.abort(new DOMException('the node was stopped', 'AbortError'))
      for (const stop of unsubscribe) stop()
      await Promise.all(Array.from(running.values(), (runner) => runner.close()))
      await events.stop()
    },
  }
}
