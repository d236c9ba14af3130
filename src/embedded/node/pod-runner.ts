import type { Clock, Timer } from '#base/clock.ts'
import { isFault, messageOf } from '#base/fault.ts'
import type { Log } from '#base/log.ts'
import { Pod } from '#api/core/kinds.ts'
import type { Container, ContainerStatus } from '#api/core/types.generated.ts'
import type { Why } from '#controller/domain.ts'
import type { Client } from '#kube/client.ts'
import { hostPortsAnnotation } from '#kube/local-node.ts'
import { placeOf } from '#machinery/kind.ts'
import type { Addresses } from './addresses.ts'
import { type Backoff, ContainerRunner, type Preparation, type RestartPolicy } from './container-runner.ts'
import { podStatus } from './pod-status.ts'
import type { Prober } from './probe.ts'
import { StatusWriter } from './status-writer.ts'

export interface PodRunnerOptions {
  readonly pod: Pod
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly addresses: Addresses
  readonly backoff: Backoff
  readonly prober: Prober
  /** What a container of the pod needs to start. */
  readonly prepare: (pod: Pod, container: Container, podIP: string) => Preparation
  /** Whether an image runs in the simulator. */
  readonly isSimulated: (image: string) => boolean
  readonly tell: (pod: Pod, why: Why) => void
  /** Removes what the pod had on this machine. */
  readonly cleanUp: (pod: Pod) => Promise<void>
}

/** As long is a pod seen on its way out: `kubectl delete` looks again, and would wait forever for one made anew in between. */
const leastTerminatingMs = 200
const deleteRetryMs = 1_000

/** One pod: init containers in order, then containers side by side, until it ends or is deleted. */
export class PodRunner {
  readonly #options: PodRunnerOptions
  readonly #podIP: string
  readonly #startedMs: number
  readonly #writer: StatusWriter
  readonly #inits: readonly ContainerRunner[]
  readonly #mains: readonly ContainerRunner[]
  readonly #simulated: boolean
  /** Container port → port of the machine. */
  readonly #ports = new Map<number, number>()
  #pod: Pod
  #initialized = false
  #ended: { failed: boolean; reason?: string; message?: string } | undefined
  #terminating: Promise<void> | undefined
  /** When containers that are being stopped are killed. */
  #killAtMs = Number.POSITIVE_INFINITY
  #deadline: Timer | undefined
  #closed = false

