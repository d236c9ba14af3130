import { request } from 'node:http'
import { request as secureRequest } from 'node:https'
import { connect } from 'node:net'
import { messageOf } from '#base/fault.ts'
import type { Container, Probe } from '#api/core/types.generated.ts'
import type { Run } from './container-runtime.ts'

export interface ProbeTarget {
  readonly container: Container
  /** Where a port of the pod answers; undefined while nothing does. */
  readonly locate: (port: number) => { readonly host: string; readonly port: number } | undefined
  readonly run: Run
}

/** Tries a probe once: undefined when it succeeds, else why not, in the kubelet's words. Never rejects. */
export type Prober = (probe: Probe, target: ProbeTarget, signal: AbortSignal) => Promise<string | undefined>

/** Probes for real, one connection each, as the kubelet does. */
export const networkProber: Prober = async (probe, { container, locate, run }, signal) => {
  try {
    if (probe.exec !== undefined) {
      if (run.exec === undefined) return undefined // a simulation runs no commands and has nothing to fail
      const exitCode = await run.exec(probe.exec.command ?? [], signal)
      return exitCode === 0 ? undefined : `command exited with ${exitCode}`
    }
    const { httpGet, tcpSocket } = probe
    const action = httpGet ?? tcpSocket
    if (action === undefined) return undefined // gRPC: nothing that runs here speaks it
    const port = portNumber(action.port, container)
    if (port === undefined) return `port ${action.port} is not among the container's ports`
    const place = locate(port)
    if (place === undefined) return `dial tcp: port ${port}: connection refused`
    const at = { host: action.host ?? place.host, port: place.port }
    if (httpGet === undefined) {
      await dial(at, signal)
      return undefined
    }
    const direct = run.get !== undefined && httpGet.host === undefined && httpGet.scheme !== 'HTTPS'
    const status = direct
      ? await run.get?.(port, (httpGet.path ?? '/').replace(/[?#].*/s, ''))
      : await get(httpGet, at, signal)
    if (status === undefined) return `dial tcp ${at.host}:${port}: connect: connection refused`
    return status >= 200 && status < 400 ? undefined : `HTTP probe failed with statuscode: ${status}`
  } catch (error) {
    return signal.aborted ? 'context deadline exceeded' : messageOf(error)
  }
}

type HttpGet = NonNullable<Probe['httpGet']>
interface Endpoint {
  readonly host: string
  readonly port: number
}

function get(action: HttpGet, { host, port }: Endpoint, signal: AbortSignal): Promise<number> {
  const headers = Object.fromEntries((action.httpHeaders ?? []).map(({ name, value }) => [name, value]))
  const options = { host, port, path: action.path ?? '/', headers, agent: false as const, signal }
  return new Promise((resolve, reject) => {
    const open = action.scheme === 'HTTPS' ? secureRequest : request
    const sent = open({ ...options, rejectUnauthorized: false }, (response) => {
      resolve(response.statusCode ?? 0)
      response.resume()
    })
    sent.on('error', reject)
    sent.end()
  })
}

function dial({ host, port }: Endpoint, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    socket.on('error', reject)
    socket.on('connect', () => {
      resolve()
      socket.destroy()
    })
  })
}

function portNumber(port: number | string, container: Container): number | undefined {
  if (typeof port === 'number') return port
  const named = container.ports?.find(({ name }) => name === port)?.containerPort
  return named ?? (/^\d+$/.test(port) ? Number(port) : undefined)
}
