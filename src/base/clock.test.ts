import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Clock, microTimestamp, sleep, steadyClock, systemClock, timestamp } from './clock.ts'

/** A clock that stands still; `ring` is its only timer. */
function standingClock() {
  const timer: { delayMs?: number; ring?: () => void; cancelled: boolean } = { cancelled: false }
  const clock: Clock = {
    now: () => 0,
    after(delayMs, run) {
      Object.assign(timer, { delayMs, ring: run })
      return { cancel: () => (timer.cancelled = true) }
    },
  }
  return { clock, timer }
}

test('sleep ends when its time has come, and lets go of the signal', async () => {
  const { clock, timer } = standingClock()
  const { signal } = new AbortController()
  const slept = sleep(clock, 1500, signal)
  assert.equal(timer.delayMs, 1500)
  assert.equal(getEventListeners(signal, 'abort').length, 1)
  timer.ring?.()
  await slept
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})

test('sleep is cut short by its signal, for the signal’s reason', async () => {
  const { clock, timer } = standingClock()
  const stop = new AbortController()
  const slept = sleep(clock, 1500, stop.signal)
  const reason = new Error('stopping')
  stop.abort(reason)
  await assert.rejects(slept, (error) => error === reason)
  assert.ok(timer.cancelled)
})

test('sleep does not begin under a signal that has fired', async () => {
  const { clock, timer } = standingClock()
  const reason = new Error('stopped')
  await assert.rejects(sleep(clock, 1500, AbortSignal.abort(reason)), (error) => error === reason)
  assert.equal(timer.ring, undefined)
})

test('the system’s clock runs what was not cancelled', async () => {
  const ran: string[] = []
  systemClock.after(0, () => ran.push('cancelled')).cancel()
  // A timer of the system's clock keeps no process alive, so this one has to.
  const alive = setInterval(() => {}, 1000)
  await new Promise<void>((resolve) => {
    systemClock.after(1, () => {
      ran.push('due')
      resolve()
    })
  })
  clearInterval(alive)
  assert.deepEqual(ran, ['due'])
})

test('the system’s clock waits longer than the longest timer there is', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const dayMs = 86_400_000
  const ran: string[] = []
  systemClock.after(60 * dayMs, () => ran.push('due'))
  const cancelled = systemClock.after(60 * dayMs, () => ran.push('cancelled'))
  for (let day = 1; day < 60; day++) t.mock.timers.tick(dayMs)
  assert.deepEqual(ran, [])
  cancelled.cancel()
  for (let day = 60; day < 62; day++) t.mock.timers.tick(dayMs)
  assert.deepEqual(ran, ['due'])
})

test('the system’s clock tells the time and keeps nothing alive', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_700_000_000_000 })
  assert.equal(systemClock.now(), 1_700_000_000_000)
  const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const timer = systemClock.after(60_000, () => {})
  assert.equal(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length, before)
  timer.cancel()
})

test('a timestamp is UTC with whole seconds', () => {
  assert.equal(timestamp(Date.UTC(2026, 0, 2, 3, 4, 5, 999)), '2026-01-02T03:04:05Z')
  const years = fc.integer({ min: Date.UTC(1970, 0), max: Date.UTC(9999, 11) })
  fc.assert(fc.property(years, (ms) => Date.parse(timestamp(ms)) === Math.floor(ms / 1000) * 1000))
})

test('the steady clock goes by the processor’s count, and adds for how long the machine was suspended', () => {
  const sources = { count: 5_000, day: Date.UTC(2030, 0, 1) }
  const clock = steadyClock(
    () => sources.count,
    () => sources.day,
  )
  const after = (countMs: number, dayMs: number): number => {
    const before = clock.now()
    sources.count += countMs
    sources.day += dayMs
    return clock.now() - before
  }
  assert.equal(after(250, 250), 250)
  assert.equal(after(250, -3_600_000), 250, 'the time of day was set back')
  assert.equal(after(0.25, 1), 0.25, 'the time of day has no fractions')
  assert.equal(after(250, 60_250), 60_250, 'suspended for a minute')
  assert.equal(after(250, 250), 250)
})

test('a timestamp with microseconds has all six of their digits', () => {
  assert.equal(microTimestamp(Date.UTC(2026, 0, 2, 3, 4, 5, 6)), '2026-01-02T03:04:05.006000Z')
})

test('a timer of more days than the runtime counts is not a timer of none', async () => {
  const first = await new Promise((resolve) => {
    const long = systemClock.after(30 * 86_400_000, () => resolve('long'))
    systemClock.after(1, () => {
      long.cancel()
      resolve('short')
    })
  })
  assert.equal(first, 'short')
})

test('and it ends when its time has come', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let ended = 0
  systemClock.after(30 * 86_400_000, () => ended++)
  t.mock.timers.tick(2 ** 31 - 1)
  assert.equal(ended, 0)
  t.mock.timers.tick(30 * 86_400_000 - (2 ** 31 - 1))
  assert.equal(ended, 1)
})
