import { join } from 'node:path'
import type { ConfigMap, Pod, Secret } from '#api/core/kinds.ts'
import type { Container } from '#api/core/types.generated.ts'
import { messageOf } from '#base/fault.ts'
import { factsOf, type Log } from '#base/log.ts'
import type { Informer } from '#kube/informer.ts'
import { simulateAnnotationPrefix, simulateVariable } from '#simulator/simulate-options.ts'
import type { Addresses } from './addresses.ts'
import type { Preparation } from './container-runner.ts'
import type { ContainerRuntime } from './container-runtime.ts'
import { resolveEnvironment } from './environment.ts'
import { expandVariables } from './expand.ts'
import { noRuntimeMessage, type RuntimeEntry, runtimeOf, type RuntimesConfig } from './runtimes-config.ts'
import { prepareVolumes, removeVolumes } from './volumes.ts'

export interface PreparerOptions {
  readonly runtimes: RuntimesConfig
  readonly runtimeFor: (entry: RuntimeEntry) => ContainerRuntime
  readonly secrets: Informer<Secret>
  readonly configMaps: Informer<ConfigMap>
  readonly addresses: Addresses
  readonly capacity: Readonly<Record<string, string>>
  readonly dataDir: string
  readonly log: Log
  /** Called when what kept a pod's container from starting has changed. */
  readonly retry: (podUid: string) => void
}

/** Mount path → directory of this machine, or why there are none yet. */
type Mounts = ReadonlyMap<string, string> | string

interface PodVolumes {
  /** By container. */
  readonly mounts: Map<string, Mounts>
  /** Resolves when nothing is being made. */
  making: Promise<unknown>
}

const noMounts: Mounts = new Map()
const makingVolumes = 'making volumes'

/** Finds what a container needs to start on this node: a runtime, its environment and its directories. */
export class Preparer {
  readonly #options: PreparerOptions
  readonly #directory: string
  /** By the pod's uid. */
  readonly #volumes = new Map<string, PodVolumes>()

  constructor(options: PreparerOptions) {
    this.#options = options
    this.#directory = join(options.dataDir, 'node')
  }

  prepare(pod: Pod, container: Container, podIP: string): Preparation {
    const { runtimes, runtimeFor, secrets, configMaps, addresses, capacity } = this.#options
    const { namespace, uid = '', annotations = {}, labels } = pod.metadata
    const { image = '' } = container
    const entry = runtimeOf(image, runtimes, labels)
    if (entry === undefined) {
      return { ready: false, reason: 'NoRuntime', message: noRuntimeMessage(image, runtimes) }
    }
    const { env, problems } = resolveEnvironment(pod, container, {
      podIP,
      hostIP: addresses.hostIP,
      secret: (name) => secrets.get({ namespace, name }),
      configMap: (name) => configMaps.get({ namespace, name }),
      allocatable: capacity,
    })
    if (problems.length > 0) {
      return { ready: false, reason: 'CreateContainerConfigError', message: problems.join('; ') }
    }
    const mounts = this.#mountsOf(pod, container, entry)
    if (typeof mounts === 'string') {
      const reason = mounts === makingVolumes ? 'ContainerCreating' : 'CreateContainerConfigError'
      return { ready: false, reason, message: mounts }
    }
    const expand = (text: string) => expandVariables(text, (variable) => env[variable])
    const run = {
      podUid: uid,
      container: container.name,
      image,
      command: (container.command ?? []).map(expand),
      args: (container.args ?? []).map(expand),
      env: entry.runtime === 'simulated' ? { ...simulateEnv(annotations), ...env } : env,
      workingDir: container.workingDir,
      host: podIP,
      mapped: addresses.mapped,
      mounts,
    }
    return { ready: true, run, runtime: runtimeFor(entry) }
  }

  /** Removes what the pod had on this machine, once its containers have ended. */
  async cleanUp(pod: Pod): Promise<void> {
    const { uid = '' } = pod.metadata
    const volumes = this.#volumes.get(uid)
    if (volumes === undefined && !this.#hasProcesses(pod)) return
    await volumes?.making // a directory made after the removal would stay
    await removeVolumes(pod, this.#directory)
    this.#volumes.delete(uid)
  }

  /** Of a pod that an earlier run of this program may have begun. */
  #hasProcesses({ spec }: Pod): boolean {
    const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])]
    return containers.some(({ image = '' }) => runtimeOf(image, this.#options.runtimes)?.runtime === 'process')
  }

  /** Directories are made in the background; `retry` tells when they are there. */
  #mountsOf(pod: Pod, container: Container, entry: RuntimeEntry): Mounts {
    if (entry.runtime === 'simulated' || container.volumeMounts === undefined) return noMounts
    const { secrets, configMaps, log, retry } = this.#options
    const { uid = '', namespace } = pod.metadata
    const volumes = this.#volumes.get(uid) ?? { mounts: new Map<string, Mounts>(), making: Promise.resolve() }
    this.#volumes.set(uid, volumes)
    const known = volumes.mounts.get(container.name)
    if (known !== undefined && typeof known !== 'string') return known
    const made = prepareVolumes(pod, container, {
      dataDir: this.#directory,
      secret: (name) => secrets.get({ namespace, name }),
      configMap: (name) => configMaps.get({ namespace, name }),
      overrides: entry.volumes,
    })
      .catch((error: unknown) => messageOf(error))
      .then((mounts) => {
        volumes.mounts.set(container.name, mounts)
        if (mounts !== known) retry(uid)
      })
      .catch((error: unknown) => log.error('bug', factsOf(error)))
    volumes.making = Promise.all([volumes.making, made])
    return known ?? makingVolumes
  }
}

/** Annotations `simulate.fairlead.dev/NAME` as the variables that the simulator reads. */
function simulateEnv(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations)
      .filter(([name]) => name.startsWith(simulateAnnotationPrefix))
      .map(([name, value]) => [simulateVariable(name.slice(simulateAnnotationPrefix.length)), value]),
  )
}
