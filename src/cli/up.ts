import { AIMService } from '#api/aim-service.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
import { sleep, systemClock, type Timer } from '#base/clock.ts'
import { Fault, isFault, messageOf } from '#base/fault.ts'
import type { Log } from '#base/log.ts'
import type { Informer } from '#kube/informer.ts'
import { apiVersionOf, type Kind, keyOf, placeOf } from '#machinery/kind.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { applyDocument, explainRefusal } from './apply.ts'
import { ask, curlOf, type Question, questionFor } from './ask.ts'
import { catalogSettings } from './catalog-settings.ts'
import { claimDataDir } from './data-dir.ts'
import { readDocuments, type UserDocument } from './documents.ts'
import { exitCodes } from './exit.ts'
import type { Io } from './io.ts'
import type { ListeningCluster, ListeningClusterOptions } from './listening-cluster.ts'
import { openLog } from './log.ts'
import { stateOf } from './object-state.ts'
import { renderTrees, treesOf } from './object-tree.ts'
import { type RouterProcess, startRouterProcess } from './router-process.ts'
import { openScreen, type Picture, type Screen } from './screen.ts'
import { aborted, stopSignal } from './signals.ts'
import { partsOnly, treeKinds } from './tree.ts'

export interface UpOptions {
  readonly apply?: readonly string[]
  readonly exitWhenActive?: boolean
  readonly dataDir: string
  readonly apiPort: number
  readonly routerPort: number
  readonly nodes?: string
  readonly runtimes?: string
  readonly registries?: string
  readonly durability: 'full' | 'normal'
  readonly leaderWorkerSets?: boolean
  readonly matrixinfer?: boolean
  readonly json?: boolean
}

/** A line of `--json`. */
type UpEvent =
  | {
      readonly event: 'ready'
      readonly kubeconfig: string
      readonly apiUrl: string
      readonly routerUrl: string
      readonly metricsUrl: string
    }
  | { readonly event: 'applied'; readonly object: string; readonly outcome: string }
  | {
      readonly event: 'state'
      readonly object: string
      readonly ready: boolean
      readonly reason: string
      readonly message: string
    }
  | { readonly event: 'answer'; readonly model: string; readonly text: string; readonly firstTokenMs: number }
  | { readonly event: 'error'; readonly message: string }
  | { readonly event: 'stopping' }

/** Runs until a signal, or until what was applied serves when that was asked for. */
export async function up(options: UpOptions, io: Io): Promise<void> {
  const documents = options.apply === undefined ? [] : readDocuments(options.apply)
  const signal = stopSignal()
  const { dataDir, log } = openDataDir(options.dataDir)
  const screen = openScreen(io)
  const json = options.json === true
  const tell = (event: UpEvent): void => {
    if (json) io.write(`${JSON.stringify(event)}\n`)
    else screen.say(...wordsOf(event, screen.live))
  }

  await using stack = new AsyncDisposableStack()
  // The two start side by side: while the cluster comes up, the router's process reads its own code.
  const routerUrls: string[] = []
  const catalog = await catalogSettings(options, io)
  const starting = startCluster({ ...options, dataDir }, { routerUrls, catalog, log })
  const access = starting.then(({ kubeconfig }) => kubeconfig)
  const routing = startRouterProcess({
    kubeconfig: access,
    port: options.routerPort,
    matrixinfer: options.matrixinfer === true,
    clock: systemClock,
    log,
  })
  routing.catch(() => {}) // waited for below, unless there is no cluster to route to
  const cluster = stack.use(await starting)
  const router = stack.use(await routing)
  routerUrls.push(router.metricsUrl)
  const { kubeconfig, apiUrl } = cluster
  tell({ event: 'ready', kubeconfig, apiUrl, routerUrl: router.url, metricsUrl: router.metricsUrl })

  const applied = await applyAll(cluster, documents, tell)
  const view = stack.use(watchStates({ cluster, router, screen, io, tell, quiet: json }))
  const exits = options.exitWhenActive === true
  const served = Promise.all(applied.serving.map((each) => view.served(each, exits, signal)))
  if (exits) {
    const done = applied.complete && (await Promise.race([served, aborted(signal).then(() => [false])]))
    if (done === false || done.includes(false)) io.exit(exitCodes.failed)
  } else {
    if (!applied.complete) io.exit(exitCodes.failed)
    await Promise.race([aborted(signal), served.then(() => view.summary()).then(() => aborted(signal))])
  }
  if (exits) view.summary()
  tell({ event: 'stopping' })
}

interface Surroundings extends Pick<ListeningClusterOptions, 'catalog' | 'log'> {
  /** Read anew at every look. */
  readonly routerUrls: readonly string[]
}

