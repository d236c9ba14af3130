import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { stringify } from 'yaml'
import { isFault } from '#base/fault.ts'
import { loadClusterAccess } from './kubeconfig.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

function config(override: { cluster?: object; user?: object; context?: object; 'current-context'?: string } = {}) {
  return {
    'current-context': override['current-context'] ?? 'c',
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u', ...override.context } }],
    clusters: [{ name: 'k', cluster: { server: 'https://host:6443/', ...override.cluster } }],
    users: [{ name: 'u', user: override.user ?? { token: 'secret' } }],
  }
}

function written(t: TestContext, value: unknown): string {
  const path = join(folder(t), 'config')
  writeFileSync(path, typeof value === 'string' ? value : stringify(value))
  return path
}

test('the first file that names a thing decides it', async (t) => {
  const first = written(t, { 'current-context': 'c', users: [{ name: 'u', user: { token: 'first' } }] })
  const second = written(t, config({ 'current-context': 'other', context: { namespace: 'team' } }))
  const KUBECONFIG = [first, join(folder(t), 'absent'), second].join(delimiter)
  const access = loadClusterAccess({ env: { KUBECONFIG } })
  assert.equal(access.contextName, 'c')
  assert.equal(access.server, 'https://host:6443')
  assert.equal(access.namespace, 'team')
  assert.deepEqual(await access.credentials.get(), { authorization: 'Bearer first' })
})

test('files are found beside the kubeconfig that names them; inline data wins', async (t) => {
  const dir = folder(t)
  const path = join(dir, 'config')
  for (const name of ['ca.pem', 'key.pem']) writeFileSync(join(dir, name), name)
  const user = {
    'client-certificate-data': Buffer.from('inline').toString('base64'),
    'client-certificate': 'never-read.pem',
    'client-key': 'key.pem',
  }
  writeFileSync(
    path,
    stringify(config({ cluster: { 'certificate-authority': 'ca.pem', 'tls-server-name': 'n' }, user })),
  )
  const access = loadClusterAccess({ env: {}, path })
  assert.equal(access.ca, 'ca.pem')
  assert.equal(access.tlsServerName, 'n')
  assert.deepEqual(await access.credentials.get(), { certificate: { cert: 'inline', key: 'key.pem' } })
})

const wrong: Record<string, { value: unknown; want: RegExp }> = {
  'is not YAML': { value: 'a: [', want: /is not YAML/ },
  'is no mapping': { value: 'hello', want: /must be a mapping/ },
  'has no current context': { value: { contexts: [] }, want: /current-context: is not set/ },
  'names a context that is not there': {
    value: { ...config(), 'current-context': 'x' },
    want: /contexts: there is none named "x"/,
  },
  'names a cluster that is not there': {
    value: config({ context: { cluster: 'x' } }),
    want: /clusters: there is none named "x"/,
  },
  'has no server': { value: config({ cluster: { server: '' } }), want: /clusters\[0\]\.cluster\.server: is missing/ },
  'has a server that is no URL': {
    value: config({ cluster: { server: 'host' } }),
    want: /cluster\.server: must be a URL/,
  },
  'has a token that is a number': {
    value: config({ user: { token: 12345 } }),
    want: /users\[0\]\.user\.token: must be a string/,
  },
  'names a file that is not there': {
    value: config({ cluster: { 'certificate-authority': 'gone.pem' } }),
    want: /cluster\.certificate-authority: names .*gone\.pem, which does not exist/,
  },
  'has a key without its certificate': {
    value: config({ user: { 'client-key-data': 'aGk=' } }),
    want: /user\.client-certificate: is missing/,
  },
  'has data that is not base64': {
    value: config({ cluster: { 'certificate-authority-data': '%%%' } }),
    want: /certificate-authority-data: must be base64/,
  },
  'has a plugin of an old protocol': {
    value: config({ user: { exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' } } }),
    want: /user\.exec\.apiVersion: must be/,
  },
  'has an auth provider': {
    value: config({ user: { 'auth-provider': { name: 'gcp' } } }),
    want: /no longer part of Kubernetes/,
  },
}
for (const [name, { value, want }] of Object.entries(wrong)) {
  test(`a kubeconfig that ${name} is refused with file and field, and no secret`, (t) => {
    const path = written(t, value)
    assert.throws(
      () => loadClusterAccess({ env: {}, path }),
      (error) => {
        assert.ok(isFault(error, 'invalid'))
        assert.ok(error.message.startsWith(path), error.message)
        assert.match(error.message, want)
        assert.doesNotMatch(error.message, /12345|secret/)
        return true
      },
    )
  })
}

test('no kubeconfig anywhere is told with where it was looked for', () => {
  assert.throws(() => loadClusterAccess({ env: { HOME: '/nowhere' } }), /looked for \/nowhere\/\.kube\/config/)
})

test('a token file is read again after a minute, or when the server refuses it', async (t) => {
  const tokenFile = join(folder(t), 'token')
  const clock = manualClock()
  const { credentials } = loadClusterAccess({ env: {}, clock, path: written(t, config({ user: { tokenFile } })) })
  const token = async () => (await credentials.get()).authorization
  writeFileSync(tokenFile, 'one\n')
  assert.equal(await token(), 'Bearer one')
  writeFileSync(tokenFile, 'two\n')
  assert.equal(await token(), 'Bearer one')
  clock.advance(60_000)
  assert.equal(await token(), 'Bearer two')
  writeFileSync(tokenFile, 'three\n')
  assert.equal(credentials.refused(), true)
  assert.equal(await token(), 'Bearer three')
})

test('a token file without a token is told by its name', async (t) => {
  const tokenFile = join(folder(t), 'token')
  const { credentials } = loadClusterAccess({ env: {}, path: written(t, config({ user: { tokenFile } })) })
  writeFileSync(tokenFile, '\n')
  await assert.rejects(credentials.get(), /token: there is no token in it$/)
})

/** A plugin that counts its calls, keeps what it was told, and answers with `status`. */
function plugin(t: TestContext, status: object, override: object = {}) {
  const dir = folder(t)
  const script = join(dir, 'plugin')
  const calls = join(dir, 'calls')
  writeFileSync(calls, '')
  const answer = JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status })
  writeFileSync(
    script,
    `#!/bin/sh\nprintf '%s\\n' "$KUBERNETES_EXEC_INFO $1 $EXTRA" >> '${calls}'\ncat <<'END'\n${answer}\nEND\n`,
  )
  chmodSync(script, 0o700)
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: script,
    args: ['arg'],
    env: [{ name: 'EXTRA', value: 'extra' }],
    interactiveMode: 'Never',
    provideClusterInfo: true,
    ...override,
  }
  const clock = manualClock()
  const path = written(t, config({ user: { exec } }))
  const { credentials } = loadClusterAccess({ env: { PATH: '/usr/bin:/bin' }, clock, path })
  return { credentials, clock, calls: () => readFileSync(calls, 'utf8').split('\n').slice(0, -1) }
}

