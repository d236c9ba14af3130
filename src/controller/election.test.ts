/**
 * Candidates with clocks of their own, against one server that is slow, loses questions and answers, and knows nothing
 * of all this. Each of them writes as often as its fence lets it; the server keeps what came from whom, in order.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { silentLog } from '#base/log.ts'
import { type ManualClock, manualClock } from '#base/manual-clock.testkit.ts'
import type { Lease } from '#api/core/kinds.ts'
import type { Client } from '#kube/client.ts'
import { type Election, startElection } from './election.ts'
import { Fence } from './fence.ts'
import type { ElectionTimings } from './lease.ts'

const timings: ElectionTimings = { leaseDurationMs: 15_000, renewDeadlineMs: 10_000, retryPeriodMs: 2_000 }
const place = { namespace: 'fairlead-system', name: 'fairlead-manager' }
/** The longest that a write may take from the last look at the fence: what the margin must bear, beside the drift. */
const longestFlightMs = 4_000

interface Server {
  lease: Lease | undefined
  version: number
  /** Who wrote, in the order in which it came. */
  readonly written: string[]
}

/** A process, and what may befall it. */
interface Process {
  readonly name: string
  isPaused: boolean
  isDead: boolean
  /** From the server, as far as the lease goes. */
  isCutOff: boolean
  /** For so long its answers are under way, beside what all are. */
  answerMs: number
  /** It has been told to stop: it begins no more writes. */
  isLeaving: boolean
  /** What came while it was paused. */
  readonly held: (() => void)[]
}

interface Candidate extends Process {
  readonly fence: Fence
  readonly election: Election
}

/** Numbers from 0 to below 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

function attempt(work: () => Lease): Lease | Fault {
  try {
    return work()
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

function simulate(seed: number, { timings: own = timings }: { timings?: ElectionTimings } = {}) {
  const world: ManualClock = manualClock()
  const startMs = world.now()
  const random = randomFrom(seed)
  const server: Server = { lease: undefined, version: 0, written: [] }
  const line = { slowMs: 20, loss: 0 }
  const candidates: Candidate[] = []
  const violations: string[] = []

  /** What a stopped process would do comes when it goes on; what a dead one would do never comes. */
  function inTurn(process: Process, run: () => void): void {
    if (process.isPaused) process.held.push(run)
    else if (!process.isDead) run()
  }

  function clientOf(process: Process): Client {
    const travel = (run: () => void) => {
      if (random() >= line.loss) world.after(random() * line.slowMs, run)
    }
    /** There and back; only the abort of its caller ends a call that got lost. */
    const call = (work: () => Lease, signal: AbortSignal | undefined): Promise<Lease> =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(signal.reason as Error))
        if (process.isDead || process.isCutOff) return
        travel(() => {
          const done = attempt(work)
          const answer = () => (done instanceof Fault ? reject(done) : resolve(done))
          travel(() => void world.after(process.answerMs, () => inTurn(process, answer)))
        })
      })
    const put = (lease: Lease): Lease => {
      const metadata = { ...lease.metadata, resourceVersion: String(++server.version) }
      return (server.lease = { ...structuredClone(lease), metadata })
    }
    return {
      get: (_kind: unknown, _place: unknown, { signal }: { signal?: AbortSignal }) =>
        call(() => {
          if (server.lease === undefined) throw new Fault('missing', 'NotFound', 'no lease')
          return server.lease
        }, signal),
      create: (_kind: unknown, lease: Lease, { signal }: { signal?: AbortSignal }) =>
        call(() => {
          if (server.lease !== undefined) throw new Fault('conflict', 'AlreadyExists', 'there is one')
          return put(lease)
        }, signal),
      update: (_kind: unknown, lease: Lease, { signal }: { signal?: AbortSignal }) =>
        call(() => {
          if (server.lease?.metadata.resourceVersion !== lease.metadata.resourceVersion)
            throw new Fault('conflict', 'Conflict', 'somebody was first')
          return put(lease)
        }, signal),
    } as unknown as Client // the rest is never called
  }

  /** Its clock starts anywhere and goes up to 2 % wrong. */
  function clockOf(process: Process): Clock {
    const rate = 0.98 + random() * 0.04
    const offsetMs = random() * 1e9
    return {
      now: () => offsetMs + (world.now() - startMs) * rate,
      after: (delayMs, run) => world.after(delayMs / rate, () => inTurn(process, run)),
    }
  }

  /** Writes for ever, as far as the fence lets it. A write that is out lands, even if its sender has died since. */
  function write(candidate: Candidate): void {
    if (candidate.isLeaving) return
    try {
      candidate.fence.admit({ method: 'PATCH' })
      const open = candidates.filter(({ fence }) => fence.isOpen()).map(({ name }) => name)
      if (open.length > 1) violations.push(`open at once: ${open.join(', ')}`)
      world.after(random() * longestFlightMs, () => {
        if (server.written.at(-1) === candidate.name) return
        if (server.written.includes(candidate.name)) violations.push(`${candidate.name} wrote after another did`)
        server.written.push(candidate.name)
      })
    } catch (error) {
      assert.equal((error as Fault).code, 'NotLeading')
    }
    world.after(300 + random() * 700, () => inTurn(candidate, () => write(candidate)))
  }

  return {
    world,
    server,
    line,
    candidates,
    violations,
    start(): Candidate {
      const name = `candidate-${candidates.length}`
      const process = { name, isPaused: false, isDead: false, isCutOff: false, answerMs: 0, isLeaving: false, held: [] }
      const clock = clockOf(process)
      const fence = new Fence(clock)
      const election = startElection({
        client: clientOf(process),
        place,
        identity: name,
        timings: own,
        fence,
        clock,
        timeOfDayMs: () => random() * 1e12, // nobody may go by it
        random,
        log: silentLog,
      })
      const candidate = Object.assign(process, { fence, election })
      candidates.push(candidate)
      write(candidate)
      return candidate
    },
    resume(candidate: Candidate): void {
      candidate.isPaused = false
      for (const run of candidate.held.splice(0)) inTurn(candidate, run)
    },
    /** As a manager stops: what it has begun it ends, then it resigns. */
    resign(candidate: Candidate): void {
      candidate.isLeaving = true
      world.after(longestFlightMs, () => inTurn(candidate, () => void candidate.election.resign()))
    },
    leaders: () => candidates.filter(({ fence, isDead }) => !isDead && fence.isOpen()).map(({ name }) => name),
  }
}

