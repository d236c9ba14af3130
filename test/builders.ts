/** The smallest valid objects; a test overrides what it is about. */
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { AnyResource, ObjectMeta, Resource } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'

type Loose = Record<string, unknown>

/** As an API server would hand it out: with defaults, a uid and a generation. */
export function stored<T extends Resource>(kind: Kind<T>, name: string, spec: Loose, metadata: ObjectMeta = {}): T {
  return compileSchema(kind.schema()).default({
    apiVersion: apiVersionOf(kind),
    kind: kind.kind,
    metadata: { name, namespace: 'default', uid: `uid-${name}`, generation: 1, ...metadata },
    spec,
  }) as unknown as T
}

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
