/** Asks at a place as whoever is let in there: bounded in time, and in how many ask at once. */
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import type { Log } from '#base/log.ts'
import { asAnyone, type Place } from './access.ts'
import { registryFaults } from './faults.ts'
import { HostGates } from './gate.ts'
import type { RegistryHttp } from './http.ts'
import { openSession, type Session } from './session.ts'

export interface Work<T> {
  /** What the session may be let do: `repository:amd/x:pull`. */
  readonly scope: (repository: string) => string
  readonly run: (session: Session, repository: string) => Promise<T>
}

export interface Asker {
  /** Does the work at one place. */
  at<T>(place: Place, signal: AbortSignal, work: Work<T>): Promise<T>
  /** Does it at the first place that lets it be done; else rejects with what the last one said. */
  anywhere<T>(places: readonly Place[], signal: AbortSignal, work: Work<T>): Promise<T>
  /** Any questions to a host, within the same bounds. */
  bounded<T>(origin: string, signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T>
}

const patienceMs = 60_000
const atOnce = { all: 4, perHost: 2 }

export function createAsker({ http, clock, log }: { http: RegistryHttp; clock: Clock; log: Log }): Asker {
  const gates = new HostGates(atOnce)
  const now = () => clock.now()
  const asker: Asker = {
    bounded: (origin, signal, run) => gates.run(origin, signal, () => withPatience(clock, { origin, signal }, run)),
    at(place, signal, { scope, run }) {
      const { origin, repository } = place.endpoint
      return asker.bounded(origin, signal, (patient) =>
        asAnyone(place, (login) =>
          run(openSession({ http, origin, scope: scope(repository), login, signal: patient, now }), repository),
        ),
      )
    },
    async anywhere(places, signal, work) {
      for (const [index, place] of places.entries()) {
        try {
          return await asker.at(place, signal, work)
        } catch (error) {
          if (signal.aborted || index === places.length - 1) throw error
          log.info('mirror passed over', { mirror: place.endpoint, reason: (error as Error).message })
        }
      }
      throw new Error('no place to ask')
    },
  }
  return asker
}

interface Waiting {
  readonly origin: string
  readonly signal: AbortSignal
}

async function withPatience<T>(
  clock: Clock,
  { origin, signal }: Waiting,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const late = new AbortController()
  const message = `${new URL(origin).host} took more than ${patienceMs / 1000} s`
  const timer = clock.after(patienceMs, () => late.abort(new Fault('unavailable', registryFaults.failed, message)))
  try {
    return await run(AbortSignal.any([signal, late.signal]))
  } finally {
    timer.cancel()
  }
}
