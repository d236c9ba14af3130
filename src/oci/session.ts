/** Requests to one registry as one user, who shows credentials only when asked to. */
import { isObject } from '#base/json.ts'
import { type Challenge, parseChallenge } from './challenge.ts'
import type { Login } from './credentials.ts'
import { nonsense, refusal } from './failure.ts'
import type { Answer, RegistryHttp } from './http.ts'

export interface SessionOptions {
  readonly http: RegistryHttp
  readonly origin: string
  /** What the session may be let do, where a challenge does not say: `repository:amd/x:pull`. */
  readonly scope: string
  /** Nobody's, when undefined. */
  readonly login: Login | undefined
  readonly signal: AbortSignal
  readonly now: () => number
}

export interface Wanted {
  readonly accept?: string
  readonly limitBytes: number
}

export interface Session {
  /** The answer to a GET of a path or an address of the same registry; rejects with what its refusal means. */
  get(path: string, wanted: Wanted): Promise<Answer>
}

const tokenLimitBytes = 1 << 20
const clientId = 'fairlead'

export function openSession({ http, origin, scope, login, signal, now }: SessionOptions): Session {
  let authorization: string | undefined

  async function get(path: string, wanted: Wanted): Promise<Answer> {
    const url = new URL(path, origin)
    if (url.origin !== origin) throw nonsense(new URL(origin), `an address of another host, ${url.host}`)
    const ask = () => http.ask({ url, from: origin, authorization, ...wanted, signal })
    const first = await ask()
    // Again where a token has run out; a registry that refuses a new one means it.
    const answer = first.status === 401 && (await authorize(first)) ? await ask() : first
    if (answer.status !== 200) throw refusal(answer, now())
    return answer
  }

  /** False when there is nothing else to show than what was shown. */
  async function authorize({ headers, url }: Answer): Promise<boolean> {
    const challenge = url.origin === origin ? parseChallenge(headers['www-authenticate']) : undefined
    const before = authorization
    if (challenge !== undefined) authorization = await answerTo(challenge)
    return authorization !== before
  }

  async function answerTo(challenge: Challenge): Promise<string | undefined> {
    if (challenge.scheme === 'basic') return login?.by === 'password' ? basic(login) : undefined
    if (login?.by === 'registry-token') return `Bearer ${login.token}`
    return `Bearer ${await fetchToken(challenge)}`
  }

  async function fetchToken({ realm, service, scope: needed }: Challenge & { scheme: 'bearer' }): Promise<string> {
    const terms = { ...(service !== undefined && { service }), scope: needed ?? scope }
    const base = { url: realmOf(realm), from: origin, limitBytes: tokenLimitBytes, signal }
    if (login?.by === 'identity-token') {
      const form = { grant_type: 'refresh_token', refresh_token: login.token, client_id: clientId, ...terms }
      const answer = await http.ask({ ...base, form: new URLSearchParams(form) })
      return tokenOf(answer)
    }
    const url = new URL(base.url)
    for (const [name, value] of Object.entries(terms)) url.searchParams.set(name, value)
    return tokenOf(await http.ask({ ...base, url, authorization: login && basic(login) }))
  }

  function realmOf(realm: string): URL {
    if (!URL.canParse(realm)) throw nonsense(new URL(origin), 'a token service that is no address')
    return new URL(realm)
  }

  function tokenOf(answer: Answer): string {
    const { status, url } = answer
    if (status === 404) throw nonsense(url, '404 to a request for a token')
    if (status !== 200) throw refusal(answer, now())
    const token = tokenIn(answer.body)
    if (token === undefined) throw nonsense(url, 'no token')
    return token
  }

  return { get }
}

/** Both names are in use. */
function tokenIn(body: Buffer): string | undefined {
  try {
    const document: unknown = JSON.parse(body.toString())
    const token = isObject(document) ? (document['token'] ?? document['access_token']) : undefined
    return typeof token === 'string' && /^[\x21-\x7e]+$/.test(token) ? token : undefined
  } catch {
    return undefined
  }
}

function basic(login: Login): string | undefined {
  if (login.by !== 'password') return undefined
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
}
