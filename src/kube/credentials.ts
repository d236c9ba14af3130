import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import type { Clock } from '#base/clock.ts'
import { Fault, messageOf } from '#base/fault.ts'
import { isObject } from '#base/json.ts'

export interface Credentials {
  /** The header's value. */
  readonly authorization?: string
  /** PEM. */
  readonly certificate?: { readonly cert: string; readonly key: string }
}

export interface CredentialSource {
  /** What to present now. */
  get(): Promise<Credentials>
  /** The server refused what `get` gave: the next call asks anew. False when asking again cannot help. */
  refused(): boolean
}

/** Rotated token files are read again after this long, as Kubernetes' own clients do. */
const tokenFileMs = 60_000
/** Credentials are renewed this long before they end. */
const skewMs = 10_000
const pluginTimeoutMs = 60_000

export function fixedCredentials(credentials: Credentials): CredentialSource {
  return { get: async () => credentials, refused: () => false }
}

export function tokenFileCredentials(file: string, clock: Clock, beside: Credentials = {}): CredentialSource {
  return cached(clock, async () => {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new Fault('denied', 'UnreadableToken', `${file}: cannot read the token: ${messageOf(cause)}`, { cause })
    })
    const token = text.trim()
    if (token === '') throw new Fault('denied', 'UnreadableToken', `${file}: there is no token in it`)
    return { credentials: { ...beside, authorization: `Bearer ${token}` }, untilMs: clock.now() + tokenFileMs }
  })
}

export interface ExecPlugin {
  readonly apiVersion: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly installHint?: string | undefined
  /** The plugin wants to talk to a terminal, which a controller does not have. */
  readonly interactiveOnly: boolean
  /** Told to plugins that ask for it. */
  readonly cluster?: Readonly<Record<string, unknown>> | undefined
  /** File and field, for messages. */
  readonly where: string
  readonly clock: Clock
}

/**
 * Credentials from a program, by the protocol of client.authentication.k8s.io: it reads KUBERNETES_EXEC_INFO and
 * prints an ExecCredential. Asked again when they expire or the server refuses them, once for all who wait.
 */
export function execCredentials(plugin: ExecPlugin): CredentialSource {
  return cached(plugin.clock, async () => {
    const decoded = parse(plugin, await run(plugin))
    const status = isObject(decoded) && decoded['kind'] === 'ExecCredential' ? decoded['status'] : undefined
    if (!isObject(status)) throw fault(plugin, 'printed no ExecCredential with a status')
    const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status
    const certificate = typeof cert === 'string' && typeof key === 'string' ? { cert, key } : undefined
    if (typeof token !== 'string' && certificate === undefined)
      throw fault(plugin, 'gave neither token nor certificate')
    const expiresMs = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN
    return {
      credentials: {
        ...(typeof token === 'string' ? { authorization: `Bearer ${token}` } : {}),
        ...(certificate === undefined ? {} : { certificate }),
      },
      untilMs: Number.isNaN(expiresMs) ? Number.POSITIVE_INFINITY : expiresMs - skewMs,
    }
  })
}

function run(plugin: ExecPlugin): Promise<string> {
  const { apiVersion, command, args, cluster } = plugin
  if (plugin.interactiveOnly) return Promise.reject(fault(plugin, 'asks for a terminal (interactiveMode: Always)'))
  const spec = { interactive: false, ...(cluster === undefined ? {} : { cluster }) }
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec })
  const env = { ...plugin.env, KUBERNETES_EXEC_INFO: info }
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      args,
      { env, timeout: pluginTimeoutMs, encoding: 'utf8' },
      (error, stdout, stderr) => {
        if (error === null) return resolve(stdout)
        const missing = 'code' in error && error.code === 'ENOENT'
        const said = stderr.trim().split('\n').at(-1) ?? ''
        const why = missing ? 'is not installed' : `failed: ${said === '' ? messageOf(error).split('\n')[0] : said}`
        const hint = missing && plugin.installHint !== undefined ? `. ${plugin.installHint.trim()}` : ''
        reject(fault(plugin, `${why}${hint}`, error))
      },
    )
    child.stdin?.end()
  })
}

function parse(plugin: ExecPlugin, stdout: string): unknown {
  try {
    return JSON.parse(stdout)
  } catch {
    throw fault(plugin, 'printed what is not JSON') // not the cause: it quotes the output, which may hold a token
  }
}

function fault({ where, command }: ExecPlugin, problem: string, cause?: unknown): Fault {
  return new Fault('denied', 'CredentialPlugin', `${where}: the credential plugin ${command} ${problem}`, { cause })
}

interface Fetched {
  readonly credentials: Credentials
  readonly untilMs: number
}

/** Keeps what `fetch` gave until it ends; callers that come while it is being fetched share one call. */
function cached(clock: Clock, fetch: () => Promise<Fetched>): CredentialSource {
  let current: Fetched | undefined
  let fetching: Promise<Fetched> | undefined
  return {
    async get() {
      if (current !== undefined && clock.now() < current.untilMs) return current.credentials
      fetching ??= fetch().finally(() => {
        fetching = undefined
      })
      current = await fetching
      return current.credentials
    },
    refused() {
      current = undefined
      return true
    },
  }
}
