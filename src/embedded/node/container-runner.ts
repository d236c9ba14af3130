import { type Clock, sleep, type Timer, timestamp } from '#base/clock.ts'
import { messageOf } from '#base/fault.ts'
import type { Container, ContainerState, ContainerStatus, LifecycleHandler, Probe } from '#api/core/types.generated.ts'
import type { Why } from '#controller/domain.ts'
import { ContainerLog } from './container-log.ts'
import type { ContainerRun, ContainerRuntime, Run, RunEvent } from './container-runtime.ts'
import { ProbeLoop } from './probe-loop.ts'
import type { Prober } from './probe.ts'

/** How long to wait before a container that ended is started again. */
export interface Backoff {
  readonly baseMs: number
  readonly mostMs: number
  /** A run that lasted this long forgets what was before. */
  readonly forgetMs: number
}

/** The kubelet's. */
export const kubeletBackoff: Backoff = { baseMs: 10_000, mostMs: 300_000, forgetMs: 600_000 }

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never'

/** What a start needs, or why there can be none yet. */
export type Preparation =
  | { readonly ready: true; readonly run: ContainerRun; readonly runtime: ContainerRuntime }
  | { readonly ready: false; readonly reason: string; readonly message: string }

export interface ContainerRunnerOptions {
  readonly container: Container
  readonly restart: RestartPolicy
  readonly clock: Clock
  readonly backoff: Backoff
  readonly prober: Prober
  readonly restartCount: number
  readonly graceMs: () => number
  readonly prepare: () => Preparation
  /** The state changed in a way that the pod's status tells. */
  readonly changed: () => void
  readonly tell: (why: Why) => void
  readonly listening: (port: number, hostPort: number) => void
  readonly locate: (port: number) => { readonly host: string; readonly port: number } | undefined
}

type State =
  | { readonly is: 'waiting'; readonly reason: string; readonly message?: string }
  | { readonly is: 'running'; readonly startedMs: number }
  | ({ readonly is: 'terminated' } & Ending)

interface Ending {
  readonly exitCode: number
  readonly reason: string
  readonly message?: string
  readonly signal?: number
  readonly startedMs: number
  readonly finishedMs: number
}

/**
 * The life of one container: its runs, its probes, the waits between runs.
 *
 *     waiting ─start─► running ─exit─► waiting (CrashLoopBackOff) ─backoff─► running …
 *        ▲                │  failed startup or liveness probe: stopped, counts as an exit
 *        └ prepare says   └exit, and the policy says no more─► terminated
 *          what is missing
 */
export class ContainerRunner {
  readonly #options: ContainerRunnerOptions
  #state: State = { is: 'waiting', reason: 'PodInitializing' }
  #last: Ending | undefined
  #restartCount: number
  #backoffMs = 0
  #started = false
  #ready = false
  #listens = false
  #run: Run | undefined
  #probes: ProbeLoop[] = []
  #timer: Timer | undefined
  #stopping = false
  /** Ends the hook that runs before the stop. */
  #hook: AbortController | undefined
  #log = new ContainerLog()
  #previousLog: ContainerLog | undefined
  #ended = Promise.withResolvers<void>()

  constructor(options: ContainerRunnerOptions) {
    this.#options = options
    this.#restartCount = options.restartCount
  }

  get name(): string {
    return this.#options.container.name
  }

  /** An init container that stays beside the others. */
  get isSidecar(): boolean {
    return this.#options.container.restartPolicy === 'Always'
  }

  get isRunning(): boolean {
    return this.#state.is === 'running'
  }

  get isStarted(): boolean {
    return this.isRunning && this.#started
  }

  get isReady(): boolean {
    return this.isRunning && this.#ready
  }

  /** Its last exit code when it has ended for good. */
  get exitCode(): number | undefined {
    return this.#state.is === 'terminated' ? this.#state.exitCode : undefined
  }

  get hasEverStarted(): boolean {
    return this.isRunning || this.#last !== undefined || this.#state.is === 'terminated'
  }

  logs(previous: boolean): ContainerLog | undefined {
    if (previous) return this.#previousLog
    return this.hasEverStarted ? this.#log : undefined
  }

  /** What `kubectl logs` says of a container that has none. */
  get waitingReason(): string {
    return this.#state.is === 'waiting' ? this.#state.reason : ''
  }

