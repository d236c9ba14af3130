import { type Clock, sleep } from '#base/clock.ts'
import { Fault, isFault, messageOf } from '#base/fault.ts'
import { equalJson } from '#base/json.ts'
import type { Log } from '#base/log.ts'
import { Lease } from '#api/core/kinds.ts'
import type { Client } from '#kube/client.ts'
import type { Fence } from './fence.ts'
import { claimed, type ElectionTimings, judge, type LeasePlace, released, type Sighting } from './lease.ts'

export interface ElectionOptions {
  /** Must neither queue calls nor repeat them by itself: a renewal that comes late is none. */
  readonly client: Client
  readonly place: LeasePlace
  /** Of this process alone, for ever. */
  readonly identity: string
  readonly timings: ElectionTimings
  /** Opens when we win, stays open as long as we renew in time. */
  readonly fence: Fence
  /** Runs steadily; the same as the fence's. */
  readonly clock: Clock
  /** For the times in the lease. */
  readonly timeOfDayMs: () => number
  /** From 0 to below 1; keeps candidates from asking in step. */
  readonly random: () => number
  readonly log: Log
}

export interface Election {
  /** Resolves when this process leads. Never rejects; a lost lease is told by the fence. */
  readonly won: Promise<void>
  /** Stops running for it, and writing. A lease that we hold runs out. */
  stop(): Promise<void>
  /**
   * Stops, and gives a lease that we hold back, so that the next one need not wait: only for who has nothing under way
   * that may yet be written.
   */
  resign(): Promise<void>
}

const shortestMs = 10

/** Takes part in the election until it resigns or has lost a lease that it held. */
export function startElection(options: ElectionOptions): Election {
  const { client, place, identity, timings, fence, clock, timeOfDayMs, random, log } = options
  const { leaseDurationMs, renewDeadlineMs, retryPeriodMs } = timings
  const won = Promise.withResolvers<void>()
  const ending = new AbortController()
  fence.closed.addEventListener('abort', () => ending.abort())
  let sighting: Sighting = { lease: undefined, sinceMs: clock.now(), isGone: false }
  /** Nobody but us can have changed the lease since, as far as we know. */
  let isCurrent = false
  let leads = false
  let told = ''

  /** One look, and a claim where it is ours to make. Returns for how long there is nothing to do. */
  async function round(signal: AbortSignal): Promise<number> {
    if (!isCurrent) see(await client.get(Lease, place, { signal }).catch(absent))
    const verdict = judge(sighting, identity, clock.now())
    if (verdict.do === 'wait') {
      if (leads) fence.close(new Fault('conflict', 'LeaseTaken', `${verdict.holder} has taken the lease`))
      tell('standing by', { holder: verdict.holder })
      isCurrent = false
      // Twice as often as a holder renews, and at the very moment when it may have ended.
      return Math.min((retryPeriodMs / 2) * (0.8 + random() / 5), verdict.untilMs - clock.now())
    }
    const sentMs = clock.now()
    see(await claim(signal))
    isCurrent = true
    fence.extend(sentMs + renewDeadlineMs)
    if (!leads && fence.isOpen()) {
      leads = true
      tell('leading', { identity })
      won.resolve()
    }
    return retryPeriodMs
  }

  function claim(signal: AbortSignal): Promise<Lease> {
    const { lease, isGone } = sighting
    const made = { place, identity, leaseDurationMs, nowMs: timeOfDayMs() }
    if (lease !== undefined && !isGone) return client.update(Lease, claimed(lease, made), { signal })
    return client.create(Lease, claimed(undefined, made), { signal })
  }

  /** A lease that says the same as before was not renewed, whatever else was written to it. */
  function see(lease: Lease | undefined): void {
    const isGone = lease === undefined
    const isNews = !isGone && !equalJson(lease.spec, sighting.lease?.spec)
    const sinceMs = isNews || isGone !== sighting.isGone ? clock.now() : sighting.sinceMs
    sighting = { lease: lease ?? sighting.lease, sinceMs, isGone }
  }

  function tell(what: string, facts: Readonly<Record<string, unknown>>): void {
    const news = `${what} ${JSON.stringify(facts)}`
    if (told !== news) log.info(what, { lease: place.name, namespace: place.namespace, ...facts })
    told = news
  }

  async function run(): Promise<void> {
    while (!ending.signal.aborted) {
      const startedMs = clock.now()
      let waitMs = retryPeriodMs
      try {
        waitMs = await within(renewDeadlineMs / 2, round)
      } catch (error) {
        isCurrent = false
        if (!isFault(error, 'conflict')) problem(error)
      }
      const restMs = Math.max(shortestMs, waitMs - (clock.now() - startedMs))
      await sleep(clock, restMs, ending.signal).catch(() => {}) // the loop ends
    }
  }

  /** Once for each: what keeps going wrong is not news. */
  function problem(error: unknown): void {
    const code = isFault(error) ? error.code : 'Bug'
    const say = told === code ? log.debug : log.warn
    say(leads ? 'the lease was not renewed' : 'the lease cannot be had', { ...place, code, error: messageOf(error) })
    told = code
  }

  /** A call without an answer must leave time for another. */
  async function within<R>(timeoutMs: number, call: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const late = new AbortController()
    const timeout = new Fault('unavailable', 'Timeout', 'the API server did not answer in time')
    const timer = clock.after(timeoutMs, () => late.abort(timeout))
    try {
      return await call(late.signal)
    } finally {
      timer.cancel()
    }
  }

  const running = run()

  async function release(signal: AbortSignal): Promise<void> {
    const lease = isCurrent ? sighting.lease : await client.get(Lease, place, { signal })
    if (lease?.spec?.holderIdentity !== identity) return
    await client.update(Lease, released(lease, timeOfDayMs()), { signal })
    log.info('lease released', { lease: place.name, namespace: place.namespace })
  }

  /** Resolves to whether we hold the lease. */
  async function end(): Promise<boolean> {
    ending.abort()
    await running
    const holds = leads && fence.isOpen()
    fence.close(new Fault('unavailable', 'Resigned', 'this manager has resigned'))
    return holds
  }

  return {
    won: won.promise,
    stop: async () => void (await end()),
    async resign() {
      if (!(await end())) return
      await within(renewDeadlineMs / 2, release).catch((error: unknown) =>
        log.warn('lease not released', { ...place, error: messageOf(error) }),
      )
    },
  }
}

function absent(error: unknown): undefined {
  if (!isFault(error, 'missing')) throw error
}