test('a credential plugin is told where to, and asked once for all who wait', async (t) => {
  const { credentials, calls } = plugin(t, { token: 'from-plugin' })
  const all = await Promise.all([credentials.get(), credentials.get(), credentials.get()])
  assert.deepEqual(all[0], { authorization: 'Bearer from-plugin' })
  assert.equal(calls().length, 1)
  assert.match(calls()[0] ?? '', /"kind":"ExecCredential".*"server":"https:\/\/host:6443".* arg extra$/)
})

test('a credential plugin is asked again shortly before what it gave ends', async (t) => {
  const clock = manualClock()
  const expirationTimestamp = new Date(clock.now() + 60_000).toISOString()
  const asked = plugin(t, { token: 'x', expirationTimestamp })
  await asked.credentials.get()
  asked.clock.advance(49_000)
  await asked.credentials.get()
  assert.equal(asked.calls().length, 1)
  asked.clock.advance(2_000)
  await asked.credentials.get()
  assert.equal(asked.calls().length, 2)
})

test('a plugin that fails is named with where it stands, and its output stays out of the message', async (t) => {
  const cases: [object, object, RegExp][] = [
    [{}, {}, /users|exec\.command.*gave neither token nor certificate/],
    [{ token: 'x' }, { command: 'no-such-plugin', installHint: 'Install it.' }, /is not installed\. Install it\./],
    [{ token: 'x' }, { interactiveMode: 'Always' }, /asks for a terminal/],
  ]
  for (const [status, override, want] of cases) {
    await assert.rejects(
      plugin(t, status, override).credentials.get(),
      (error) => isFault(error, 'denied') && want.test(error.message),
    )
  }
})

test('a pod without a kubeconfig is its service account, by a token that is read anew as the kubelet renews it', async (t) => {
  const serviceAccount = folder(t)
  const put = (name: string, text: string) => writeFileSync(join(serviceAccount, name), text)
  put('namespace', 'fairlead-system\n')
  put('ca.crt', 'pem')
  put('token', 'first\n')
  const clock = manualClock()
  const env = { HOME: folder(t), KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '6443' }
  const access = loadClusterAccess({ env, serviceAccount, clock })
  assert.deepEqual([access.server, access.namespace, access.ca], ['https://[fd00::1]:6443', 'fairlead-system', 'pem'])
  assert.deepEqual(await access.credentials.get(), { authorization: 'Bearer first' })
  put('token', 'second')
  clock.advance(59_000)
  assert.deepEqual(await access.credentials.get(), { authorization: 'Bearer first' })
  clock.advance(1_000)
  assert.deepEqual(await access.credentials.get(), { authorization: 'Bearer second' })
  put('token', 'third')
  assert.equal(access.credentials.refused(), true, 'a 401 need not wait for the minute')
  assert.deepEqual(await access.credentials.get(), { authorization: 'Bearer third' })
})

test('a kubeconfig that is named, or lies at home, goes before the service account; one that is not there is none', (t) => {
  const serviceAccount = folder(t)
  for (const name of ['namespace', 'ca.crt', 'token']) writeFileSync(join(serviceAccount, name), name)
  const path = written(t, config())
  const env = { HOME: folder(t), KUBERNETES_SERVICE_HOST: '10.0.0.1' }
  assert.equal(loadClusterAccess({ env, serviceAccount, path }).server, 'https://host:6443')
  assert.equal(loadClusterAccess({ env: { ...env, KUBECONFIG: path }, serviceAccount }).server, 'https://host:6443')
  assert.equal(loadClusterAccess({ env, serviceAccount }).server, 'https://10.0.0.1:443')
  assert.throws(
    () => loadClusterAccess({ env, serviceAccount, path: join(folder(t), 'absent') }),
    (error) => isFault(error, 'invalid') && error.code === 'NoKubeconfig',
  )
})
