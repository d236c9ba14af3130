import { setTimeout as pause } from 'node:timers/promises'
import { ModelBooster } from '#api/model-booster.ts'
import { systemClock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { type ConnectOptions, connect } from './connect.ts'
import { exitCodes, usage } from './exit.ts'
import type { Io } from './io.ts'
import { parseTarget } from './known-kinds.ts'
import { openScreen } from './screen.ts'
import { stopSignal } from './signals.ts'
import { type ModelState, modelStates, renderStatus } from './status-view.ts'
import { treeObjects } from './tree.ts'

export interface StatusOptions extends ConnectOptions {
  readonly what?: string
  readonly names: readonly string[]
  readonly allNamespaces?: boolean
  readonly wait?: boolean
  readonly once?: boolean
  readonly timeout?: number
  readonly output?: 'json'
}

const lookMs = 500
/** A failure that lasts this long is taken for one that does not heal by itself. */
const failedForGoodMs = 5_000

/** Says it once, or shows it until a signal; with `wait` until there is an answer. */
export async function status(options: StatusOptions, io: Io): Promise<void> {
  const name = nameIn(options)
  await using cluster = connect(options, io)
  const namespace = options.allNamespaces === true ? undefined : cluster.namespace
  const look = async (): Promise<ModelState[]> => {
    const models = modelStates(await treeObjects(cluster.client, namespace), systemClock.now())
    const found = name === undefined ? models : models.filter((model) => model.name === name)
    if (found.length > 0) return found
    const where = namespace === undefined ? 'any namespace' : `namespace ${namespace}`
    throw new Fault('missing', 'NotFound', `no modelbooster${name === undefined ? '' : ` ${name}`} in ${where}`)
  }
  if (options.output === 'json') return io.write(`${JSON.stringify(await look(), null, 2)}\n`)
  const style = { colors: io.colors, withNamespace: options.allNamespaces === true }
  const show = (models: readonly ModelState[]): string[] => renderStatus(models, style)
  if (options.wait !== true && (options.once === true || !io.interactive)) {
    for (const line of show(await look())) io.write(`${line}\n`)
    return
  }
  if ((await watch(look, show, options, io)) === false) io.exit(exitCodes.failed)
}

/** Whether all became Active; `undefined` where nobody waits for that and a signal ended it. */
async function watch(
  look: () => Promise<ModelState[]>,
  show: (models: readonly ModelState[]) => string[],
  { wait = false, timeout = 0 }: StatusOptions,
  io: Io,
): Promise<boolean | undefined> {
  const screen = openScreen(io)
  const signal = stopSignal()
  const endMs = timeout === 0 ? Number.POSITIVE_INFINITY : systemClock.now() + timeout * 1_000
  let failedSinceMs: number | undefined
  let said = ''
  while (!signal.aborted) {
    const models = await look()
    const nowMs = systemClock.now()
    const lines = show(models)
    if (screen.live) screen.draw({ body: lines, foot: [] })
    else if (wordsOf(models) !== said) screen.say(...lines)
    said = wordsOf(models)
    const done = models.every(({ state }) => state === 'ready')
    failedSinceMs = models.some(({ state }) => state === 'failed') ? (failedSinceMs ?? nowMs) : undefined
    const hopeless = failedSinceMs !== undefined && nowMs - failedSinceMs >= failedForGoodMs
    if (wait && (done || hopeless || nowMs >= endMs)) return done
    // Not of the clock, whose timers keep no process running: here nothing else does.
    await pause(lookMs, undefined, { signal }).catch(() => {}) // a signal ends the loop
  }
  return wait ? false : undefined
}

/** Without ages, which alone are no news. */
function wordsOf(models: readonly ModelState[]): string {
  return JSON.stringify(models.map(({ sinceMs: _, ...model }) => model))
}

function nameIn({ what, names }: StatusOptions): string | undefined {
  if (what === undefined) return undefined
  const target = parseTarget(what, names)
  if (target.kind.kind !== ModelBooster.kind)
    throw usage(`status is about modelboosters; \`fairlead describe ${target.kind.singular}/NAME\` shows others`)
  if (target.names.length > 1) throw usage('name one modelbooster, or none for all')
  return target.names[0]
}
