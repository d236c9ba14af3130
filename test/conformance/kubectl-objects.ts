/** What the kubectl cases work on: the smallest objects, without a namespace, which kubectl adds. */
import type { AnyResource } from '#machinery/meta.ts'
import { backend, modelBooster, modelServing } from '../builders.ts'

const inAnyNamespace = (object: AnyResource): AnyResource => {
  const { namespace: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** With every default written out: kubectl compares lists as a whole, and the owner of a list owns its defaults. */
export function booster(name: string, overrides: Record<string, unknown> = {}): AnyResource {
  const worker = { type: 'server', image: 'vllm/vllm-openai:latest', pods: 1, replicas: 1 }
  const only = backend('vllm', { routeWeight: 100, workers: [worker], ...overrides })
  return inAnyNamespace(modelBooster(name, { backends: [only] }))
}

export function serving(name: string, spec: Record<string, unknown> = {}): AnyResource {
  return inAnyNamespace(modelServing(name, spec))
}

export function configMap(name: string, data: Record<string, string> = {}): AnyResource {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data }
}

/** A simulated engine; `flags` are further arguments of it. */
export function enginePod(name: string, flags: readonly string[] = []): AnyResource {
  return pod(name, { image: 'vllm/vllm-openai:latest', command: ['vllm', 'serve', 'tiny', ...flags] })
}

/** One whose image nothing here can run. */
export function strangePod(name: string): AnyResource {
  return pod(name, { image: 'example.com/strange:1' })
}

function pod(name: string, container: Record<string, unknown>): AnyResource {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'engine', ...container }] } }
}

/** A cluster puts a ConfigMap of its own into every namespace. */
export const notTheClusters = '--field-selector=metadata.name!=kube-root-ca.crt'
