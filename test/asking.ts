/** A router before a world, and clients that ask it. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Pod } from '#api/core/kinds.ts'
import { families, type FamilyKinds } from '#api/family-kinds.ts'
import { isObject } from '#base/json.ts'
import { silentLog } from '#base/log.ts'
import { defaultConfig } from '#router/config.ts'
import { startRouter } from '#router/start-router.ts'
import type { World } from './world.ts'

export interface Asked {
  readonly status: number
  /** The answer, or the message of the error. */
  readonly text: string
}

export interface Clients {
  readonly url: string
  /** Of the listener for operators and the autoscaler. */
  readonly operatorsUrl: string
  /** One streamed chat completion, read to its end. */
  ask(model: string, headers?: Readonly<Record<string, string>>): Promise<Asked>
  /** Asks until the router knows the model and one of its pods. */
  answered(model: string, headers?: Readonly<Record<string, string>>): Promise<Asked>
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>
}

export async function startClients(
  t: Pick<TestContext, 'after'>,
  world: Pick<World, 'until' | 'informers'>,
  families?: readonly FamilyKinds[],
): Promise<Clients> {
  const router = await startRouter({
    config: { ...defaultConfig, port: 0, metricsPort: 0, drainMs: 0, accessLog: 'off' },
    informers: world.informers,
    ...(families !== undefined && { families }),
    log: silentLog,
    write: () => {},
  })
  t.after(() => router.close())
  const url = `http://127.0.0.1:${router.port}`
  const post: Clients['post'] = (path, body, { headers, ...init } = {}) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(headers as Record<string, string>) },
      body: JSON.stringify(body),
      ...init,
    })
  const ask: Clients['ask'] = async (model, headers = {}) => {
    const messages = [{ role: 'user', content: 'Say hello.' }]
    const response = await post('/v1/chat/completions', { model, messages, stream: true, max_tokens: 8 }, { headers })
    const body = await response.text()
    if (response.status !== 200) return { status: response.status, text: body }
    const events = body.split('\n\n').filter(Boolean)
    assert.equal(events.pop(), 'data: [DONE]', 'a stream ends as it should')
    return { status: 200, text: events.map((event) => contentOf(event.slice('data: '.length))).join('') }
  }
  return {
    url,
    operatorsUrl: `http://127.0.0.1:${router.metricsPort}`,
    post,
    ask,
    answered: (model, headers) =>
      world.until(`an answer from ${model}`, async () => {
        const asked = await ask(model, headers)
        return asked.status === 200 && asked
      }),
  }
}

function contentOf(text: string): string {
  const event = JSON.parse(text) as { choices: { delta?: unknown }[] }
  const delta = event.choices[0]?.delta
  return isObject(delta) && typeof delta['content'] === 'string' ? delta['content'] : ''
}

/** The names that the routes of a namespace answer to, with headers that let a request through. */
export async function namesIn(
  world: World,
  namespace: string,
): Promise<{ name: string; headers: Record<string, string> }[]> {
  const lists = await Promise.all(families.map(({ route }) => world.client.list(route, { namespace })))
  return lists
    .flatMap(({ items }) => items)
    .flatMap(({ spec }) => {
      const match = Object.entries(spec.rules[0]?.modelMatch?.headers ?? {})
      const headers = Object.fromEntries(match.map(([header, { exact, prefix }]) => [header, exact ?? prefix ?? '']))
      return [spec.modelName, ...(spec.loraAdapters ?? [])].flatMap((name) => (name ? [{ name, headers }] : []))
    })
}

/** Pods that are not being deleted. */
export async function podsOf(world: Pick<World, 'list'>, labelSelector?: string): Promise<Pod[]> {
  const pods = await world.list(Pod, labelSelector)
  return pods.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
}

/** The sum of a metric of the engine in a pod; 0 where it has none. */
export async function metric(pod: Pod, name: string, port = 8000): Promise<number> {
  const text = await (await fetch(`http://${pod.status?.podIP}:${port}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** How many requests a pod has answered. */
export const answeredBy = (pod: Pod): Promise<number> => metric(pod, 'vllm:request_success_total')
