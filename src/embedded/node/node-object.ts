import { availableParallelism, arch, release, totalmem } from 'node:os'
import { type Clock, microTimestamp, timestamp } from '#base/clock.ts'
import { isFault, messageOf } from '#base/fault.ts'
import type { Log } from '#base/log.ts'
import { Lease, Namespace, Node } from '#api/core/kinds.ts'
import type { Client } from '#kube/client.ts'
import { acceptsAllAnnotation } from '#kube/local-node.ts'
import type { AnyResource } from '#machinery/meta.ts'

export interface NodeFacts {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  /** Of the machine where absent. */
  readonly capacity: Readonly<Record<string, string>>
  /** Whether any pod fits, whatever it asks for. */
  readonly acceptsAll: boolean
  /** Whether there are images that a simulator stands in for. */
  readonly simulates: boolean
  readonly hostIP: string
  /** The version that `kubectl get nodes` shows. */
  readonly version: string
  /** Where the API server finds the kubelet at `hostIP`, if it must look for it. */
  readonly kubeletPort?: number
}

const leaseNamespace = 'kube-node-lease'
const fieldManager = 'fairlead-node'
const leaseSeconds = 40
const heartbeatMs = 10_000
const statusMs = 300_000

const simulation = 'Some images run in a simulator: in their pods, which say so, no model runs and no GPU is used.'

export function machineCapacity(): Record<string, string> {
  return {
    cpu: String(availableParallelism()),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    'ephemeral-storage': '100Gi',
    pods: '10000',
  }
}

function nodeObject({ name, labels, acceptsAll, simulates }: NodeFacts): AnyResource {
  const machine = arch() === 'x64' ? 'amd64' : arch()
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': process.platform,
        'kubernetes.io/arch': machine,
        ...labels,
      },
      annotations: {
        ...(acceptsAll ? { [acceptsAllAnnotation]: 'true' } : {}),
        ...(simulates ? { 'fairlead.dev/simulates': simulation } : {}),
      },
    },
  }
}

function nodeStatus(facts: NodeFacts, sinceMs: number, nowMs: number): Record<string, unknown> {
  const capacity = { ...machineCapacity(), ...facts.capacity }
  const condition = (type: string, status: string, reason: string, message: string) => ({
    type,
    status,
    reason,
    message,
    lastHeartbeatTime: timestamp(nowMs),
    lastTransitionTime: timestamp(sinceMs),
  })
  return {
    capacity,
    allocatable: capacity,
    addresses: [
      { type: 'InternalIP', address: facts.hostIP },
      { type: 'Hostname', address: facts.name },
    ],
    ...(facts.kubeletPort !== undefined && { daemonEndpoints: { kubeletEndpoint: { Port: facts.kubeletPort } } }),
    conditions: [
      condition('Ready', 'True', 'KubeletReady', 'the node runs pods'),
      facts.simulates
        ? condition('fairlead.dev/Simulates', 'True', 'NoEngine', simulation)
        : condition('fairlead.dev/Simulates', 'False', 'Processes', 'every image runs as a process of this machine'),
    ],
    nodeInfo: {
      architecture: arch() === 'x64' ? 'amd64' : arch(),
      bootID: '',
      containerRuntimeVersion: `fairlead://${facts.simulates ? 'simulated' : 'process'}`,
      kernelVersion: release(),
      kubeProxyVersion: '',
      kubeletVersion: facts.version,
      machineID: facts.name,
      operatingSystem: process.platform,
      osImage: 'this machine',
      systemUUID: '',
    },
  }
}

/** Registers the node, then keeps its lease fresh and, far less often, its status, until the signal aborts. */
export async function keepNode(
  facts: NodeFacts,
  { client, clock, log }: { client: Client; clock: Clock; log: Log },
  signal: AbortSignal,
): Promise<void> {
  const sinceMs = clock.now()
  let statusDueMs = 0
  const beat = async (): Promise<void> => {
    if (clock.now() >= statusDueMs) {
      await client.apply(Node, nodeObject(facts), { fieldManager, force: true })
      const { apiVersion, kind, metadata } = nodeObject(facts)
      const status = nodeStatus(facts, sinceMs, clock.now())
      const object = { apiVersion, kind, metadata: { name: metadata.name ?? '' }, status }
      await client.apply(Node, object, { fieldManager, force: true, subresource: 'status' })
      statusDueMs = clock.now() + statusMs
    }
    await renewLease(facts.name, client, clock)
  }
  const loop = () => {
    if (signal.aborted) return
    beat()
      .catch((error: unknown) => {
        if (!signal.aborted) log.warn('heartbeat failed', { node: facts.name, error: messageOf(error) })
      })
      .finally(() => clock.after(heartbeatMs, loop))
      .catch(() => {}) // the catch above has told it
  }
  await beat()
  clock.after(heartbeatMs, loop)
}

async function renewLease(name: string, client: Client, clock: Clock): Promise<void> {
  const lease: AnyResource = {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: { name, namespace: leaseNamespace },
    spec: {
      holderIdentity: name,
      leaseDurationSeconds: leaseSeconds,
      renewTime: microTimestamp(clock.now()),
    },
  }
  const options = { fieldManager, force: true }
  try {
    await client.apply(Lease, lease, options)
  } catch (error) {
    if (!isFault(error, 'missing')) throw error
    const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: leaseNamespace } }
    await client.apply(Namespace, namespace, options)
    await client.apply(Lease, lease, options)
  }
}
