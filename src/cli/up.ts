import { resolve } from 'node:path'
import { ModelBooster } from '#api/model-booster.ts'
import { systemClock } from '#base/clock.ts'
import { Fault, isFault } from '#base/fault.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { applyDocument } from './apply.ts'
import { ask, curlOf, type Question, questionFor } from './ask.ts'
import { readDocuments, type UserDocument } from './documents.ts'
import { exitCodes } from './exit.ts'
import type { Io } from './io.ts'
import { type ListeningCluster, startListeningCluster } from './listening-cluster.ts'
import { openLog } from './log.ts'
import { stateOf } from './object-state.ts'
import { renderTrees, treesOf } from './object-tree.ts'
import { type RouterProcess, startRouterProcess } from './router-process.ts'
import { openScreen, type Screen } from './screen.ts'
import { aborted, stopSignal } from './signals.ts'
import { treeKinds } from './tree.ts'

export interface UpOptions {
  readonly apply?: readonly string[]
  readonly exitWhenActive?: boolean
  readonly dataDir: string
  readonly apiPort: number
  readonly routerPort: number
  readonly nodes?: string
  readonly runtimes?: string
  readonly durability: 'full' | 'normal'
  readonly json?: boolean
}

/** A line of `--json`. */
type UpEvent =
  | { readonly event: 'ready'; readonly kubeconfig: string; readonly apiUrl: string; readonly routerUrl: string }
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
  const dataDir = resolve(options.dataDir)
  const log = openLog('info', `${dataDir}/fairlead.log`)
  const screen = openScreen(io)
  const tell = (event: UpEvent): void => {
    if (options.json === true) io.write(`${JSON.stringify(event)}\n`)
    else for (const line of wordsOf(event)) screen.say(line)
  }

  await using stack = new AsyncDisposableStack()
  const cluster = stack.use(await startListeningCluster({ ...options, dataDir, log }))
  const { kubeconfig, apiUrl } = cluster
  const router = stack.use(await startRouterProcess({ kubeconfig, port: options.routerPort, clock: systemClock, log }))
  tell({ event: 'ready', kubeconfig, apiUrl, routerUrl: router.url })

  const applied = await applyAll(cluster, documents, tell)
  const view = stack.use(watchStates({ cluster, router, screen, io, tell, quiet: options.json === true }))
  const served = Promise.all(applied.boosters.map((key) => view.served(key, signal)))
  if (options.exitWhenActive === true && applied.complete) {
    await Promise.race([served, aborted(signal)])
    if (signal.aborted) io.exit(exitCodes.failed)
  } else {
    if (!applied.complete) io.exit(exitCodes.failed)
    if (options.exitWhenActive !== true) await aborted(signal)
  }
  await served.catch((error: unknown) => {
    if (!signal.aborted) throw error
  })
  tell({ event: 'stopping' })
}

async function applyAll(cluster: ListeningCluster, documents: readonly UserDocument[], tell: (event: UpEvent) => void) {
  const boosters: string[] = []
  let complete = true
  for (const document of documents) {
    try {
      const { name, outcome, applied } = await applyDocument(cluster.client, document, {
        namespace: 'default',
        forceConflicts: true,
      })
      tell({ event: 'applied', object: name, outcome })
      if (applied.kind === ModelBooster.kind) boosters.push(keyOf(placeOf(applied)))
    } catch (error) {
      if (!isFault(error)) throw error
      complete = false
      tell({ event: 'error', message: `${document.at('')}: ${error.message}` })
    }
  }
  return { boosters, complete }
}

interface ViewOptions {
  readonly cluster: ListeningCluster
  readonly router: RouterProcess
  readonly screen: Screen
  readonly io: Io
  readonly tell: (event: UpEvent) => void
  readonly quiet: boolean
}

/** How often the picture may change. */
const frameMs = 100