  /** Starts, or tries again what could not start for want of something. Does nothing to a container that runs. */
  start(): void {
    if (this.#stopping || this.#state.is !== 'waiting' || this.#timer !== undefined) return
    const preparation = this.#options.prepare()
    if (!preparation.ready) {
      const { reason, message } = preparation
      if (this.#state.reason === reason && this.#state.message === message) return
      this.#state = { is: 'waiting', reason, message }
      if (reason !== 'ContainerCreating') {
        this.#options.tell({ reason: 'Failed', note: `Error: ${message}`, type: 'Warning' })
      }
      return this.#options.changed()
    }
    const { run: spec, runtime } = preparation
    const startedMs = this.#options.clock.now()
    this.#state = { is: 'running', startedMs }
    if (this.#last !== undefined) this.#restartCount++
    this.#listens = false
    this.#log = new ContainerLog()
    const log = this.#log
    let run: Run
    try {
      run = runtime.start(spec, (event) => {
        if (this.#run === run) this.#heard(event, log, runtime)
      })
    } catch (error) {
      return this.#heard({ event: 'refused', message: messageOf(error) }, log, runtime)
    }
    this.#run = run
    const note = `Started container ${this.name}${runtime.simulated ? ' (simulated: nothing is pulled, no model runs)' : ''}`
    this.#options.tell({ reason: 'Started', note })
    this.#probe(run, runtime)
    this.#options.changed()
  }

  /** Ends it for good: TERM, then KILL after `graceMs`, which a later call may shorten. Resolves once it has ended. */
  async stop(graceMs: number): Promise<void> {
    const isNews = !this.#stopping
    this.#stopping = true
    this.#timer?.cancel()
    this.#timer = undefined
    this.#stopProbes()
    this.#hook?.abort()
    if (!this.isRunning) return
    if (isNews) this.#options.tell({ reason: 'Killing', note: `Stopping container ${this.name}` })
    this.#terminate(graceMs)
    await this.#ended.promise
  }

  /** Runs the hook of a process before it is stopped; a hook that fails or takes too long holds nothing up. */
  async preStop(hook: LifecycleHandler, timeoutMs: number): Promise<void> {
    const run = this.#run
    const { clock, prober, container, locate } = this.#options
    if (run === undefined) return
    const deadline = new AbortController()
    this.#hook = deadline
    const timer = clock.after(timeoutMs, () => deadline.abort())
    const failure =
      hook.sleep === undefined
        ? await prober(hook, { container, locate, run }, deadline.signal) // a hook has a probe's actions
        : await sleep(clock, hook.sleep.seconds * 1000, deadline.signal).catch(() => undefined)
    timer.cancel()
    if (typeof failure === 'string') {
      this.#options.tell({ reason: 'FailedPreStopHook', note: `PreStopHook failed: ${failure}`, type: 'Warning' })
    }
  }

  /** Ends it now; what it still says is not heard. */
  kill(): void {
    this.#stopping = true
    this.#timer?.cancel()
    this.#stopProbes()
    this.#run?.stop('KILL')
  }

  status(): ContainerStatus {
    const { container } = this.#options
    return {
      name: this.name,
      image: container.image ?? '',
      imageID: '',
      state: stateOf(this.#state),
      lastState: this.#last === undefined ? {} : { terminated: terminatedOf(this.#last) },
      restartCount: this.#restartCount,
      started: this.isStarted,
      ready: this.isReady,
    }
  }

  #terminate(graceMs: number): void {
    const run = this.#run
    if (graceMs <= 0) return run?.stop('KILL')
    run?.stop('TERM')
    this.#timer = this.#options.clock.after(graceMs, () => run?.stop('KILL'))
  }

  #heard(event: RunEvent, log: ContainerLog, runtime: ContainerRuntime): void {
    switch (event.event) {
      case 'log':
        return log.append(event.line, this.#options.clock.now())
      case 'listening':
        this.#listens = true
        this.#options.listening(event.port, event.hostPort)
        return
      case 'exited':
        return this.#exited({ ...event, reason: event.exitCode === 0 ? 'Completed' : 'Error' }, log, runtime)
      case 'refused':
        log.append(event.message, this.#options.clock.now())
        this.#options.tell({ reason: 'Failed', note: `Error: ${event.message}`, type: 'Warning' })
        return this.#exited({ exitCode: 128, reason: 'StartError', message: event.message }, log, runtime)
    }
  }

  /** Any container of the pod opened a port: whoever waits to be ready may look. */
  poke(): void {
    for (const probe of this.#probes) probe.poke()
  }

  #exited(
    end: { exitCode: number; reason: string; message?: string; signal?: number },
    log: ContainerLog,
    runtime: ContainerRuntime,
  ): void {
    const { clock, container, restart, backoff, changed, tell } = this.#options
    const startedMs = this.#state.is === 'running' ? this.#state.startedMs : clock.now()
    this.#timer?.cancel()
    this.#timer = undefined
    this.#stopProbes()
    this.#run = undefined
    this.#started = false
    this.#ready = false
    log.end()
    const tellsLog = runtime.simulated || container.terminationMessagePolicy === 'FallbackToLogsOnError'
    const message = end.message ?? (end.exitCode !== 0 && tellsLog ? lastWords(log) : undefined)
    const ending: Ending = {
      exitCode: end.exitCode,
      reason: end.reason,
      startedMs,
      finishedMs: clock.now(),
      ...(message === undefined ? {} : { message }),
      ...(end.signal === undefined ? {} : { signal: end.signal }),
    }
    if (this.#stopping || restart === 'Never' || (restart === 'OnFailure' && end.exitCode === 0)) {
      this.#state = { is: 'terminated', ...ending }
      this.#ended.resolve()
      return changed()
    }
    this.#last = ending
    this.#previousLog = log
    if (ending.finishedMs - startedMs >= backoff.forgetMs) this.#backoffMs = 0
    const waitMs = this.#backoffMs
    this.#backoffMs = Math.min(backoff.mostMs, Math.max(backoff.baseMs, waitMs * 2))
    const again = () => {
      this.#timer = undefined
      this.start()
    }
    if (waitMs === 0 && end.reason !== 'StartError') {
      // The first restart is at once, as the kubelet's; it is a step of its own so that the end is seen.
      this.#state = { is: 'waiting', reason: 'ContainerCreating' }
      this.#timer = clock.after(0, again)
    } else {
      const note = `back-off ${Math.round((waitMs || backoff.baseMs) / 1000)}s restarting failed container=${this.name}`
      this.#state = {
        is: 'waiting',
        reason: waitMs === 0 ? 'RunContainerError' : 'CrashLoopBackOff',
        message: end.reason === 'StartError' && message !== undefined ? message : note,
      }
      if (waitMs > 0)
        tell({ reason: 'BackOff', note: `Back-off restarting failed container ${this.name}`, type: 'Warning' })
      this.#timer = clock.after(waitMs || backoff.baseMs, again)
    }
    changed()
  }

  #probe(run: Run, runtime: ContainerRuntime): void {
    const { container } = this.#options
    const { startupProbe } = container
    if (startupProbe === undefined) return this.#afterStartup(run, runtime)
    const loop = this.#loop('Startup', startupProbe, run, runtime, (ok, why) => {
      if (!ok) return this.#restartFor('startup', why)
      loop.stop()
      this.#probes = []
      this.#afterStartup(run, runtime)
      this.#options.changed()
    })
  }

  #afterStartup(run: Run, runtime: ContainerRuntime): void {
    const { readinessProbe, livenessProbe } = this.#options.container
    this.#started = true
    if (livenessProbe !== undefined) {
      this.#loop('Liveness', livenessProbe, run, runtime, (ok, why) => {
        if (!ok) this.#restartFor('liveness', why)
      })
    }
    if (readinessProbe === undefined) {
      this.#ready = true
      return
    }
    this.#loop('Readiness', readinessProbe, run, runtime, (ok) => {
      if (this.#ready === ok) return
      this.#ready = ok
      this.#options.changed()
    })
  }

  #loop(
    name: string,
    probe: Probe,
    run: Run,
    runtime: ContainerRuntime,
    verdict: (ok: boolean, why: string) => void,
  ): ProbeLoop {
    const { container, clock, prober, locate, tell } = this.#options
    const loop = new ProbeLoop({
      probe,
      clock,
      waitForPoke: runtime.reportsPorts && probe.exec === undefined && !this.#listens,
      attempt: (signal) => prober(probe, { container, locate, run }, signal),
      verdict,
      failed: (why) => tell({ reason: 'Unhealthy', note: `${name} probe failed: ${why}`, type: 'Warning' }),
    })
    this.#probes.push(loop)
    return loop
  }

  #restartFor(probe: string, why: string): void {
    if (this.#timer !== undefined || !this.isRunning) return // it is being stopped already
    const note = `Container ${this.name} failed ${probe} probe, will be restarted (${why})`
    this.#options.tell({ reason: 'Killing', note })
    this.#stopProbes()
    this.#terminate(this.#options.graceMs())
  }

  #stopProbes(): void {
    for (const probe of this.#probes) probe.stop()
    this.#probes = []
  }
}

/** The last line of a log, short enough for a status. */
function lastWords(log: ContainerLog): string | undefined {
  return log.lines.at(-1)?.text.slice(-500)
}

function stateOf(state: State): ContainerState {
  switch (state.is) {
    case 'waiting':
      return { waiting: { reason: state.reason, ...(state.message === undefined ? {} : { message: state.message }) } }
    case 'running':
      return { running: { startedAt: timestamp(state.startedMs) } }
    case 'terminated':
      return { terminated: terminatedOf(state) }
  }
}

function terminatedOf({ startedMs, finishedMs, exitCode, reason, message, signal }: Ending) {
  return {
    exitCode,
    reason,
    ...(message === undefined ? {} : { message }),
    ...(signal === undefined ? {} : { signal }),
    startedAt: timestamp(startedMs),
    finishedAt: timestamp(finishedMs),
  }
}