type Step =
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'start' }
  | { readonly do: 'pause' | 'resume' | 'kill' | 'resign'; readonly who: number }
  | { readonly do: 'line'; readonly slowMs: number; readonly loss: number }

const who = fc.nat({ max: 5 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 100, max: 20_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('start' as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('pause', 'resume', 'kill', 'resign'), who }) as fc.Arbitrary<Step>,
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('line' as const),
      slowMs: fc.constantFrom(5, 500, 3_000, 8_000),
      loss: fc.constantFrom(0, 0.1, 0.5, 1),
    }),
  },
)

function take(step: Step, simulation: ReturnType<typeof simulate>): Promise<void> | void {
  const { candidates, line, world } = simulation
  const candidate = 'who' in step ? candidates[step.who % candidates.length] : undefined
  switch (step.do) {
    case 'pass':
      return world.pass(step.ms)
    case 'start':
      if (candidates.length < 6) simulation.start()
      return
    case 'line':
      Object.assign(line, { slowMs: step.slowMs, loss: step.loss })
      return
    case 'pause':
      if (candidate !== undefined) candidate.isPaused = true
      return
    case 'kill':
      if (candidate !== undefined) candidate.isDead = true
      return
    case 'resume':
    case 'resign':
      if (candidate !== undefined) simulation[step.do](candidate)
  }
}

test('whatever is slow, lost, stopped or killed, no two write at one time, and in the end one does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer(), fc.array(step, { minLength: 5, maxLength: 25 }), async (seed, steps) => {
      const simulation = simulate(seed)
      simulation.start()
      simulation.start()
      for (const each of steps) await take(each, simulation)
      Object.assign(simulation.line, { slowMs: 20, loss: 0 })
      simulation.start()
      await simulation.world.pass(40_000)
      assert.deepEqual(simulation.violations, [])
      assert.equal(simulation.leaders().length, 1)
    }),
    { numRuns: 60 },
  )
})

