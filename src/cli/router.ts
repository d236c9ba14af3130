import { systemClock } from '#base/clock.ts'
import { isFault } from '#base/fault.ts'
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
  readonly untilStdinEnds?: boolean
}

/** Runs until a signal; running answers may end first. */
export async function router(options: RouterCommandOptions, io: Io): Promise<void> {
  const signal = stopSignal()
  const log = openLog('warn')
  await using cluster = connect(options, io)
  await using informers = createInformers({ client: cluster.client, clock: systemClock, log })
  const config = RouterConfig.parse({
    port: options.port,
    metricsPort: options.metricsPort,
    drainMs: options.drainSeconds * 1000,
    accessLog: options.json === true ? 'json' : 'text',
  })
  const running = await startRouter({ config, informers, log, write: (line) => io.write(`${line}\n`) }).catch(
    (error: unknown) => {
      throw isFault(error) && error.code === 'PortTaken' ? portTaken('router-port', options.port, error) : error
    },
  )
  const { port, metricsPort } = running
  if (options.json === true) io.write(`${JSON.stringify({ event: 'ready', port, metricsPort })}\n`)
  else io.write(`OpenAI API at http://127.0.0.1:${port}/v1, metrics at http://127.0.0.1:${metricsPort}/metrics\n`)
  await Promise.race([aborted(signal), ...(options.untilStdinEnds === true ? [stdinEnd()] : [])])
  await running.close()
}

function stdinEnd(): Promise<void> {
  return new Promise((resolve) =>
    process.stdin
      .resume()
      .once('end', resolve)
      .once('error', () => resolve()),
  )
}
