import { createInterface } from 'node:readline'
import { systemClock } from '#base/clock.ts'
import { families } from '#api/family-kinds.ts'
import { isFault } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import { createInformers } from '#kube/create-informers.ts'
import { defaultConfig, type RouterConfig } from '#router/config.ts'
import { startRouter } from '#router/start-router.ts'
import { connect } from './connect.ts'
import type { Io } from './io.ts'
import type { LogLevel } from './log-level.ts'
import { openLog } from './log.ts'
import { tellServed } from './missing-kinds.ts'
import { portTaken } from './port-taken.ts'
import { aborted, stopSignal } from './signals.ts'

export interface RouterCommandOptions {
  readonly port: number
  readonly metricsPort: number
  readonly bindAddress: string
  readonly kubeconfig?: string
  readonly context?: string
  readonly namespaces?: readonly string[]
  readonly drainSeconds: number
  readonly matrixinfer?: boolean
  readonly json?: boolean
  readonly logLevel: LogLevel
  /** Standard input brings the path of the kubeconfig, and ends when this shall. */
  readonly belowUp?: boolean
}

/** Runs until a signal; running answers may end first. */
export async function router(options: RouterCommandOptions, io: Io): Promise<void> {
  const signal = stopSignal()
  const log = openLog(options.logLevel)
  using parent = options.belowUp === true ? parentProcess() : undefined
  const kubeconfig = parent === undefined ? options.kubeconfig : await Promise.race([parent.line, parent.gone])
  if (parent !== undefined && kubeconfig === undefined) return
  const { context, namespaces, bindAddress: host } = options
  const named = { ...(kubeconfig !== undefined && { kubeconfig }), ...(context !== undefined && { context }) }
  await using cluster = connect(named, io)
  const { client } = cluster
  const scope = { namespacesOf: () => namespaces, onServed: tellServed(log) }
  await using informers = createInformers({ client, clock: systemClock, log, ...scope })
  const config: RouterConfig = {
    ...defaultConfig,
    host,
    metricsHost: host,
    port: options.port,
    metricsPort: options.metricsPort,
    drainMs: options.drainSeconds * 1000,
    accessLog: options.json === true ? 'json' : 'text',
  }
  const served = families.slice(0, options.matrixinfer === true ? undefined : 1)
  const write = (line: string) => io.write(`${line}\n`)
  const running = await startRouter({ config, informers, families: served, log, write }).catch((error: unknown) => {
    const taken = isFault(error) && error.code === 'PortTaken' && isObject(error.details) && error.details['port']
    if (typeof taken !== 'number') throw error
    const flag = taken !== options.port ? 'metrics-port' : parent === undefined ? 'port' : 'router-port'
    throw portTaken({ flag, port: taken, host }, error)
  })
  const { port, metricsPort } = running
  if (options.json === true) io.write(`${JSON.stringify({ event: 'ready', port, metricsPort })}\n`)
  else {
    const origin = `http://${host.includes(':') ? `[${host}]` : host}`
    io.write(`OpenAI API at ${origin}:${port}/v1, metrics at ${origin}:${metricsPort}/metrics\n`)
  }
  await Promise.race([aborted(signal), ...(parent === undefined ? [] : [parent.gone])])
  await running.close()
}

interface ParentProcess extends Disposable {
  /** The first line that it writes. */
  readonly line: Promise<string>
  readonly gone: Promise<undefined>
}

function parentProcess(): ParentProcess {
  const lines = createInterface({ input: process.stdin })
  return {
    line: new Promise((resolve) => lines.once('line', resolve)),
    gone: new Promise((resolve) => lines.once('close', () => resolve(undefined))),
    // An open pipe would keep this process.
    [Symbol.dispose]: () => process.stdin.destroy(),
  }
}
