/**
 * Our controllers against any cluster. Several of these may run: one leads, the others keep their caches warm and wait.
 * All that the controllers write passes the fence, which closes in good time before another may lead. Who has lost the
 * lease ends: nothing of what it knew and meant to do while it led may go on, and a new process has nothing of it.
 */
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { createAutoscalerMetrics } from '#autoscaler/metrics.ts'
import { steadyClock, systemClock } from '#base/clock.ts'
import { Fault, messageOf } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import type { Log } from '#base/log.ts'
import { ConfigMap } from '#api/core/kinds.ts'
import type { StartedController } from '#controller/controller.ts'
import { startElection } from '#controller/election.ts'
import { Fence } from '#controller/fence.ts'
import { type ElectionTimings, timingsError } from '#controller/lease.ts'
import { createControllerMetrics } from '#controller/metrics.ts'
import { createInformers, type OwnInformers } from '#kube/create-informers.ts'
import type { Fetch } from '#machinery/http.ts'
import { type Kind, resourceName } from '#machinery/kind.ts'
import { askRouters } from '#serving/routers.ts'
import { routersBehind } from './autoscaling.ts'
import { catalogSettings } from './catalog-settings.ts'
import { clusterAccess } from './connect.ts'
import { type ControllerName, controllersNamed, ourControllers, type Startable } from './controllers.ts'
import { exitCodes, usage } from './exit.ts'
import { bindAddress, durationMs } from './flag-values.ts'
import type { Io } from './io.ts'
import type { LogLevel } from './log-level.ts'
import { openLog } from './log.ts'
import { managerClients } from './manager-clients.ts'
import { missingNote, tellServed } from './missing-kinds.ts'
import { portTaken } from './port-taken.ts'
import { metricsPage, probes } from './probes.ts'
import { serveFetch } from './serve.ts'
import { aborted, stopSignal } from './signals.ts'
import { packageVersion } from './version.ts'

export interface ManagerOptions {
  readonly kubeconfig?: string
  readonly context?: string
  readonly controllers?: readonly string[]
  readonly namespaces?: readonly string[]
  readonly leaderElect: boolean
  /** Durations and addresses are as people write them. */
  readonly leaderElectLeaseDuration: string
  readonly leaderElectRenewDeadline: string
  readonly leaderElectRetryPeriod: string
  readonly leaderElectResourceNamespace?: string
  readonly metricsBindAddress: string
  readonly healthProbeBindAddress: string
  readonly routerUrls?: readonly string[]
  /** Those that policies may have asked. */
  readonly prometheusServers?: readonly string[]
  /** File about registries. */
  readonly registries?: string
  readonly kubeApiQps: number
  readonly kubeApiBurst: number
  readonly logLevel: LogLevel
}

const leaseName = 'fairlead-manager'
/** Half of what a pod has to stop in unless it says otherwise. */
const drainMs = 15_000

/** Runs until a signal, or until the lease is lost. */
export async function manager(options: ManagerOptions, io: Io): Promise<void> {
  const names = controllersFor(options)
  const timings = timingsOf(options)
  const catalog = await catalogSettings(options, io)
  const access = clusterAccess(options, io)
  const home = options.leaderElectResourceNamespace ?? access.namespace
  const identity = `${hostname()}_${randomUUID()}`
  const signal = stopSignal()
  const log = openLog(options.logLevel)
  await using stack = new AsyncDisposableStack()
  // Timers and idle connections would not, while nobody listens and the API server is away.
  stack.adopt(
    setInterval(() => {}, 2 ** 30),
    clearInterval,
  )

  const clock = steadyClock()
  const fence = options.leaderElect ? new Fence(clock) : undefined
  let started: readonly StartedController[] = []
  const metrics = createControllerMetrics({
    controllers: () => started,
    ...(fence && { election: { name: leaseName, leads: () => fence.isOpen() } }),
    missing: () => informers.absent().map(resourceName),
  })
  const { kubeApiQps: qps, kubeApiBurst: burst } = options
  const clients = stack.use(managerClients({ access, identity, fence, qps, burst, metrics }))
  const { routerUrls } = options
  const chosen = ourControllers({
    names,
    home,
    catalog,
    ...(routerUrls !== undefined && { routers: askRouters(() => routerUrls, systemClock) }),
    autoscaling: {
      ...createAutoscalerMetrics(metrics.registry),
      routers: () => routersBehind(routerUrls ?? []),
      allowedServers: (options.prometheusServers ?? []).map((url) => new URL(url).origin),
    },
  })
  const informers = stack.use(
    createInformers({
      client: clients.caches,
      clock: systemClock,
      log,
      namespacesOf: (kind) => (kind === (ConfigMap as Kind) ? [home] : options.namespaces),
      onServed: tellServed(log),
    }),
  )
  log.info('starting', {
    version: packageVersion(),
    identity,
    controllers: names,
    namespaces: options.namespaces ?? '*',
    server: new URL(access.server).host,
  })
  // All of them from now on, whoever leads: who takes over has all it needs at once.
  for (const kind of new Set(chosen.flatMap(({ kinds }) => kinds))) informers.of(kind)
  const readiness = (): readonly string[] => (signal.aborted ? ['stopping'] : lacks(informers, chosen))
  stack.defer(await listen('health-probe-bind-address', options.healthProbeBindAddress, probes(readiness), log))
  stack.defer(await listen('metrics-bind-address', options.metricsBindAddress, metricsPage(metrics), log))

  const place = { namespace: home, name: leaseName }
  const election =
    fence &&
    startElection({
      client: clients.election,
      place,
      identity,
      timings,
      fence,
      clock,
      timeOfDayMs: Date.now,
      random: Math.random,
      log,
    })
  await Promise.race([election?.won, aborted(signal)])
  if (!signal.aborted) {
    const runtime = { informers, clock: systemClock, log, onPass: metrics.passed }
    started = chosen.map((each) => each.start({ ...runtime, client: clients.controller(each.name) }))
  }
  await Promise.race([aborted(signal), ...(fence === undefined ? [] : [aborted(fence.closed)])])

  const isLost = fence?.closed.aborted === true
  if (isLost) {
    log.error('leadership lost', { ...place, reason: messageOf(fence?.closed.reason) })
    io.exit(exitCodes.failed)
  } else log.info('stopping')
  const isDrained = !isLost && (await drained(started, log))
  await Promise.all(started.map((each) => each[Symbol.asyncDispose]()))
  await (isDrained ? election?.resign() : election?.stop())
}

