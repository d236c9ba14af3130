import assert from 'node:assert/strict'
import type { Fetch } from '#machinery/http.ts'
import type { AnyResource, ResourceList } from '#machinery/meta.ts'
import type { Status } from '#machinery/status.ts'
import type { WatchEvent } from '#machinery/watch-event.ts'

/** An API server to be judged. */
export interface ApiTarget {
  readonly fetch: Fetch
  /** Scheme and authority. */
  readonly url: string
}

/** What one case gets: the server, and a namespace that nobody else uses. */
export interface Api {
  readonly namespace: string
  readonly configMaps: string
  readonly pods: string
  readonly gizmos: string
  ask(method: string, path: string, body?: unknown, options?: AskOptions): Promise<Answer>
  /** As `ask`, and the answer must be of the 200s. */
  object(method: string, path: string, body?: unknown, options?: AskOptions): Promise<AnyResource>
  list(path: string): Promise<ResourceList<AnyResource>>
  /** As `ask`, and the answer must be a Status with this code and reason. */
  refused(code: number, reason: string, ask: Promise<Answer>): Promise<Status>
  /** A watch; read with `next`, which rejects when the stream ends. */
  watch(path: string, options?: { readonly accept?: string }): Promise<Watch>
}

export interface AskOptions {
  readonly type?: string
  readonly accept?: string
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: unknown
}

export interface Watch extends AsyncDisposable {
  next(): Promise<WatchEvent<AnyResource>>
}

export const merge = { type: 'application/merge-patch+json' }
export const jsonPatch = { type: 'application/json-patch+json' }
export const strategic = { type: 'application/strategic-merge-patch+json' }
export const apply = { type: 'application/apply-patch+yaml' }

export function configMap(name: string, members: Partial<AnyResource> = {}): AnyResource {
  const { metadata, ...rest } = members
  return { apiVersion: 'v1', kind: 'ConfigMap', ...rest, metadata: { name, ...metadata } }
}

export function pod(name: string, spec: Record<string, unknown> = {}): AnyResource {
  const containers = [{ name: 'c', image: 'example.com/c:1' }]
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers, ...spec } }
}

export function gizmo(name: string, spec: Record<string, unknown> = {}): AnyResource {
  return { apiVersion: 'suite.example.com/v1', kind: 'Gizmo', metadata: { name }, spec }
}

/** A custom kind with everything that a custom kind can have. */
export const gizmoDefinition: AnyResource = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'gizmos.suite.example.com' },
  spec: {
    group: 'suite.example.com',
    scope: 'Namespaced',
    names: { plural: 'gizmos', singular: 'gizmo', kind: 'Gizmo', shortNames: ['gz'], categories: ['suite'] },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.replicas',
            labelSelectorPath: '.status.selector',
          },
        },
        additionalPrinterColumns: [
          { name: 'Size', type: 'string', jsonPath: '.spec.size' },
          { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas', priority: 1 },
        ],
        selectableFields: [{ jsonPath: '.spec.size' }],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: {
                  size: { type: 'string', default: 'm' },
                  replicas: { type: 'integer', minimum: 0 },
                  parts: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': ['name'],
                    items: {
                      type: 'object',
                      required: ['name'],
                      properties: { name: { type: 'string' }, colour: { type: 'string' } },
                    },
                  },
                },
                'x-kubernetes-validations': [
                  { rule: '!has(self.replicas) || self.replicas < 100', message: 'too many gizmos' },
                ],
              },
              status: {
                type: 'object',
                properties: { replicas: { type: 'integer' }, selector: { type: 'string' }, phase: { type: 'string' } },
              },
            },
          },
        },
      },
      {
        name: 'v1beta1',
        served: true,
        storage: false,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
}

export function apiOf({ fetch, url }: ApiTarget, namespace: string): Api {
  const ask: Api['ask'] = async (
    method,
    path,
    body,
    { type = 'application/json', accept = 'application/json' } = {},
  ) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const response = await fetch(
      new Request(url + path, {
        method,
        headers: { accept, ...(body === undefined ? {} : { 'content-type': type }), 'user-agent': 'api-suite/1' },
        ...(body === undefined ? {} : { body: text }),
      }),
    )
    const answer = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    const decoded: unknown = isJson ? JSON.parse(answer) : undefined
    return { status: response.status, headers: response.headers, text: answer, body: decoded }
  }
  const object: Api['object'] = async (method, path, body, options) => {
    const answer = await ask(method, path, body, options)
    assert.ok(answer.status < 300, `${method} ${path} was answered with ${answer.status}: ${answer.text}`)
    return answer.body as AnyResource
  }
  return {
    namespace,
    configMaps: `/api/v1/namespaces/${namespace}/configmaps`,
    pods: `/api/v1/namespaces/${namespace}/pods`,
    gizmos: `/apis/suite.example.com/v1/namespaces/${namespace}/gizmos`,
    ask,
    object,
    list: async (path) => (await object('GET', path)) as unknown as ResourceList<AnyResource>,
    async refused(code, reason, asked) {
      const answer = await asked
      assert.deepEqual([answer.status, (answer.body as Status).reason], [code, reason], answer.text)
      const status = answer.body as Status
      assert.deepEqual([status.kind, status.status, status.code], ['Status', 'Failure', code])
      return status
    },
    async watch(path, { accept = 'application/json' } = {}) {
      const stop = new AbortController()
      const glue = path.includes('?') ? '&' : '?'
      const init = { signal: stop.signal, headers: { accept } }
      const response = await fetch(new Request(`${url}${path}${glue}watch=true`, init))
      assert.equal(response.status, 200)
      return watchOf(response, stop)
    },
  }
}

function watchOf(response: Response, stop: AbortController): Watch {
  const events = decode(response)
  return {
    async next() {
      const { done, value } = await events.next()
      if (done === true) throw new Error('the watch ended')
      return value
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await events.return(undefined).catch(() => {})
    },
  }
}

async function* decode(response: Response): AsyncGenerator<WatchEvent<AnyResource>, void> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line) as WatchEvent<AnyResource>
  }
}

/** Type and name of the next events, one word each. */
export async function words(watch: Watch, count: number): Promise<string[]> {
  const seen: string[] = []
  for (let i = 0; i < count; i++) {
    const { type, object } = await watch.next()
    seen.push(`${type} ${object.metadata.name}`)
  }
  return seen
}
