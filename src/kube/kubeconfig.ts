import { existsSync, readFileSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { type Clock, systemClock } from '#base/clock.ts'
import { Fault, messageOf } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import { type CredentialSource, execCredentials, fixedCredentials, tokenFileCredentials } from './credentials.ts'

export interface KubeconfigOptions {
  /** Read for KUBECONFIG, HOME, and the variables of a pod; passed on to credential plugins. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** Just this file; KUBECONFIG is ignored. */
  readonly path?: string
  readonly context?: string
  readonly clock?: Clock
  /** Where a pod finds its service account. */
  readonly serviceAccount?: string
}

/** All it takes to talk to one API server as one user. */
export interface ClusterAccess {
  /** `https://host:port`, perhaps with a path; without a slash at the end. */
  readonly server: string
  /** Of the context, for commands that are given none. */
  readonly namespace: string
  readonly contextName: string
  /** PEM. */
  readonly ca?: string | undefined
  readonly tlsServerName?: string | undefined
  readonly insecureSkipTlsVerify?: boolean
  readonly proxyUrl?: string | undefined
  readonly credentials: CredentialSource
}

const podServiceAccount = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * Finds the cluster as kubectl does: the given file, else the files of KUBECONFIG, else `~/.kube/config`, else the
 * service account of the pod we run in. Of several files the first to name a cluster, user or context decides it.
 * Throws `invalid` faults that name the file and the field.
 */
export function loadClusterAccess(options: KubeconfigOptions): ClusterAccess {
  const files = filesOf(options)
  const found = files.filter((file) => existsSync(file))
  if (found.length > 0) return fromFiles(found.map(readConfig), options)
  if (options.path === undefined && options.env['KUBERNETES_SERVICE_HOST'] !== undefined) return inCluster(options)
  throw new Fault('invalid', 'NoKubeconfig', `no kubeconfig found; looked for ${files.join(', ')}`)
}

function filesOf({ env, path }: KubeconfigOptions): string[] {
  if (path !== undefined) return [path]
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter((file) => file !== '')
  return listed.length > 0 ? listed : [join(env['HOME'] ?? '.', '.kube', 'config')]
}

function inCluster(options: KubeconfigOptions): ClusterAccess {
  const { env, clock = systemClock, serviceAccount = podServiceAccount } = options
  const host = env['KUBERNETES_SERVICE_HOST'] ?? ''
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443'
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: read(join(serviceAccount, 'namespace'), 'namespace of the service account').trim(),
    contextName: 'in-cluster',
    ca: read(join(serviceAccount, 'ca.crt'), 'certificate authority of the service account'),
    credentials: tokenFileCredentials(join(serviceAccount, 'token'), clock),
  }
}

function fromFiles(files: readonly Section[], options: KubeconfigOptions): ClusterAccess {
  const currents = files.map((file) => file.text('current-context')).filter((name) => name !== undefined && name !== '')
  const contextName = options.context ?? currents[0]
  if (contextName === undefined)
    throw files[0]?.fault('current-context', 'is not set; name a context') ?? new Error('no file')
  const context = named(files, 'contexts', contextName, 'context')
  const clusterName = context.need('cluster')
  const userName = context.text('user')
  const cluster = named(files, 'clusters', clusterName, 'cluster')
  const user = userName === undefined || userName === '' ? undefined : named(files, 'users', userName, 'user')
  const server = cluster.need('server').replace(/\/+$/, '')
  if (!URL.canParse(server) || !/^https?:/.test(server))
    throw cluster.fault('server', 'must be a URL such as https://host:6443')
  const insecureSkipTlsVerify = cluster.flag('insecure-skip-tls-verify')
  const ca = cluster.data('certificate-authority')
  if (insecureSkipTlsVerify && ca !== undefined) {
    throw cluster.fault('insecure-skip-tls-verify', 'cannot be combined with a certificate authority')
  }
  const access = {
    server,
    namespace: context.text('namespace') ?? 'default',
    contextName,
    ca,
    tlsServerName: cluster.text('tls-server-name'),
    insecureSkipTlsVerify,
    proxyUrl: cluster.text('proxy-url'),
  }
  return { ...access, credentials: user === undefined ? fixedCredentials({}) : credentialsOf(user, access, options) }
}

