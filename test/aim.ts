/** Objects of the AIM catalog, as small as they can be. */
import { AIMClusterModel, AIMModel } from '#api/aim-model.ts'
import { AIMService } from '#api/aim-service.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'

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
