/** One question to a registry: bounded in size and time, with credentials that never go to another host. */
import type { IncomingHttpHeaders } from 'node:http'
import { getCACertificates } from 'node:tls'
import type * as Undici from 'undici'
import type { Dispatcher } from 'undici'
import { readUpTo } from '#base/read-up-to.ts'
import { mayBeAsked } from './endpoints.ts'
import { refuseForbidden, guardedLookup } from './forbidden-address.ts'
import { forbiddenPlainly, tooLarge, unreachable } from './failure.ts'
import type { RegistrySettings } from './settings.ts'

export interface Question {
  readonly url: URL
  /** Who has us ask there: the registry's own origin. */
  readonly from: string
  readonly authorization?: string | undefined
  readonly accept?: string
  /** Sent as a form by POST, and to nobody else; without one, it is a GET. */
  readonly form?: URLSearchParams
  /** A longer answer is a fault. */
  readonly limitBytes: number
  readonly signal: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Where it came from in the end. */
  readonly url: URL
}

/** Resolves with whatever was answered, refusals too; rejects with `unavailable` when nothing was. */
export interface RegistryHttp extends AsyncDisposable {
  ask(question: Question): Promise<Answer>
}

/** GitHub answers nobody without one. */
const userAgent = 'fairlead'
const connectTimeoutMs = 5_000
/** Silence before or within an answer. */
const silenceTimeoutMs = 15_000
const mostRedirects = 5
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])
/** What we read of a refusal; longer ones are no registry's. */
const refusalLimitBytes = 64 << 10

export function connectRegistries(settings: RegistrySettings): RegistryHttp {
  let undici: Promise<typeof Undici> | undefined
  let agent: Dispatcher | undefined
  const { rules = [] } = settings

  async function send({ url, from, authorization, accept, form, signal }: Question): Promise<Dispatcher.ResponseData> {
    if (!mayBeAsked(url, from, rules)) throw forbiddenPlainly(url)
    refuseForbidden(url.hostname)
    const loaded = await (undici ??= import('undici'))
    agent ??= openAgent(loaded, settings)
    const headers = {
      'user-agent': userAgent,
      ...(authorization !== undefined && { authorization }),
      ...(accept !== undefined && { accept }),
      ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
    }
    const body = form?.toString() ?? null
    return loaded.request(url, {
      dispatcher: agent,
      method: form === undefined ? 'GET' : 'POST',
      headers,
      body,
      signal,
    })
  }

  async function ask(question: Question, redirectsLeft = mostRedirects): Promise<Answer> {
    const { url, form, signal } = question
    try {
      const { statusCode: status, headers, body } = await send(question)
      const next = headers['location']
      const isSentOn = redirects.has(status) && typeof next === 'string' && form === undefined
      if (isSentOn && redirectsLeft > 0) {
        await body.dump()
        return await ask(redirected(question, new URL(next, url)), redirectsLeft - 1)
      }
      const isOk = status >= 200 && status < 300
      const read = isOk ? await readAll(body, question) : (await readUpTo(body, refusalLimitBytes)).bytes
      return { status, headers, body: read, url }
    } catch (error) {
      throw signal.aborted ? signal.reason : unreachable(url, error)
    }
  }

  return {
    ask: (question) => ask(question),
    async [Symbol.asyncDispose]() {
      await agent?.destroy()
    },
  }
}

/** No proxy reaches this machine's own registries. */
const notProxied = ['localhost', '127.0.0.1', '[::1]']

function openAgent(
  { EnvHttpProxyAgent }: typeof Undici,
  { certificateAuthorities, proxy }: RegistrySettings,
): Dispatcher {
  const ca = certificateAuthorities === undefined ? {} : { ca: [...getCACertificates(), certificateAuthorities] }
  return new EnvHttpProxyAgent({
    connect: { ...ca, timeout: connectTimeoutMs, lookup: guardedLookup },
    requestTls: ca,
    // A handful of requests to each host gains nothing by it.
    allowH2: false,
    headersTimeout: silenceTimeoutMs,
    bodyTimeout: silenceTimeoutMs,
    // Texts, so that it does not look into the environment by itself.
    httpProxy: proxy?.http ?? '',
    httpsProxy: proxy?.https ?? '',
    noProxy: [proxy?.no ?? '', ...notProxied].join(),
  })
}

/** Who is trusted with the credentials did not say so of whom it sends us to. */
function redirected(question: Question, url: URL): Question {
  const { authorization, ...rest } = question
  return url.origin === question.url.origin ? { ...question, url } : { ...rest, url }
}

async function readAll(body: Dispatcher.ResponseData['body'], { url, limitBytes }: Question): Promise<Buffer> {
  const { bytes, isWhole } = await readUpTo(body, limitBytes)
  if (!isWhole) throw tooLarge(url, limitBytes)
  return bytes
}