  constructor(options: PodRunnerOptions) {
    const { pod, addresses, client, clock, log } = options
    this.#options = options
    this.#pod = pod
    this.#podIP = addresses.take(pod.metadata.uid ?? '', pod.status?.podIP)
    this.#startedMs = pod.status?.startTime === undefined ? clock.now() : Date.parse(pod.status.startTime)
    this.#writer = new StatusWriter({
      client,
      clock,
      log,
      place: placeOf(pod),
      uid: pod.metadata.uid ?? '',
      current: () => this.#status(),
    })
    const policy = restartPolicy(pod.spec?.restartPolicy)
    const { initContainers = [], containers = [] } = pod.spec ?? {}
    this.#simulated = [...initContainers, ...containers].some(({ image = '' }) => options.isSimulated(image))
    this.#inits = initContainers.map((container) => {
      const sidecar = container.restartPolicy === 'Always'
      const restart = sidecar ? 'Always' : policy === 'Never' ? 'Never' : 'OnFailure'
      return this.#runner(container, restart, pod.status?.initContainerStatuses)
    })
    this.#mains = containers.map((container) => this.#runner(container, policy, pod.status?.containerStatuses))
  }

  start(): void {
    const { clock } = this.#options
    const seconds = this.#pod.spec?.activeDeadlineSeconds
    if (seconds !== undefined) {
      this.#deadline = clock.after(this.#startedMs + seconds * 1000 - clock.now(), () => void this.#expire())
    }
    this.#advance()
  }

  /** The pod as the API has it now. */
  update(pod: Pod): void {
    const gates = pod.spec?.readinessGates
    const before = this.#pod
    this.#pod = pod
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (this.#terminating === undefined) this.#terminating = this.#terminate()
      else this.#hasten()
    } else if (gates !== undefined && gates.length > 0 && before.status !== pod.status) this.#writer.changed()
  }

  /** A Secret or ConfigMap changed: what waited for it may start now. */
  retry(): void {
    if (this.#ended === undefined && this.#terminating === undefined) this.#advance()
  }

  container(name: string): ContainerRunner | undefined {
    return [...this.#inits, ...this.#mains].find((runner) => runner.name === name)
  }

  get pod(): Pod {
    return this.#pod
  }

  get podIP(): string {
    return this.#podIP
  }

  /** The pod is gone from the API, or the node stops: everything ends now, nothing is written. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#deadline?.cancel()
    for (const runner of [...this.#mains, ...this.#inits]) runner.kill()
    await this.#writer.close()
    this.#options.addresses.release(this.#pod.metadata.uid ?? '')
  }

  #runner(
    container: Container,
    restart: RestartPolicy,
    statuses: readonly ContainerStatus[] | undefined,
  ): ContainerRunner {
    const { clock, backoff, prober, prepare, tell, addresses } = this.#options
    return new ContainerRunner({
      container,
      restart,
      clock,
      backoff,
      prober,
      restartCount: statuses?.find(({ name }) => name === container.name)?.restartCount ?? 0,
      graceMs: () => (this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000,
      prepare: () => prepare(this.#pod, container, this.#podIP),
      changed: () => this.#changed(),
      tell: (why) => tell(this.#pod, why),
      listening: (port, hostPort) => {
        this.#ports.set(port, hostPort)
        if (addresses.mapped) this.#annotatePorts()
        for (const one of [...this.#inits, ...this.#mains]) one.poke()
      },
      locate: (port) => {
        const hostPort = this.#ports.get(port) ?? (addresses.mapped ? undefined : port)
        return hostPort === undefined ? undefined : { host: this.#podIP, port: hostPort }
      },
    })
  }

  #changed(): void {
    if (this.#closed) return
    if (this.#terminating === undefined) this.#advance()
    this.#writer.changed()
  }

  /** Starts what is next. Safe to call at any time. */
  #advance(): void {
    if (this.#ended !== undefined || this.#closed) return
    if (!this.#initialized) {
      for (const init of this.#inits) {
        const { exitCode } = init
        if (exitCode === 0 || (init.isSidecar && init.isStarted)) continue
        if (exitCode !== undefined) return this.#end(true)
        return init.start()
      }
      this.#initialized = true
    }
    for (const main of this.#mains) main.start()
    const exitCodes = this.#mains.map(({ exitCode }) => exitCode)
    if (exitCodes.length > 0 && !exitCodes.includes(undefined)) this.#end(exitCodes.some((code) => code !== 0))
  }

  #end(failed: boolean, reason?: string, message?: string): void {
    this.#ended = {
      failed,
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    }
    for (const init of this.#inits) init.kill() // sidecars end with the last container
    this.#writer.changed()
  }

  async #expire(): Promise<void> {
    if (this.#ended !== undefined || this.#terminating !== undefined) return
    const message = 'Pod was active on the node longer than the specified deadline'
    this.#end(true, 'DeadlineExceeded', message)
    await this.#stopAll()
  }

  /** Never rejects: what fails is tried again, for a pod that stays behind would keep its name. */
  async #terminate(): Promise<void> {
    const { client, clock, log, cleanUp } = this.#options
    this.#deadline?.cancel()
    const { uid = '' } = this.#pod.metadata
    const seen = new Promise<void>((resolve) => clock.after(leastTerminatingMs, resolve))
    try {
      await this.#stopAll()
      await this.#writer.close()
      await cleanUp(this.#pod)
      await seen
      await client.delete(Pod, placeOf(this.#pod), { gracePeriodSeconds: 0, uid })
    } catch (error) {
      if (isFault(error, 'missing') || isFault(error, 'conflict')) return // gone; perhaps its name lives again
      log.warn('pod not deleted', { pod: placeOf(this.#pod), error: messageOf(error) })
      if (!this.#closed) {
        clock.after(deleteRetryMs, () => {
          this.#terminating = this.#terminate()
        })
      }
    }
  }

  /** Deleted again, and now with less time. */
  #hasten(): void {
    const killAtMs = this.#endOfGraceMs()
    if (killAtMs >= this.#killAtMs) return
    this.#killAtMs = killAtMs
    const leftMs = killAtMs - this.#options.clock.now()
    for (const runner of [...this.#mains, ...this.#inits]) void runner.stop(leftMs)
  }

  #endOfGraceMs(): number {
    const { spec, metadata } = this.#pod
    const seconds = metadata.deletionGracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? 30
    return this.#options.clock.now() + seconds * 1000
  }

  async #stopAll(): Promise<void> {
    const { spec } = this.#pod
    this.#killAtMs = this.#endOfGraceMs()
    const left = () => this.#killAtMs - this.#options.clock.now()
    const stop = async (runner: ContainerRunner, container: Container) => {
      const hook = container.lifecycle?.preStop
      const runs = runner.isRunning && !this.#options.isSimulated(container.image ?? '')
      if (hook !== undefined && runs && left() > 0) await runner.preStop(hook, left())
      await runner.stop(left())
    }
    await Promise.all(this.#mains.map((runner, i) => stop(runner, spec?.containers[i] ?? { name: runner.name })))
    await Promise.all(this.#inits.map((runner) => runner.stop(left())))
  }

  #annotatePorts(): void {
    const { client, log } = this.#options
    const annotations = { [hostPortsAnnotation]: JSON.stringify(Object.fromEntries(this.#ports)) }
    const patch = { metadata: { annotations } }
    client.patch(Pod, placeOf(this.#pod), { type: 'merge', patch }).catch((error: unknown) => {
      log.warn('ports not told', { pod: placeOf(this.#pod), error: messageOf(error) })
    })
  }

  #status() {
    return podStatus(
      this.#pod,
      {
        podIP: this.#podIP,
        hostIP: this.#options.addresses.hostIP,
        startedMs: this.#startedMs,
        initialized: this.#initialized,
        initStatuses: this.#inits.map((runner) => initStatus(runner)),
        containerStatuses: this.#mains.map((runner) => runner.status()),
        ended: this.#ended,
        simulated: this.#simulated,
      },
      this.#options.clock.now(),
    )
  }
}

/** An init container that has succeeded counts as ready. */
function initStatus(runner: ContainerRunner): ContainerStatus {
  const status = runner.status()
  return runner.exitCode === 0 ? { ...status, ready: true } : status
}

function restartPolicy(policy: string | undefined): RestartPolicy {
  return policy === 'Never' || policy === 'OnFailure' ? policy : 'Always'
}
