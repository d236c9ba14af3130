import { Fault } from '#base/fault.ts'
import { Pod } from '#api/core/kinds.ts'
import { faultOfStatus, type Status } from '#machinery/status.ts'
import { collectionPath } from '#machinery/kind.ts'
import { type ConnectOptions, connect } from './connect.ts'
import type { Io } from './io.ts'

export interface LogsOptions extends ConnectOptions {
  readonly pod: string
  readonly container?: string
  readonly follow?: boolean
  readonly previous?: boolean
  readonly tail?: number
}

export async function logs(options: LogsOptions, io: Io): Promise<void> {
  await using cluster = connect(options, io)
  const name = options.pod.replace(/^pods?\//, '')
  const query = new URLSearchParams({
    ...(options.container !== undefined && { container: options.container }),
    ...(options.follow === true && { follow: 'true' }),
    ...(options.previous === true && { previous: 'true' }),
    ...(options.tail !== undefined && { tailLines: String(options.tail) }),
  })
  const path = `${collectionPath(Pod, cluster.namespace)}/${encodeURIComponent(name)}/log?${query}`
  const response = await cluster.client.raw(path)
  if (!response.ok) throw await faultOf(response)
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) io.write(decoder.decode(chunk as Uint8Array, { stream: true }))
}

async function faultOf(response: Response): Promise<Fault> {
  const text = await response.text()
  try {
    return faultOfStatus(JSON.parse(text) as Status)
  } catch {
    return new Fault('unavailable', 'NoLogs', `the server answered ${response.status}`)
  }
}
