/** The smallest valid objects; a test overrides what it is about. */
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
import { apiVersionOf } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'

type Loose = Record<string, unknown>

export function modelServing(name: string, spec: Loose = {}): AnyResource {
  return {
    apiVersion: apiVersionOf(ModelServing),
    kind: 'ModelServing',
    metadata: { name, namespace: 'default' },
    spec: { template: { roles: [role('leader')] }, ...spec },
  }
}

export function role(name: string, overrides: Loose = {}): Loose {
  return { name, entryTemplate: podTemplate(), workerReplicas: 0, ...overrides }
}

export function podTemplate(container: Loose = {}): Loose {
  return {
    spec: {
      containers: [
        { name: 'engine', image: 'vllm/vllm-openai:latest', command: ['vllm', 'serve', 'tiny'], ...container },
      ],
    },
  }
}

export function modelBooster(name: string, spec: Loose = {}): AnyResource {
  return {
    apiVersion: apiVersionOf(ModelBooster),
    kind: 'ModelBooster',
    metadata: { name, namespace: 'default' },
    spec: { backends: [backend('vllm')], ...spec },
  }
}

export function backend(name: string, overrides: Loose = {}): Loose {
  return {
    name,
    type: 'vLLM',
    modelURI: 'hf://acme/tiny-chat',
    minReplicas: 1,
    maxReplicas: 1,
    workers: [{ type: 'server', image: 'vllm/vllm-openai:latest' }],
    ...overrides,
  }
}