test('a deadline longer than the lease lets two write: the simulation sees it', async () => {
  const simulation = simulate(1, { timings: { ...timings, renewDeadlineMs: 30_000 } })
  const first = simulation.start()
  await simulation.world.pass(5_000)
  simulation.start()
  await simulation.world.pass(5_000)
  first.isCutOff = true
  await simulation.world.pass(30_000)
  assert.match(
    simulation.violations.join(),
    /open at once: candidate-0, candidate-1.*candidate-0 wrote after another did/,
  )
})

test('B-40 a leader that is killed is followed within the lease duration and two seconds', async () => {
  for (let seed = 0; seed < 30; seed++) {
    const simulation = simulate(seed)
    const first = simulation.start()
    await simulation.world.pass(1_000)
    const second = simulation.start()
    await simulation.world.pass(20_000 + seed * 100)
    assert.deepEqual(simulation.leaders(), [first.name])
    first.isDead = true
    const killedMs = simulation.world.now()
    while (!second.fence.isOpen()) await simulation.world.pass(50)
    const tookMs = simulation.world.now() - killedMs
    assert.ok(tookMs <= timings.leaseDurationMs + 2_000, `${tookMs} ms with seed ${seed}`)
    assert.ok(tookMs >= timings.leaseDurationMs - timings.retryPeriodMs - 1_000, `${tookMs} ms is too soon`)
  }
})

test('who resigns gives the lease back, and the other leads within its next look', async () => {
  const simulation = simulate(1)
  const first = simulation.start()
  await simulation.world.pass(1_000)
  const second = simulation.start()
  await simulation.world.pass(5_000)
  simulation.resign(first)
  await simulation.world.pass(longestFlightMs + 1_200)
  assert.equal(simulation.server.lease?.spec?.holderIdentity, second.name)
  assert.equal(simulation.server.lease?.spec?.leaseTransitions, 1)
  assert.deepEqual(simulation.leaders(), [second.name])
  assert.deepEqual(simulation.violations, [])
})

test('who cannot renew stops writing at the deadline, and its calls under way end', async () => {
  const simulation = simulate(1)
  const first = simulation.start()
  await simulation.world.pass(5_000)
  simulation.line.loss = 1
  await simulation.world.pass(7_500)
  assert.equal(first.fence.isOpen(), true, 'a few lost renewals cost nothing')
  await simulation.world.pass(4_000)
  assert.equal(first.fence.isOpen(), false)
  assert.equal((first.fence.closed.reason as Fault).code, 'LeaseLost')
  simulation.line.loss = 0
  await simulation.world.pass(60_000)
  assert.equal(first.fence.isOpen(), false, 'it stays closed')
})

test('the deadline counts from when a renewal was sent, not from when its answer came', async () => {
  const simulation = simulate(1)
  const { server, world } = simulation
  const first = simulation.start()
  await world.pass(5_000)
  first.answerMs = 4_500
  const { version } = server
  while (server.version === version) await world.pass(10)
  first.isCutOff = true
  await world.pass(9_000)
  assert.equal(first.fence.isOpen(), true, 'the answer came')
  await world.pass(1_500)
  assert.equal(first.fence.isOpen(), false)
})

test('a lease that somebody deletes is not free at once for those who have seen its holder', async () => {
  const simulation = simulate(1)
  const first = simulation.start()
  await simulation.world.pass(1_000)
  simulation.start()
  await simulation.world.pass(5_000)
  simulation.server.lease = undefined
  await simulation.world.pass(10_000)
  assert.deepEqual(simulation.leaders(), [first.name], 'its holder has made it anew')
  assert.deepEqual(simulation.violations, [])
})

test('a label on the lease does not keep a dead holder alive', async () => {
  const simulation = simulate(1)
  const first = simulation.start()
  await simulation.world.pass(1_000)
  const second = simulation.start()
  await simulation.world.pass(1_000)
  first.isDead = true
  for (let second = 0; second < 18; second++) {
    const { server } = simulation
    const metadata = {
      ...server.lease?.metadata,
      resourceVersion: String(++server.version),
      labels: { at: `${second}` },
    }
    if (server.lease !== undefined) server.lease = { ...server.lease, metadata }
    await simulation.world.pass(1_000)
  }
  assert.deepEqual(simulation.leaders(), [second.name])
  assert.equal(simulation.server.lease?.metadata.labels?.['at'], '17', 'and stays')
})
