import { setTimeout as wait } from 'node:timers/promises'
import { parse } from 'yaml'
import { isObject } from '#base/json.ts'
import type { ApiTarget } from '../suites/api-target.ts'
import type { Call, Calls } from './call.ts'
import { normalised } from './normalise.ts'

/** What a server answered to one call; of the headers those that clients act on. */
export interface Recorded {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** What JSON or YAML says, however it is spelled; else the text. */
  readonly body?: unknown
  readonly events?: readonly unknown[]
}

/** Answers by the sentences of their calls. */
export type Recording = Readonly<Record<string, Recorded>>

const comparedHeaders = [
  'allow',
  'cache-control',
  'content-type',
  'location',
  'retry-after',
  'warning',
  'www-authenticate',
]

/** As long as a server may take to get to what `until` waits for, or to send an event. */
const patienceMs = 10_000
const askAgainMs = 50

/** Asks a server all calls of one subject in a new namespace, and returns its answers in the form that is compared. */
export async function replay(target: ApiTarget, subject: string, calls: Calls): Promise<Recording> {
  const namespace = `conformance-${subject}-${Math.random().toString(36).slice(2, 7)}`
  const named = new Map<string, unknown>()
  await send(target, { ask: 'POST /api/v1/namespaces', body: { metadata: { name: namespace } } }, (text) => text)
  const answers: [string, Recorded][] = []
  for (const [sentence, call] of Object.entries(calls)) {
    const fill = (text: string, encode = (value: string) => value): string => filled(text, namespace, named, encode)
    const answer = await send(target, call, fill).catch((error: unknown) => {
      throw new Error(`no answer to "${sentence}": ${String(error)}`, { cause: error })
    })
    if (call.as !== undefined) named.set(call.as, answer.body)
    answers.push([
      sentence,
      call.pick === undefined ? answer : { ...answer, body: picked(answer.body, call.pick, fill) },
    ])
  }
  return normalised(answers, namespace)
}

type Fill = (text: string, encode?: (value: string) => string) => string

async function send({ fetch, url }: ApiTarget, call: Call, fill: Fill): Promise<Recorded> {
  const [method = '', path = ''] = fill(call.ask, encodeURIComponent).split(' ')
  const deadline = Date.now() + patienceMs
  for (;;) {
    const stop = new AbortController()
    const response = await fetch(new Request(url + path, { method, ...bodyOf(call, fill), signal: stop.signal }))
    const late = setTimeout(() => stop.abort(new Error('nothing came')), patienceMs)
    try {
      if (call.events !== undefined && response.ok)
        return { ...headOf(response), events: await events(response, call.events) }
      const text = await response.text()
      const done = call.until === undefined || text.includes(call.until) || Date.now() > deadline
      if (done) return { ...headOf(response), ...(text === '' ? {} : { body: decoded(response, text) }) }
    } finally {
      clearTimeout(late)
      stop.abort()
    }
    await wait(askAgainMs)
  }
}

function bodyOf(
  { body, type = 'application/json', accept = 'application/json', agent = 'conformance/1' }: Call,
  fill: Fill,
) {
  const headers = { accept, 'user-agent': agent }
  if (body === undefined) return { headers }
  const text = fill(typeof body === 'string' ? body : JSON.stringify(body))
  return { headers: type === '' ? headers : { ...headers, 'content-type': type }, body: text }
}

/** Puts in what only an answer tells. */
function filled(
  text: string,
  namespace: string,
  named: ReadonlyMap<string, unknown>,
  encode: (value: string) => string,
): string {
  return text.replaceAll('<ns>', namespace).replaceAll(/<(\w+)\.([\w.]+)>/g, (_, name: string, path: string) => {
    const value = path
      .split('.')
      .reduce<unknown>(
        (at, member) => (isObject(at) || Array.isArray(at) ? (at as Record<string, unknown>)[member] : undefined),
        named.get(name),
      )
    if (value === undefined) throw new Error(`the answer ${name} has no ${path}`)
    return encode(String(value))
  })
}

function headOf({ status, headers }: Response): Pick<Recorded, 'status' | 'headers'> {
  const told = comparedHeaders.map((name) => [name, headers.get(name)] as const).filter(([, value]) => value !== null)
  return { status, headers: Object.fromEntries(told) as Record<string, string> }
}

function decoded({ headers }: Response, text: string): unknown {
  const type = headers.get('content-type') ?? ''
  if (type.startsWith('application/json')) return JSON.parse(text)
  return type === 'application/yaml' ? parse(text) : text
}

async function events(response: Response, count: number | 'all'): Promise<unknown[]> {
  const seen: unknown[] = []
  try {
    for await (const event of eventsOf(response)) {
      seen.push(event)
      if (seen.length === count) return seen
    }
  } catch (error) {
    return [...seen, `broken off: ${String(error)}`]
  }
  return count === 'all' ? seen : [...seen, 'ended']
}

async function* eventsOf(response: Response): AsyncGenerator<unknown> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) yield JSON.parse(line)
  }
}

/** The parts of a body under their paths. */
function picked(body: unknown, paths: readonly (readonly string[])[], fill: Fill): unknown {
  return Object.fromEntries(
    paths.map((path) => [path.join(' '), path.map((step) => fill(step)).reduce(memberAt, body) ?? null]),
  )
}

function memberAt(value: unknown, step: string): unknown {
  if (!Array.isArray(value)) return isObject(value) ? value[step] : undefined
  const [name = '', wanted] = step.split('=')
  const at = (item: unknown): unknown =>
    name.split('.').reduce<unknown>((part, member) => (isObject(part) ? part[member] : undefined), item)
  return value.find((item) => String(at(item)) === wanted)
}