function watchStates({ cluster, router, screen, io, tell, quiet }: ViewOptions) {
  const said = new Map<string, string>()
  const waiting = new Map<string, () => void>()
  const answers = new Map<string, { question: Question; text: string }>()
  let frame: ReturnType<typeof setTimeout> | undefined

  const objects = (): AnyResource[] =>
    treeKinds.flatMap((kind) =>
      cluster.informers
        .of(kind)
        .list()
        .map((object) => ({ ...object, kind: kind.kind }) as AnyResource),
    )

  function update(): void {
    frame = undefined
    const all = objects()
    for (const object of all) tellChange(object)
    if (quiet) return
    const trees = treesOf(all).filter(({ kind }) => kind !== 'Pod' && kind !== 'Service')
    const lines = renderTrees(trees, {
      colors: io.colors,
      columns: io.interactive ? io.columns : Number.POSITIVE_INFINITY,
      nowMs: Date.now(),
    })
    const asked = [...answers.values()].flatMap(({ question, text }) => [
      '',
      `$ ${curlOf(question)}`,
      `${question.model}: ${text}`,
    ])
    screen.draw(['', ...lines, ...asked, '', ...footer(cluster, router)])
  }

  function tellChange(object: AnyResource): void {
    if (object.kind !== 'ModelBooster' && object.kind !== 'ModelServing') return
    const key = `${object.kind}/${keyOf(placeOf(object))}`
    const { ready = false, reason, message } = stateOf(object)
    if (ready && object.kind === 'ModelBooster') waiting.get(keyOf(placeOf(object)))?.()
    const state = `${ready} ${reason} ${message}`
    if (said.get(key) === state) return
    said.set(key, state)
    if (quiet || !io.interactive) tell({ event: 'state', object: key, ready, reason, message })
  }

  function changed(): void {
    frame ??= setTimeout(update, frameMs)
  }
  const stops = treeKinds.map((kind) => cluster.informers.of(kind).subscribe({ upsert: changed, remove: changed }))
  // Ages and waits move on even when nothing else does.
  const clockwork = io.interactive && !quiet ? setInterval(changed, 1_000) : undefined

  return {
    /** Resolves once the booster is Active and has answered. */
    async served(key: string, signal: AbortSignal): Promise<void> {
      await new Promise<void>((done) => {
        waiting.set(key, done)
        signal.addEventListener('abort', () => done(), { once: true })
        changed()
      })
      waiting.delete(key)
      if (signal.aborted) return
      const booster = cluster.informers
        .of(ModelBooster)
        .list()
        .find((each) => keyOf(placeOf(each)) === key)
      if (booster === undefined) throw new Fault('missing', 'Deleted', `ModelBooster ${key} was deleted`)
      const question = questionFor(booster, router.url)
      const answer = { question, text: '' }
      answers.set(key, answer)
      const startMs = performance.now()
      let firstTokenMs: number | undefined
      for await (const piece of askUntilRouted(question, signal)) {
        firstTokenMs ??= Math.round(performance.now() - startMs)
        answer.text += piece
        changed()
      }
      if (quiet) tell({ event: 'answer', model: question.model, text: answer.text, firstTokenMs: firstTokenMs ?? 0 })
    },
    async [Symbol.asyncDispose]() {
      for (const stop of stops) stop()
      clearInterval(clockwork)
      clearTimeout(frame)
      update()
      screen.end()
    },
  }
}

/** The router learns of a ready pod a moment after we do. */
const routeAttempts = 50

async function* askUntilRouted(question: Question, signal: AbortSignal): AsyncGenerator<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      yield* ask(question, signal)
      return
    } catch (error) {
      if (!isFault(error) || error.code !== 'NotRoutedYet' || attempt === routeAttempts) throw error
      await new Promise((done) => setTimeout(done, frameMs))
    }
  }
}

function footer({ kubeconfig, apiUrl }: ListeningCluster, { url }: RouterProcess): string[] {
  return [
    `OpenAI API   ${url}/v1`,
    `Kubernetes   ${apiUrl}`,
    `             export KUBECONFIG=${kubeconfig}`,
    'Engines are simulated: answers are made up, latencies too. Ctrl-C stops everything; the data stays.',
  ]
}

function wordsOf(event: UpEvent): string[] {
  switch (event.event) {
    case 'ready':
      return [`API ready at ${event.apiUrl}, router at ${event.routerUrl}`]
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
