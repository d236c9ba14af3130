/**
 * What makes the embedded API server one that a client can trust, and a client one that it lets in: a certificate
 * authority, a server certificate, a bearer token, and the kubeconfig that holds what a client needs of them.
 * Made at first start and kept in the data directory, readable by its owner alone.
 */
import { hash, randomBytes, timingSafeEqual, X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, messageOf } from '#base/fault.ts'

export interface Identity {
  /** PEM of the certificate authority. */
  readonly ca: string
  /** PEM of the server's certificate and key. */
  readonly cert: string
  readonly key: string
  readonly token: string
}

const dayMs = 24 * 60 * 60 * 1000
const validMs = 365 * dayMs
/** A certificate is replaced at a start within this time of its end. */
const renewMs = 30 * dayMs

export async function loadIdentity(dataDir: string, nowMs: number): Promise<Identity> {
  const file = join(dataDir, 'identity.json')
  const stored = existsSync(file) ? storedIn(file) : undefined
  if (stored !== undefined && stored.endsMs - nowMs > renewMs) return stored.identity
  const identity = {
    ...(await makeCertificates(nowMs)),
    token: stored?.identity.token ?? randomBytes(32).toString('base64url'),
  }
  writePrivate(file, JSON.stringify(identity))
  return identity
}

/** Never with the cause: it quotes the file, which holds secrets. */
function storedIn(file: string): { readonly identity: Identity; readonly endsMs: number } {
  try {
    const identity = JSON.parse(readFileSync(file, 'utf8')) as Identity
    return { identity, endsMs: new X509Certificate(identity.cert).validToDate.getTime() }
  } catch {
    const mend = 'delete it, and a new one is made; clients then need the new kubeconfig'
    throw new Fault('invalid', 'BadIdentity', `${file} cannot be read, or is not what was written: ${mend}`)
  }
}

/** Lets in who carries the token, as the administrator that everyone with the kubeconfig is. */
export function tokenAuthenticator(token: string): (request: Request) => LocalUser | undefined {
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer')
  const wanted = digest(`Bearer ${token}`)
  // Digests are of one length and compared whole, so the time taken tells nothing.
  return (request) =>
    timingSafeEqual(digest(request.headers.get('authorization') ?? ''), wanted) ? administrator : undefined
}

export interface LocalUser {
  readonly username: string
  readonly groups: readonly string[]
}

const administrator: LocalUser = { username: 'fairlead-admin', groups: ['system:masters', 'system:authenticated'] }

/** Writes `DIR/kubeconfig` for kubectl and every other client; returns its path. */
export function writeKubeconfig(dataDir: string, { ca, token }: Identity, server: string): string {
  const file = join(dataDir, 'kubeconfig')
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'fairlead',
    clusters: [
      { name: 'fairlead', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } },
    ],
    users: [{ name: 'fairlead', user: { token } }],
    contexts: [{ name: 'fairlead', context: { cluster: 'fairlead', user: 'fairlead', namespace: 'default' } }],
  }
  writePrivate(file, `${JSON.stringify(config, null, 2)}\n`)
  return file
}

/** In one move, so that no reader meets half a file, and never with wider rights. */
function writePrivate(file: string, text: string): void {
  const draft = `${file}.new`
  try {
    writeFileSync(draft, text, { mode: 0o600 })
    chmodSync(draft, 0o600)
    renameSync(draft, file)
  } catch (error) {
    const message = `cannot write ${file}: ${messageOf(error)}; make room for it, or name another --data-dir`
    throw new Fault('invalid', 'BadDataDir', message, { cause: error })
  }
}

async function makeCertificates(nowMs: number): Promise<Omit<Identity, 'token'>> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const newKeys = () => crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const validity = { notBefore: new Date(nowMs - dayMs), notAfter: new Date(nowMs + validMs) }
  const authorityKeys = await newKeys()
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: randomBytes(16).toString('hex'),
    name: 'CN=fairlead local authority',
    signingAlgorithm: algorithm,
    keys: authorityKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  })
  const serverKeys = await newKeys()
  const server = await x509.X509CertificateGenerator.create({
    ...validity,
    serialNumber: randomBytes(16).toString('hex'),
    subject: 'CN=fairlead API server',
    issuer: authority.subject,
    signingAlgorithm: algorithm,
    signingKey: authorityKeys.privateKey,
    publicKey: serverKeys.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        { type: 'ip', value: '127.0.0.1' },
        { type: 'dns', value: 'localhost' },
        { type: 'dns', value: 'kubernetes.default.svc' },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authorityKeys.publicKey),
    ],
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', serverKeys.privateKey)).toString('base64')
  return {
    ca: authority.toString('pem'),
    cert: server.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key.replaceAll(/(.{64})/g, '$1\n').trimEnd()}\n-----END PRIVATE KEY-----\n`,
  }
}
