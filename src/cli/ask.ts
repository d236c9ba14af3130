/** One streamed question to a model through the router: the proof that it is served. */
import { aimAnnotations } from '#api/aim-labels.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { Fault, messageOf } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import { isOfKind } from '#machinery/kind.ts'
import type { Resource } from '#machinery/meta.ts'

export interface Question {
  readonly url: string
  readonly model: string
  readonly headers: Readonly<Record<string, string>>
}

const prompt = 'Say hello.'
const maxTokens = 24

/** The question that the route of a booster or service lets through: its name, and the headers that its match asks for. */
export function questionFor(object: Resource, routerUrl: string): Question {
  const { name = '', annotations = {} } = object.metadata
  const booster = isOfKind(object, ModelBooster) ? object.spec : undefined
  const wanted = Object.entries(booster?.modelMatch?.headers ?? {})
  return {
    url: `${routerUrl}/v1/chat/completions`,
    model: booster?.name ?? annotations[aimAnnotations.routeModelName] ?? name,
    headers: Object.fromEntries(wanted.map(([name, match]) => [name, match.exact ?? match.prefix ?? ''])),
  }
}

/** The same question as a command to copy. */
export function curlOf({ url, model, headers }: Question): string {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: prompt }], stream: true })
  const extra = Object.entries(headers).map(([name, value]) => ` -H '${name}: ${value}'`)
  return `curl -N ${url} -H 'Content-Type: application/json'${extra.join('')} -d '${body}'`
}

/** Yields the answer piece by piece. Throws `unavailable` for anything but a complete stream. */
export async function* ask({ url, model, headers }: Question, signal: AbortSignal): AsyncGenerator<string> {
  const body = JSON.stringify({
    model,
    messages: [{ role: 'user', content: prompt }],
    stream: true,
    max_tokens: maxTokens,
  })
  const init = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body, signal }
  const response = await fetch(url, init).catch((error: unknown) => {
    throw new Fault('unavailable', 'NoAnswer', `no answer from the router: ${messageOf(error)}`, { cause: error })
  })
  if (!response.ok || response.body === null) {
    const code = [404, 502, 503, 504].includes(response.status) ? 'NotRoutedYet' : 'NoAnswer'
    throw new Fault(
      'unavailable',
      code,
      `the router answered ${response.status}: ${(await response.text()).slice(0, 500)}`,
    )
  }
  let why = ''
  try {
    let rest = ''
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) {
        if (line === 'data: [DONE]') return
        const piece = line.startsWith('data: ') ? contentOf(line.slice('data: '.length)) : undefined
        if (piece !== undefined) yield piece
      }
    }
  } catch (error) {
    why = `: ${messageOf(error)}` // the connection broke, or a line is no event
  }
  throw new Fault('unavailable', 'CutOff', `the answer ended before it was complete${why}`)
}

function contentOf(data: string): string | undefined {
  const event: unknown = JSON.parse(data)
  const choices = isObject(event) && Array.isArray(event['choices']) ? (event['choices'] as unknown[]) : []
  const delta = isObject(choices[0]) ? choices[0]['delta'] : undefined
  return isObject(delta) && typeof delta['content'] === 'string' ? delta['content'] : undefined
}