async function startCluster(options: UpOptions, { routerUrls, ...others }: Surroundings): Promise<ListeningCluster> {
  const { startListeningCluster } = await import('./listening-cluster.ts')
  const { askRouters } = await import('#serving/routers.ts')
  const { controllerNames } = await import('./controllers.ts')
  return startListeningCluster({
    ...options,
    controllers: [
      ...controllerNames,
      ...(options.leaderWorkerSets === true ? (['leader-worker-set'] as const) : []),
      ...(options.matrixinfer === true ? (['matrixinfer'] as const) : []),
    ],
    routers: askRouters(() => routerUrls, systemClock),
    autoscaling: { routers: () => routerUrls.map((url) => new URL(url).origin), allowedServers: 'any' },
    ...others,
  })
}

function openDataDir(path: string): { dataDir: string; log: Log } {
  const dataDir = claimDataDir(path)
  try {
    return { dataDir, log: openLog('info', `${dataDir}/fairlead.log`) }
  } catch (error) {
    const message = `cannot use ${dataDir}: ${messageOf(error)}; name another directory with --data-dir`
    throw new Fault('invalid', 'BadDataDir', message, { cause: error })
  }
}

/** What comes to answer requests. */
const servedKinds = [ModelBooster, AIMService] as readonly Kind[]

interface Served {
  readonly kind: Kind
  readonly key: string
}

async function applyAll(cluster: ListeningCluster, documents: readonly UserDocument[], tell: (event: UpEvent) => void) {
  const serving: Served[] = []
  let complete = true
  for (const document of documents) {
    try {
      const { name, outcome, applied } = await applyDocument(cluster.client, document, {
        namespace: 'default',
        forceConflicts: true,
      })
      tell({ event: 'applied', object: name, outcome })
      const kind = servedKinds.find((each) => each.kind === applied.kind)
      if (kind !== undefined) serving.push({ kind, key: keyOf(placeOf(applied)) })
    } catch (error) {
      if (!isFault(error)) throw error
      complete = false
      for (const message of explainRefusal(document, error)) tell({ event: 'error', message })
    }
  }
  return { serving, complete }
}

interface ViewOptions {
  readonly cluster: ListeningCluster
  readonly router: RouterProcess
  readonly screen: Screen
  readonly io: Io
  readonly tell: (event: UpEvent) => void
  /** Tells events alone, no picture. */
  readonly quiet: boolean
}

/** How often the picture may change. */
const frameMs = 100
/** A failure that lasts this long is taken for one that does not heal by itself. */
const failedForGoodMs = 5_000

function watchStates({ cluster, router, screen, io, tell, quiet }: ViewOptions) {
  const told = new Map<string, string>()
  const answers = new Map<string, { readonly question: Question; text: string }>()
  let frame: ReturnType<typeof setTimeout> | undefined

  function picture(): Picture {
    const objects = treeKinds.flatMap((kind) =>
      cluster.informers
        .of(kind)
        .list()
        .map((object): AnyResource => ({ ...object, kind: kind.kind })),
    )
    const trees = treesOf(objects).filter(({ kind }) => !partsOnly.has(kind))
    // In the tree a line is cut to the width of the terminal.
    const failures = trees.flatMap(({ kind, name, state }) =>
      screen.live && state.failed ? ['', `✖ ${kind}/${name}: ${state.message}`] : [],
    )
    const columns = screen.live ? io.columns : Number.POSITIVE_INFINITY
    return {
      body: ['', ...renderTrees(trees, { colors: io.colors, columns, nowMs: Date.now() })],
      foot: [...failures, ...[...answers.values()].flatMap(answerLines), '', ...footer(cluster, router)],
    }
  }

  function update(): void {
    frame = undefined
    for (const kind of [...servedKinds, ModelServing])
      for (const object of cluster.informers.of<Resource>(kind).list()) tellChange(kind, object)
    if (!quiet && screen.live) screen.draw(picture())
  }

  function tellChange({ kind }: Kind, object: Resource): void {
    const key = `${kind}/${keyOf(placeOf(object))}`
    const { ready = false, reason, message } = stateOf({ ...object, kind })
    const state = `${ready} ${reason} ${message}`
    if (told.get(key) === state) return
    told.set(key, state)
    if (quiet || !screen.live) tell({ event: 'state', object: key, ready, reason, message })
  }

  function changed(): void {
    frame ??= setTimeout(update, frameMs)
  }
  const stops = treeKinds.map((kind) => cluster.informers.of(kind).subscribe({ upsert: changed, remove: changed }))
  // Ages move on even when nothing else does.
  const clockwork = screen.live && !quiet ? setInterval(changed, 1_000) : undefined

  async function answered(object: Resource, signal: AbortSignal): Promise<void> {
    const question = questionFor(object, router.url)
    const answer = { question, text: '' }
    answers.set(`${object.kind}/${keyOf(placeOf(object))}`, answer)
    const startMs = performance.now()
    let firstTokenMs = 0
    for await (const piece of askUntilRouted(question, signal)) {
      firstTokenMs ||= Math.max(1, Math.round(performance.now() - startMs))
      answer.text += piece
      changed()
    }
    if (quiet) tell({ event: 'answer', model: question.model, text: answer.text, firstTokenMs })
  }

  return {
    /**
     * Whether it became ready and answered. Waits for it however long that takes, unless it is deleted, or fails for good and `givesUp` says not to wait for a mend. What went wrong is told.
     */
    async served({ kind, key }: Served, givesUp: boolean, signal: AbortSignal): Promise<boolean> {
      try {
        const object = await becomesReady(cluster.informers.of(kind), { kind, key }, givesUp, signal)
        await answered({ ...object, apiVersion: apiVersionOf(kind), kind: kind.kind }, signal)
        return true
      } catch (error) {
        if (!isFault(error) && !signal.aborted) throw error
        if (!signal.aborted) tell({ event: 'error', message: `${kind.kind} ${key}: ${messageOf(error)}` })
        return false
      }
    },
    /** Where nothing is redrawn: the picture as it is now. */
    summary(): void {
      clearTimeout(frame)
      update()
      const { body, foot } = picture()
      if (!quiet && !screen.live) screen.say(...body, ...foot)
    },
    [Symbol.dispose]() {
      for (const stop of stops) stop()
      clearInterval(clockwork)
      clearTimeout(frame)
      update()
    },
  }
}

