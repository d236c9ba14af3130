import { createInterface } from 'node:readline'
import { systemClock } from '#base/clock.ts'
import { isFault } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import { createInformers } from '#kube/create-informers.ts'
import { RouterConfig } from '#router/config.ts'
import { startRouter } from '#router/start-router.ts'
import { connect } from './connect.ts'
import type { Io } from './io.ts'
import { openLog } from './log.ts'
import { portTaken } from './port-taken.ts'
import { aborted, stopSignal } from './signals.ts'

export interface RouterCommandOptions {
  readonly port: number
  readonly metricsPort: number
  readonly kubeconfig?: string
  readonly drainSeconds: number
  readonly json?: boolean
  /** Standard input brings the path of the kubeconfig, and ends when this shall. */
  readonly belowUp?: boolean
}

/** Runs until a signal; running answers may end first. */
export async function router(options: RouterCommandOptions, io: Io): Promise<void> {
  const signal = stopSignal()
  const log = openLog('warn')
  using parent = options.belowUp === true ? parentProcess() : undefined
  const kubeconfig = parent === undefined ? options.kubeconfig : await Promise.race([parent.line, parent.gone])
  if (parent !== undefined && kubeconfig === undefined) return
  await using cluster = connect(kubeconfig === undefined ? {} : { kubeconfig }, io)
  await using informers = createInformers({ client: cluster.client, clock: systemClock, log })
  const config = RouterConfig.parse({
    port: options.port,
    metricsPort: options.metricsPort,
    drainMs: options.drainSeconds * 1000,
    accessLog: options.json === true ? 'json' : 'text',
  })
  const running = await startRouter({ config, informers, log, write: (line) => io.write(`${line}\n`) }).catch(
    (error: unknown) => {
      const taken = isFault(error) && error.code === 'PortTaken' && isObject(error.details) && error.details['port']
      if (typeof taken !== 'number') throw error
      const flag = taken !== options.port ? 'metrics-port' : parent === undefined ? 'port' : 'router-port'
      throw portTaken(flag, taken, error)
    },
  )
  const { port, metricsPort } = running
  if (options.json === true) io.write(`${JSON.stringify({ event: 'ready', port, metricsPort })}\n`)
  else io.write(`OpenAI API at http://127.0.0.1:${port}/v1, metrics at http://127.0.0.1:${metricsPort}/metrics\n`)
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
