import { Fault } from '#base/fault.ts'

/** The same words for every port that somebody else has. */
export function portTaken(flag: string, port: number, cause: unknown): Fault {
  const message = `port ${port} on 127.0.0.1 is taken; give another with --${flag}, 0 for any free one`
  return new Fault('exhausted', 'PortTaken', message, { cause })
}
