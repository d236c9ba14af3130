import { isFault } from '#base/fault.ts'
import { factsOf } from '#base/log.ts'
import type { Kind } from '#machinery/kind.ts'
import { keyOf, placeOf } from '#machinery/kind.ts'
import type { Place, Resource } from '#machinery/meta.ts'
import { Applier } from './apply.ts'
import { createCacheReader } from './cache-reader.ts'
import type { ControllerDefinition, Runtime, StartedController } from './controller.ts'
import type { Step } from './domain.ts'
import { EventRecorder, flips } from './events.ts'
import { Expectations } from './expectations.ts'
import { createRunner, type Pass, type PassResult } from './runner.ts'
import { writeStatus } from './write-status.ts'

const defaultWorkers = 5
/** Every object is looked at again this often, behind all other work: a net below what a missed event would cost. */
const resyncMs = 30 * 60_000

/**
 * Starts a controller: key → observe → plan → apply → status → events → requeue. Passes begin once all caches that
 * wake it are filled. What a pass throws is handled by its kind; nothing of it reaches the process.
 */
export function startController<T extends Resource, Observed, Status>(
  definition: ControllerDefinition<T, Observed, Status>,
  runtime: Runtime,
): StartedController {
  const { name, kind, domain, watches, perform, workers = defaultWorkers, concerns = () => true } = definition
  const { client, informers, clock } = runtime
  const log = runtime.log.with({ controller: name })
  const stop = new AbortController()
  const reader = createCacheReader(informers)
  const applier = new Applier({ client, reader, manager: name, perform })
  const events = new EventRecorder({ client, clock, log, component: name })
  const runner = createRunner({
    clock,
    log,
    workers,
    run: reconcile,
    onPass: (o) => runtime.onPass?.({ ...o, controller: name }),
  })
  const expectations = new Expectations(informers, clock, (key) => runner.add(key, { reason: 'caches caught up' }))
  const own = informers.of(kind)

  async function reconcile({ key, low, log: passLog, signal }: Pass): Promise<PassResult | void> {
    if (expectations.hold(key)) return { held: true }
    const object = own.get(placeFrom(key))
    if (object === undefined) return
    const nowMs = clock.now()
    const errors: unknown[] = []
    const writes = expectations.begin(key)
    try {
      const observed = await domain.observe(object, reader, signal)
      const plan = domain.plan(object, observed, nowMs)
      const outcome = await applier.execute({
        owner: object,
        plan,
        writes,
        signal,
        priority: low ? 'background' : 'normal',
        onWritten(step) {
          passLog.info('step done', { do: step.do, ...targetOf(step), reason: step.why.reason, note: step.why.note })
          events.happened(object, step.why)
        },
      })
      for (const note of plan.notes ?? []) events.isSo(object, note)
      errors.push(...outcome.failures.map(({ error }) => error))
      const status = domain.status(object, observed, outcome, nowMs)
      if (
        status !== undefined &&
        (await writeStatus(client, applier, name, { kind, object, status, writes, signal }))
      ) {
        for (const flip of flips((object as { status?: unknown }).status, status)) events.happened(object, flip)
      }
      return { recheckAfterMs: plan.recheckAfterMs, errors }
    } catch (error) {
      errors.push(error)
      return { errors }
    } finally {
      writes.close()
      if (!signal.aborted) for (const error of errors) warn(object, error)
    }
  }

  /** Faults that a user must do something about, and that no status may be able to tell. */
  function warn(object: Resource, error: unknown): void {
    if (!isFault(error, 'denied') && !isFault(error, 'exhausted')) return
    events.isSo(object, { reason: error.code, note: error.message, type: 'Warning' })
  }

  /** A map that throws is a bug; it costs the wake-up, and the resync makes up for it. */
  function wake(reason: string, keys: () => readonly string[]): void {
    try {
      // What was there before us is looked at, but whoever changes something now need not wait for that.
      for (const key of keys()) runner.add(key, { reason, low: !isStarted })
    } catch (error) {
      log.error('bug', factsOf(error))
    }
  }

  const kinds: readonly Kind[] = [kind, ...watches.map((watch) => watch.kind)]
  const unsubscribe: (() => void)[] = []

  async function start(): Promise<void> {
    await Promise.all(kinds.map((each) => informers.of(each).synced(stop.signal)))
    for (const each of kinds) expectations.follow(each)
    const keyed = (object: T) => (concerns(object) ? [keyOf(placeOf(object))] : [])
    unsubscribe.push(
      own.subscribe({
        upsert: (object, old) =>
          wake(old === undefined ? `${kind.kind} appeared` : `${kind.kind} changed`, () => keyed(object)),
        remove: (object) => wake(`${kind.kind} gone`, () => keyed(object)),
      }),
    )
    for (const watch of watches) {
      const reason = `${watch.kind.kind} changed`
      unsubscribe.push(
        informers.of(watch.kind).subscribe({
          upsert: (object, old) =>
            wake(reason, () => [
              ...watch.keysOf(object, reader),
              ...(old === undefined ? [] : watch.keysOf(old, reader)),
            ]),
          remove: (object) => wake(reason, () => watch.keysOf(object, reader)),
          served: () => lookAtAll(`${watch.kind.kind} served`),
        }),
      )
    }
    if (definition.listen !== undefined)
      unsubscribe.push(definition.listen((key) => runner.add(key, { reason: 'answered' })))
    isStarted = true
    runner.start()
    resync()
  }

  function resync(): void {
    timer = clock.after(resyncMs, () => {
      lookAtAll('resync')
      resync()
    })
  }

  function lookAtAll(reason: string): void {
    for (const object of own.list()) if (concerns(object)) runner.add(keyOf(placeOf(object)), { low: true, reason })
  }

  let timer: { cancel(): void } | undefined
  let isStarted = false
  const starting = start().catch((error: unknown) => {
    if (!stop.signal.aborted) log.error('bug', factsOf(error))
  })

  return {
    name,
    stats: () => runner.stats(),
    async drain() {
      stop.abort(new DOMException('the controller was stopped', 'AbortError'))
      await starting
      await runner.drain()
      await events.flush()
    },
    idle: () => isStarted && runner.idle() && expectations.isIdle() && events.isIdle(),
    async [Symbol.asyncDispose]() {
      stop.abort(new DOMException('the controller was stopped', 'AbortError'))
      const stopped = runner[Symbol.asyncDispose]()
      await starting
      timer?.cancel()
      for (const each of unsubscribe) each()
      await stopped
      expectations.stop()
      await events.stop()
    },
  }
}

function placeFrom(key: string): Place {
  const slash = key.indexOf('/')
  return slash === -1 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

function targetOf(step: Step): { kind: string; object: string } {
  return step.do === 'apply' || step.do === 'create'
    ? { kind: step.kind.kind, object: keyOf(placeOf(step.object)) }
    : { kind: step.ref.kind.kind, object: keyOf(step.ref) }
}
