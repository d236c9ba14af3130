import { Fault } from '#base/fault.ts'

interface TakenPort {
  readonly flag: string
  readonly port: number
  readonly host?: string | undefined
  /** What to write instead of another one. */
  readonly otherwise?: string
}

/** The same words for every port that somebody else has. */
export function portTaken(
  { flag, port, host = '127.0.0.1', otherwise = '0 for any free one' }: TakenPort,
  cause: unknown,
): Fault {
  const message = `port ${port} on ${host} is taken; give another with --${flag}, ${otherwise}`
  return new Fault('exhausted', 'PortTaken', message, { cause })
}
