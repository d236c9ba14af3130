/**
 * A real Kubernetes control plane on loopback: etcd, kube-apiserver with the RBAC authorizer and an audit log, and of
 * kube-controller-manager the controllers whose work the tests look at. No kubelet and no scheduler: `embedded/node` and the
 * pod binder are ordinary clients here.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Identity, loadIdentity, writeKubeconfig } from '#cli/identity.ts'
import { loadClusterAccess } from '#kube/kubeconfig.ts'
import { connect } from '#kube/transport.ts'
import { findControlPlane, type Programs } from '../../scripts/control-plane.ts'

export interface ControlPlane extends AsyncDisposable {
  /** Of an administrator. */
  readonly kubeconfig: string
  readonly url: string
  /** One JSON object a line, for every request but those of the servers themselves. */
  readonly auditLog: string
  readonly identity: Identity
  /** Ends the API server as a crash would; resolves when it is gone. */
  killApiServer(): Promise<void>
  /** Resolves when it answers again, at the address that it had. */
  startApiServer(): Promise<void>
  /** Makes etcd forget every version but the present one. */
  compact(): Promise<void>
  /** Peak and present memory and CPU of a program, from `/proc`. */
  pidOf(program: keyof Programs): number
}

/** As long as a program may take to answer on a busy machine. */
const patienceMs = 120_000

/**
 * Who takes away what is deleted, the taints of nodes, what admission needs of service accounts, roles that others add to,
 * and who runs Jobs.
 */
const controllers = [
  'clusterrole-aggregation-controller',
  'garbage-collector-controller',
  'job-controller',
  'namespace-controller',
  'node-lifecycle-controller',
  'persistentvolume-protection-controller',
  'persistentvolumeclaim-protection-controller',
  'root-ca-certificate-publisher-controller',
  'serviceaccount-controller',
  'ttl-after-finished-controller',
]

const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived', 'ResponseStarted'],
  rules: [{ level: 'None', userGroups: ['system:serviceaccounts:kube-system'] }, { level: 'Metadata' }],
}

export interface ControlPlaneOptions {
  /** The API server alone: no controllers, and nothing that is refused until a controller has done its work. */
  readonly bare?: boolean
}