/** Resolves with the object once it is ready; rejects when it is gone, or when it keeps failing and `givesUp`. */
async function becomesReady(
  informer: Informer<Resource>,
  { kind, key }: Served,
  givesUp: boolean,
  signal: AbortSignal,
): Promise<Resource> {
  const outcome = Promise.withResolvers<Resource>()
  let late: { failure: string; timer: Timer } | undefined
  const unsubscribe = informer.subscribe({
    upsert(object) {
      if (keyOf(placeOf(object)) !== key) return
      const { ready, failed, reason, message } = stateOf({ ...object, kind: kind.kind })
      if (ready === true) outcome.resolve(object)
      const failure = failed ? message : undefined
      if (failure === late?.failure || !givesUp) return
      late?.timer.cancel()
      late =
        failure === undefined
          ? undefined
          : {
              failure,
              timer: systemClock.after(failedForGoodMs, () => outcome.reject(new Fault('invalid', reason, failure))),
            }
    },
    remove(object) {
      if (keyOf(placeOf(object)) === key) outcome.reject(new Fault('missing', 'Deleted', 'it was deleted'))
    },
  })
  const stop = (): void => outcome.reject(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await outcome.promise
  } finally {
    unsubscribe()
    late?.timer.cancel()
    signal.removeEventListener('abort', stop)
  }
}

/** The router learns of a ready pod a moment after we do, and a pod says so from before when we start again. */
const routeAttempts = 50

async function* askUntilRouted(question: Question, signal: AbortSignal): AsyncGenerator<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      yield* ask(question, signal)
      return
    } catch (error) {
      if (!isFault(error) || error.code !== 'NotRoutedYet' || attempt === routeAttempts) throw error
      await sleep(systemClock, frameMs, signal)
    }
  }
}

function answerLines({ question, text }: { readonly question: Question; readonly text: string }): string[] {
  return ['', `$ ${curlOf(question)}`, `${question.model}: ${text}`]
}

function footer({ kubeconfig, apiUrl }: ListeningCluster, { url, metricsUrl }: RouterProcess): string[] {
  return [
    `OpenAI API   ${url}/v1`,
    `Metrics      ${metricsUrl}`,
    `Kubernetes   ${apiUrl}`,
    `             export KUBECONFIG=${quoted(kubeconfig)}`,
    'What a pod calls simulated makes up its answers and its latencies. Ctrl-C stops everything; the data stays.',
  ]
}

/** For a shell: as it is, unless something in it means something there. */
function quoted(path: string): string {
  return /^[\w./:@%+=-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`
}

/** The picture on a live screen tells the rest. */
function wordsOf(event: UpEvent, live: boolean): string[] {
  switch (event.event) {
    case 'ready':
      return live ? [] : [`API ready at ${event.apiUrl}, router at ${event.routerUrl}`]
    case 'applied':
      return [`${event.object} ${event.outcome}`]
    case 'state':
      return [
        `${event.object}: ${event.ready ? 'ready' : [event.reason, event.message].filter(Boolean).join(': ') || 'new'}`,
      ]
    case 'error':
      return [`error: ${event.message}`]
    case 'answer':
    case 'stopping':
      return []
  }
}
