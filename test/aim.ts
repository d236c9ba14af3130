/** Objects of the AIM catalog, as small as they can be. */
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMService } from '#api/aim-service.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource, Condition, Place, Resource } from '#machinery/meta.ts'
import type { Tools } from './tools.ts'

type Loose = Record<string, unknown>

export function aimModel(name: string, spec: Loose = {}, metadata: Loose = {}): AnyResource {
  return aim(AIMModel, { name, namespace: 'default', ...metadata }, { image: 'ghcr.io/amd/llama-3-8b:v1.0.0', ...spec })
}

export function aimClusterModel(name: string, spec: Loose = {}): AnyResource {
  return aim(AIMClusterModel, { name }, { image: 'ghcr.io/amd/llama-3-8b:v1.0.0', ...spec })
}

export function aimService(name: string, spec: Loose = {}, metadata: Loose = {}): AnyResource {
  return aim(AIMService, { name, namespace: 'default', ...metadata }, spec)
}

export function aim(kind: Kind, metadata: AnyResource['metadata'], spec: Loose): AnyResource {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata, spec }
}

export function secret(
  name: string,
  data: Readonly<Record<string, string>> = {},
  { namespace = 'default', type = 'Opaque' }: { readonly namespace?: string; readonly type?: string } = {},
): AnyResource {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace }, type, data: { ...data } }
}

export function modelNamespace(name: string): AnyResource {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
}

export const dockerConfigType = 'kubernetes.io/dockerconfigjson'

/** Metadata of an image with these ways to run it. */
export function recommending(...recommendedDeployments: Loose[]): Loose {
  return { model: { canonicalName: 'meta-llama/Llama-3-8B', recommendedDeployments } }
}

export const mi300x = { gpuModel: 'MI300X', gpuCount: 4, precision: 'fp16', metric: 'throughput' }

/** A node with a GPU of this PCI device id; without one, a node without GPUs. */
export function gpuNode(
  name: string,
  id?: string,
): { name: string; labels: Record<string, string>; capacity: Record<string, string> } {
  return {
    name,
    labels: id === undefined ? {} : { 'amd.com/gpu.device-id': id },
    capacity: { cpu: '64', memory: '1024Gi', pods: '110', 'amd.com/gpu': '8' },
  }
}

/** What an object of the catalog tells of itself, in short. */
export interface Told {
  readonly status: string | undefined
  /** Reason of `Ready`. */
  readonly reason: string | undefined
  /** Type → `Status/Reason`. */
  readonly conditions: Readonly<Record<string, string>>
  readonly message: (type: string) => string
}

function toldBy(object: Resource | undefined): Told {
  const { status, conditions = [] } = ((object as AnyResource | undefined)?.status ?? {}) as {
    status?: string
    conditions?: Condition[]
  }
  const find = (type: string) => conditions.find((each) => each.type === type)
  return {
    status,
    reason: find('Ready')?.reason,
    conditions: Object.fromEntries(conditions.map((each) => [each.type, `${each.status}/${each.reason}`])),
    message: (type) => find(type)?.message ?? '',
  }
}

/** Waits until an object tells this; says what it told when it never does. */
export async function becomes(
  world: Pick<Tools, 'until' | 'find'>,
  kind: Kind,
  { namespace = 'default', name }: Place,
  want: { readonly status?: string; readonly reason?: string; readonly conditions?: Readonly<Record<string, string>> },
): Promise<Told> {
  const place = kind.namespaced ? { namespace, name } : { name }
  let told = toldBy(undefined)
  const fits = () =>
    (want.status === undefined || told.status === want.status) &&
    (want.reason === undefined || told.reason === want.reason) &&
    Object.entries(want.conditions ?? {}).every(([type, value]) => told.conditions[type] === value)
  try {
    return await world.until(`${kind.kind} ${name} ${JSON.stringify(want)}`, async () => {
      told = toldBy(await world.find(kind, place))
      return fits() && told
    })
  } catch (error) {
    throw new Error(`${(error as Error).message}; last told: ${JSON.stringify(told)} ${told.message('Ready')}`, {
      cause: error,
    })
  }
}
