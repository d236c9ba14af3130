/** Credentials for registries as Kubernetes' two types of pull secrets hold them. Nothing of theirs is ever in a message. */
import { Fault } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import { matchesWildcard } from '#base/wildcard.ts'
import { registryFaults } from './faults.ts'
import { canonicalRegistry } from './reference.ts'

/** A Secret, as the API has it: values are base64. */
export interface PullSecret {
  readonly name: string
  readonly namespace: string
  readonly type: string | undefined
  readonly data: Readonly<Record<string, string>>
}

export type Login =
  | { readonly by: 'password'; readonly username: string; readonly password: string }
  /** Buys tokens at the registry's token service. */
  | { readonly by: 'identity-token'; readonly token: string }
  /** Is a token already. */
  | { readonly by: 'registry-token'; readonly token: string }

export interface Credential {
  /** `host[:port]`, where `*` stands for any characters between two dots. */
  readonly host: string
  /** Repositories below it; all when empty. */
  readonly path: string
  readonly login: Login
  /** `namespace/name` of the secret it comes from, for messages. */
  readonly secret: string
}

export interface ReadSecrets {
  /** In the order of the secrets. */
  readonly credentials: readonly Credential[]
  /** `namespace/name` of secrets of a type that holds no registry credentials. */
  readonly unsupported: readonly string[]
}

/** Secret type → the key it keeps its document under, and where in that the entries are. */
const forms: Readonly<Record<string, { readonly key: string; readonly within?: string }>> = {
  'kubernetes.io/dockerconfigjson': { key: '.dockerconfigjson', within: 'auths' },
  'kubernetes.io/dockercfg': { key: '.dockercfg' },
}

/** Throws `invalid` `SecretMalformed`, naming the secret, for one that says it holds credentials and cannot be read. */
export function readPullSecrets(secrets: readonly PullSecret[]): ReadSecrets {
  const unsupported = secrets.filter(({ type }) => formOf(type) === undefined).map(secretName)
  return { credentials: secrets.flatMap(readSecret), unsupported }
}

/** Those for a repository of a registry: the ones that say more of it first, else in the order they came. */
export function credentialsFor(
  credentials: readonly Credential[],
  registry: string,
  repository: string,
): readonly Credential[] {
  const fitting = credentials.filter(({ host, path }) => fitsHost(host, registry) && isBelow(repository, path))
  return fitting.toSorted((a, b) => keyLength(b) - keyLength(a))
}

function readSecret(secret: PullSecret): Credential[] {
  const form = formOf(secret.type)
  if (form === undefined) return []
  const document = decodeDocument(secret, form.key)
  const entries = form.within === undefined ? document : document[form.within]
  if (!isObject(entries)) throw malformed(secret, `${form.key} has no "${form.within}" object`)
  return Object.entries(entries).flatMap(([key, entry]) => {
    const login = readEntry(secret, key, entry)
    return login === undefined ? [] : [{ ...splitKey(key), login, secret: secretName(secret) }]
  })
}

function formOf(type: string | undefined) {
  return type !== undefined && Object.hasOwn(forms, type) ? forms[type] : undefined
}

/** The parser's own message would quote the text. */
function decodeDocument(secret: PullSecret, key: string): Record<string, unknown> {
  const encoded = secret.data[key]
  if (encoded === undefined) throw malformed(secret, `it has no key ${key}`)
  let document: unknown
  try {
    document = JSON.parse(Buffer.from(encoded, 'base64').toString())
  } catch {
    throw malformed(secret, `${key} is not JSON`)
  }
  if (!isObject(document)) throw malformed(secret, `${key} is not a JSON object`)
  return document
}

/** Undefined for an entry without credentials, as Docker writes one for hosts that a helper program knows. */
function readEntry(secret: PullSecret, key: string, entry: unknown): Login | undefined {
  if (!isObject(entry)) throw malformed(secret, `the entry for "${key}" is not an object`)
  const { auth, username, password, identitytoken, registrytoken } = entry
  if (isText(registrytoken)) return { by: 'registry-token', token: registrytoken }
  if (isText(identitytoken)) return { by: 'identity-token', token: identitytoken }
  if (isText(auth)) return decodeAuth(secret, key, auth)
  if (!isText(username) && !isText(password)) return undefined
  return { by: 'password', username: textOf(username), password: textOf(password) }
}

function decodeAuth(secret: PullSecret, key: string, auth: string): Login {
  const text = Buffer.from(auth, 'base64').toString()
  const colon = text.indexOf(':')
  if (colon < 0) throw malformed(secret, `"auth" of "${key}" is not the base64 form of "user:password"`)
  return { by: 'password', username: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') }
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Docker writes keys as addresses of either version of the protocol. */
function splitKey(key: string): { readonly host: string; readonly path: string } {
  const bare = key.replace(/^https?:\/\//i, '').replace(/\/+$/, '')
  const slash = bare.indexOf('/')
  const path = slash < 0 ? '' : bare.slice(slash + 1)
  return {
    host: canonicalRegistry(slash < 0 ? bare : bare.slice(0, slash)),
    path: path === 'v1' || path === 'v2' ? '' : path,
  }
}

/** A star stands for nothing beyond its part of the name, and never for a port. */
function fitsHost(pattern: string, registry: string): boolean {
  const [names, port] = splitPort(pattern)
  const [labels, ownPort] = splitPort(registry)
  return (
    port === ownPort &&
    names.length === labels.length &&
    names.every((each, index) => matchesWildcard(each, labels[index] ?? ''))
  )
}

function splitPort(host: string): readonly [labels: readonly string[], port: string] {
  const port = /:\d+$/.exec(host)?.[0] ?? ''
  return [host.slice(0, host.length - port.length).split('.'), port]
}

function isBelow(repository: string, path: string): boolean {
  return path === '' || repository === path || repository.startsWith(`${path}/`)
}

function keyLength({ host, path }: Credential): number {
  return host.length + path.length
}

function secretName({ namespace, name }: PullSecret): string {
  return `${namespace}/${name}`
}

function malformed(secret: PullSecret, why: string): Fault {
  return new Fault('invalid', registryFaults.secretMalformed, `pull secret ${secretName(secret)}: ${why}`)
}