const clusterWide: ControllerName = 'aim-catalog'

/** The catalog reads nodes and kinds of the whole cluster; whoever may see some namespaces only goes without it. */
function controllersFor({ controllers = ['*'], namespaces }: ManagerOptions): readonly ControllerName[] {
  const names = controllersNamed(controllers)
  if (namespaces === undefined) return names
  if (controllers.includes(clusterWide))
    throw usage(
      `--controllers: ${clusterWide} looks after the whole cluster; leave --namespaces out, or ${clusterWide}`,
    )
  return names.filter((name) => name !== clusterWide)
}

/** Whether all passes and events ended: what is cut off may be written yet, so the lease is not another's to take. */
async function drained(started: readonly StartedController[], log: Log): Promise<boolean> {
  const late = Promise.withResolvers<boolean>()
  const timer = systemClock.after(drainMs, () => late.resolve(false))
  const work = Promise.all(started.map((each) => each.drain()))
  const isDrained = await Promise.race([work.then(() => true), late.promise])
  timer.cancel()
  if (!isDrained) log.warn('passes cut off', { note: 'the lease is left to run out' })
  return isDrained
}

/** Why this manager is not ready: what it has not read, and kinds without which a controller has nothing to do. */
function lacks(informers: OwnInformers, chosen: readonly Startable[]): readonly string[] {
  const own = new Set(chosen.map(({ kind }) => kind))
  return [
    ...informers.unsynced().map(({ plural }) => `the ${plural} are not listed yet`),
    ...informers
      .absent()
      .filter((kind) => own.has(kind))
      .map(missingNote),
  ]
}

/** Returns the way to stop. */
async function listen(flag: string, address: string, fetch: Fetch, log: Log): Promise<() => Promise<void>> {
  const bind = bindAddress(address)
  if (bind === undefined) return () => Promise.resolve()
  const { host, port } = bind
  const listener = await serveFetch({ fetch, host, port }).catch((error: unknown) => {
    const isTaken = isObject(error) && error['code'] === 'EADDRINUSE'
    if (isTaken) throw portTaken({ flag, port, host: host ?? 'all addresses', otherwise: 'or 0 for none' }, error)
    const message = `--${flag}: cannot listen on ${address}: ${messageOf(error)}`
    throw new Fault('invalid', 'ListenFailed', message, { cause: error })
  })
  log.info('listening', { flag, host: host ?? '*', port: listener.port })
  return () => listener.close()
}

function timingsOf(options: ManagerOptions): ElectionTimings {
  const timings = {
    leaseDurationMs: durationMs(options.leaderElectLeaseDuration),
    renewDeadlineMs: durationMs(options.leaderElectRenewDeadline),
    retryPeriodMs: durationMs(options.leaderElectRetryPeriod),
  }
  const error = timingsError(timings)
  if (error !== undefined) throw usage(`--leader-elect-*: ${error}`)
  return timings
}
