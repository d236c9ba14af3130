import { Pod } from '#api/core/kinds.ts'
import { faultOf } from '#kube/create-client.ts'
import { collectionPath } from '#machinery/kind.ts'
import { type Cluster, type ConnectOptions, connect } from './connect.ts'
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
  const container = options.container ?? (await defaultContainer(cluster, name, io))
  const query = new URLSearchParams({
    container,
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

const defaultContainerAnnotation = 'kubectl.kubernetes.io/default-container'

/** As kubectl chooses, but that an engine goes before what stands beside it. Says so where there was a choice. */
async function defaultContainer({ client, namespace }: Cluster, name: string, io: Io): Promise<string> {
  const { metadata, spec } = await client.get(Pod, { namespace, name })
  const names = spec?.containers.map((container) => container.name) ?? []
  const told = metadata.annotations?.[defaultContainerAnnotation]
  const chosen = [told, 'engine'].find((each) => each !== undefined && names.includes(each)) ?? names[0] ?? ''
  const others = [...names, ...(spec?.initContainers ?? []).map((container) => container.name)]
  if (others.length > 1) io.error(`container ${chosen} of ${others.join(', ')}; -c names another`)
  return chosen
}
