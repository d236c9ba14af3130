import { isObject } from '#base/json.ts'
import type { Resource } from '#machinery/meta.ts'
import { hostPortsAnnotation } from './local-node.ts'

export interface PodAddress {
  readonly host: string
  readonly port: number
}

/** Where `port` of a pod answers; undefined while it has no IP, or where its node maps ports but not this one. */
export function podAddress(pod: Resource, port: number): PodAddress | undefined {
  const { status } = pod as { status?: { podIP?: string } }
  if (status?.podIP === undefined || status.podIP === '') return undefined
  const mapped = pod.metadata.annotations?.[hostPortsAnnotation]
  if (mapped === undefined) return { host: status.podIP, port }
  const hostPort = portsOf(mapped)[String(port)]
  return typeof hostPort === 'number' ? { host: status.podIP, port: hostPort } : undefined
}

function portsOf(annotation: string): Record<string, unknown> {
  try {
    const ports: unknown = JSON.parse(annotation)
    return isObject(ports) ? ports : {}
  } catch {
    return {} // the node writes JSON; whatever else stands here maps nothing
  }
}