/** Rejects with what to do where there are no programs to start. */
export async function startControlPlane(
  env: NodeJS.ProcessEnv,
  { bare = false }: ControlPlaneOptions = {},
): Promise<ControlPlane> {
  const programs = findControlPlane(env)
  if ('missing' in programs) throw new Error(programs.missing)
  const dir = mkdtempSync(join(tmpdir(), 'fairlead-cluster-'))
  const children = new Map<keyof Programs, ChildProcess>()
  await using stack = new AsyncDisposableStack()
  stack.defer(() => rmSync(dir, { recursive: true, force: true }))
  stack.defer(async () => {
    for (const child of [...children.values()].toReversed()) await ended(child, 'SIGTERM')
  })

  const identity = await loadIdentity(dir, Date.now())
  const [etcdPort = 0, peerPort = 0, port = 0, managerPort = 0] = await freePorts(4)
  const url = `https://127.0.0.1:${port}`
  const etcd = `http://127.0.0.1:${etcdPort}`
  const peer = `http://127.0.0.1:${peerPort}`
  const kubeconfig = writeKubeconfig(dir, identity, url)
  const file = (name: string, text: string): string => {
    writeFileSync(join(dir, name), text, { mode: 0o600 })
    return join(dir, name)
  }
  const cert = file('server.crt', identity.cert)
  const key = file('server.key', identity.key)
  const ca = file('ca.crt', identity.ca)
  const accountKey = file('accounts.key', accountsKey())
  const auditLog = join(dir, 'audit.log')

  const start = (program: keyof Programs, flags: Readonly<Record<string, string | number>>): void => {
    const out = openSync(join(dir, `${program}.log`), 'a')
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
    children.set(program, spawn(programs[program], args, { argv0: program, stdio: ['ignore', out, out] }))
  }
  const startApiServer = async (): Promise<void> => {
    start('kube-apiserver', {
      'etcd-servers': etcd,
      'bind-address': '127.0.0.1',
      'secure-port': port,
      'cert-dir': dir,
      'tls-cert-file': cert,
      'tls-private-key-file': key,
      'authorization-mode': 'RBAC',
      'token-auth-file': file('tokens.csv', `${identity.token},administrator,administrator,"system:masters"\n`),
      'service-account-issuer': 'https://kubernetes.default.svc',
      'service-account-key-file': accountKey,
      'service-account-signing-key-file': accountKey,
      'service-cluster-ip-range': '10.0.0.0/16',
      'kubelet-certificate-authority': ca,
      'kubelet-preferred-address-types': 'InternalIP',
      'enable-admission-plugins': 'OwnerReferencesPermissionEnforcement',
      ...(bare && { 'disable-admission-plugins': 'ServiceAccount' }),
      'audit-policy-file': file('audit.json', JSON.stringify(auditPolicy)),
      'audit-log-path': auditLog,
      'audit-log-maxsize': '4096', // MB; a file that is full gives way to another, and the first rights with it
      'shutdown-delay-duration': '0s',
      profiling: 'false',
    })
    await answers(children.get('kube-apiserver'), kubeconfig, join(dir, 'kube-apiserver.log'))
  }

  start('etcd', {
    'data-dir': join(dir, 'etcd'),
    'listen-client-urls': etcd,
    'advertise-client-urls': etcd,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
    'initial-cluster': `default=${peer}`,
    'unsafe-no-fsync': 'true',
    'log-level': 'warn',
  })
  await startApiServer()
  if (!bare) startControllers()

  function startControllers(): void {
    start('kube-controller-manager', {
      kubeconfig,
      controllers: controllers.join(','),
      'bind-address': '127.0.0.1',
      'secure-port': managerPort,
      'cert-dir': dir,
      'root-ca-file': ca,
      'service-account-private-key-file': accountKey,
      'use-service-account-credentials': 'true',
      'kube-api-qps': 1_000,
      'kube-api-burst': 2_000,
      'concurrent-namespace-syncs': 50,
      'leader-elect': 'false',
      profiling: 'false',
    })
  }

  const started = stack.move()
  return {
    kubeconfig,
    url,
    auditLog,
    identity,
    startApiServer,
    killApiServer: () => ended(children.get('kube-apiserver'), 'SIGKILL'),
    async compact() {
      const ask = async (path: string, body: object): Promise<{ header?: { revision?: string } }> => {
        const response = await fetch(`${etcd}/v3/kv/${path}`, { method: 'POST', body: JSON.stringify(body) })
        if (!response.ok) throw new Error(`etcd answered ${response.status} to ${path}: ${await response.text()}`)
        return (await response.json()) as { header?: { revision?: string } }
      }
      const { header } = await ask('range', { key: Buffer.from('/').toString('base64') })
      await ask('compaction', { revision: header?.revision, physical: true })
    },
    pidOf: (program) => children.get(program)?.pid ?? 0,
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

/** Resolves when `/readyz` says so; rejects with the end of the log when the server ends first. */
async function answers(server: ChildProcess | undefined, kubeconfig: string, log: string): Promise<void> {
  const access = loadClusterAccess({ env: {}, path: kubeconfig })
  await using connection = connect(access)
  const deadline = Date.now() + patienceMs
  for (;;) {
    const response = await connection.fetch(new Request(`${access.server}/readyz`)).catch(() => undefined)
    await response?.body?.cancel()
    if (response?.ok === true) return
    const gone = server?.exitCode !== null || Date.now() > deadline
    if (gone) throw new Error(`kube-apiserver did not come up: ${readFileSync(log, 'utf8').slice(-2_000)}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function ended(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await exit
  clearTimeout(late)
}

function accountsKey(): string {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  }).privateKey
}

/** Free when asked for; all are held until all are known, so that they differ. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  return servers.map((server) => {
    const { port } = server.address() as { port: number }
    server.close()
    return port
  })
}
