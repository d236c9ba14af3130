/** What runs a container: a simulation, or a process of this machine. */
export interface ContainerRuntime {
  /** Whether containers report the ports that they open; probes then wait for that instead of trying. */
  readonly reportsPorts: boolean
  /** Only a simulation: its containers have no files, commands or hooks. */
  readonly simulated: boolean
  /** Starts a container. `tell` hears everything, from after `start` returned; its last word is `exited` or `refused`. */
  start(spec: ContainerRun, tell: (event: RunEvent) => void): Run
}

/** A container with all that its pod decides filled in. */
export interface ContainerRun {
  readonly podUid: string
  readonly container: string
  readonly image: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly workingDir: string | undefined
  readonly host: string
  /** Whether pods share the address, so that ports of the machine stand for the container's. */
  readonly mapped: boolean
  /** Mount path → directory of this machine; empty for a simulation. */
  readonly mounts: ReadonlyMap<string, string>
}

export type RunEvent =
  | { readonly event: 'log'; readonly line: string }
  | { readonly event: 'listening'; readonly port: number; readonly hostPort: number }
  | { readonly event: 'exited'; readonly exitCode: number; readonly signal?: number }
  | { readonly event: 'refused'; readonly message: string }

export interface Run {
  /** Status of a GET on the pod, by a shorter way than HTTP, undefined while nothing listens. Absent for a process. */
  get?(port: number, path: string): Promise<number | undefined>
  stop(signal: 'TERM' | 'KILL'): void
  /** Runs a command beside the container; resolves to its exit code. Absent for a simulation. */
  exec?(command: readonly string[], signal: AbortSignal): Promise<number>
}