function credentialsOf(
  user: Section,
  access: Omit<ClusterAccess, 'credentials'>,
  options: KubeconfigOptions,
): CredentialSource {
  const { env, clock = systemClock } = options
  if (user.section('auth-provider') !== undefined) {
    throw user.fault('auth-provider', 'is no longer part of Kubernetes; use an exec plugin')
  }
  const exec = user.section('exec')
  if (exec !== undefined) {
    const apiVersion = exec.need('apiVersion')
    if (!/^client\.authentication\.k8s\.io\/v1(beta1)?$/.test(apiVersion)) {
      throw exec.fault('apiVersion', 'must be client.authentication.k8s.io/v1 or v1beta1')
    }
    const command = exec.need('command')
    const { ca } = access
    return execCredentials({
      apiVersion,
      command: /[\\/]/.test(command) ? resolve(dirname(exec.file), command) : command,
      args: exec.list('args').map((arg) => String(arg)),
      env: {
        ...env,
        ...Object.fromEntries(
          exec.list('env').map((item) => [String(memberOf(item, 'name')), String(memberOf(item, 'value'))]),
        ),
      },
      installHint: exec.text('installHint'),
      interactiveOnly: exec.text('interactiveMode') === 'Always',
      cluster: exec.flag('provideClusterInfo')
        ? {
            server: access.server,
            'tls-server-name': access.tlsServerName,
            'insecure-skip-tls-verify': access.insecureSkipTlsVerify,
            'proxy-url': access.proxyUrl,
            'certificate-authority-data': ca === undefined ? undefined : Buffer.from(ca).toString('base64'),
          }
        : undefined,
      where: exec.where('command'),
      clock,
    })
  }
  const cert = user.data('client-certificate')
  const key = user.data('client-key')
  if ((cert === undefined) !== (key === undefined)) {
    throw user.fault(
      cert === undefined ? 'client-certificate' : 'client-key',
      'is missing: certificate and key go together',
    )
  }
  const tls = cert === undefined || key === undefined ? {} : { certificate: { cert, key } }
  const token = user.text('token')
  const tokenFile = user.text('tokenFile')
  if (token === undefined && tokenFile !== undefined) {
    return tokenFileCredentials(resolve(dirname(user.file), tokenFile), clock, tls)
  }
  if (token !== undefined) return fixedCredentials({ ...tls, authorization: `Bearer ${token}` })
  const username = user.text('username')
  if (username === undefined) return fixedCredentials(tls)
  const basic = Buffer.from(`${username}:${user.text('password') ?? ''}`).toString('base64')
  return fixedCredentials({ ...tls, authorization: `Basic ${basic}` })
}

function named(
  files: readonly Section[],
  list: 'clusters' | 'users' | 'contexts',
  name: string,
  member: string,
): Section {
  for (const file of files) {
    const items = file.list(list)
    const at = items.findIndex((item) => memberOf(item, 'name') === name)
    if (at === -1) continue
    const section = new Section(file.file, `${list}[${at}].`, items[at]).section(member)
    if (section === undefined) throw file.fault(`${list}[${at}].${member}`, 'is missing')
    return section
  }
  const paths = files.map(({ file }) => file).join(', ')
  throw new Fault('invalid', 'InvalidKubeconfig', `${paths}: ${list}: there is none named ${JSON.stringify(name)}`)
}

function readConfig(file: string): Section {
  try {
    return new Section(file, '', parse(read(file, 'kubeconfig')) ?? {})
  } catch (cause) {
    if (cause instanceof Fault) throw cause
    throw new Fault('invalid', 'InvalidKubeconfig', `${file}: is not YAML: ${messageOf(cause).split('\n')[0]}`, {
      cause,
    })
  }
}

function read(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Fault('invalid', 'UnreadableFile', `${file}: cannot read the ${what}: ${messageOf(cause)}`, { cause })
  }
}

function memberOf(item: unknown, name: string): unknown {
  return isObject(item) ? item[name] : undefined
}

/** A mapping of a kubeconfig that knows its place, for messages. */
class Section {
  readonly file: string
  readonly #path: string
  readonly #members: Record<string, unknown>

  constructor(file: string, path: string, members: unknown) {
    this.file = file
    this.#path = path
    if (!isObject(members)) throw this.fault('', 'must be a mapping')
    this.#members = members
  }

  where(field: string): string {
    const path = `${this.#path}${field}`.replace(/\.$/, '')
    return path === '' ? this.file : `${this.file}: ${path}`
  }

  /** Never holds the value: it may be a secret. */
  fault(field: string, problem: string): Fault {
    return new Fault('invalid', 'InvalidKubeconfig', `${this.where(field)}: ${problem}`)
  }

  text(field: string): string | undefined {
    const value = this.#members[field] ?? undefined
    if (value !== undefined && typeof value !== 'string') throw this.fault(field, 'must be a string')
    return value === '' ? undefined : value
  }

  need(field: string): string {
    const value = this.text(field)
    if (value === undefined) throw this.fault(field, 'is missing')
    return value
  }

  flag(field: string): boolean {
    const value = this.#members[field] ?? false
    if (typeof value !== 'boolean') throw this.fault(field, 'must be true or false')
    return value
  }

  list(field: string): readonly unknown[] {
    const value = this.#members[field] ?? []
    if (!Array.isArray(value)) throw this.fault(field, 'must be a list')
    return value
  }

  section(field: string): Section | undefined {
    const value = this.#members[field] ?? undefined
    return value === undefined ? undefined : new Section(this.file, `${this.#path}${field}.`, value)
  }

  /** `field-data` in base64, or else the file that `field` names. */
  data(field: string): string | undefined {
    const inline = this.text(`${field}-data`)
    if (inline !== undefined) {
      if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(inline)) throw this.fault(`${field}-data`, 'must be base64')
      return Buffer.from(inline, 'base64').toString()
    }
    const path = this.text(field)
    if (path === undefined) return undefined
    const absolute = resolve(dirname(this.file), path)
    if (!existsSync(absolute)) throw this.fault(field, `names ${absolute}, which does not exist`)
    return read(absolute, field)
  }
}
