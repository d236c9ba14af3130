/** The image without an engine: the files that the Dockerfile makes, run by a user who can write nothing. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, cpSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test, type TestContext } from 'node:test'
import type { Container, PodTemplateSpec } from '#api/core/types.generated.ts'
import { type ListeningCluster, startListeningCluster } from '#cli/listening-cluster.ts'
import { problemsOnly } from '../ground.ts'
import { listeningOf } from '../listening.ts'
import { buildImage, type Image } from './dockerfile.ts'
import { objectsIn, root } from './objects.ts'

/** As the manifests say. */
const uid = 65_532
/** Ports of the manifests may be taken here. */
const freePorts = {
  manager: ['--metrics-bind-address=127.0.0.1:0', '--health-probe-bind-address=127.0.0.1:0'],
  router: ['--bind-address=127.0.0.1', '--port=0', '--metrics-port=0'],
}
type Program = keyof typeof freePorts

const scratch = mkdtempSync(join(tmpdir(), 'fairlead-image-'))
let image: Image
let cluster: ListeningCluster
before(async () => {
  chmodSync(scratch, 0o755) // others may look, and that is all
  image = await buildImage(root, join(scratch, 'stages'))
  cluster = await startListeningCluster({
    dataDir: join(scratch, 'data'),
    apiPort: 0,
    durability: 'normal',
    log: problemsOnly,
  })
  cpSync(cluster.kubeconfig, join(scratch, 'kubeconfig'))
  chmodSync(join(scratch, 'kubeconfig'), 0o644)
})
after(async () => {
  await cluster[Symbol.asyncDispose]()
  rmSync(scratch, { recursive: true })
})

test('the image says what it is, and runs as the user of the manifests', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  assert.match(image.labels, new RegExp(`image\\.version="${version}"`))
  assert.equal(image.user, `${uid}:${uid}`)
  for (const program of ['manager', 'router'] as const)
    assert.equal(templateOf(program).spec?.securityContext?.runAsUser, uid)
})

test('it has what runs, and neither sources, nor tests, nor tools', () => {
  const files = globSync('**', { cwd: join(image.root, image.workdir) })
  assert.ok(files.includes('dist/cli/main.js') && files.includes('LICENSE'))
  assert.deepEqual(
    files.filter((file) =>
      /^(src|test|scripts)\/|^dist\/.*(\.ts|testkit|testdata)|^node_modules\/(typescript|oxlint|node)\//.test(file),
    ),
    [],
  )
})

if (process.getuid?.() === 0) {
  for (const program of ['manager', 'router'] as const) {
    test(`${program}: starts, serves and stops as a user who can write nothing, and complains of nothing`, async (t) => {
      const { child, errors } = start(t, program)
      await ready(child)
      child.kill('SIGTERM')
      const [code] = (await once(child, 'close')) as [number | null]
      assert.deepEqual({ code, complaints: complaintsIn(errors()) }, { code: 0, complaints: [] })
      assert.deepEqual(['/tmp', '/var/tmp', '/dev/shm', scratch].flatMap(ownedByUser), [])
    })
  }
} else if (process.env['CI'] === 'true') {
  test('these tests run as root, so that they can become another user', () => assert.fail())
} else {
  console.error('starting the image as another user is left out: only root can become one')
}

function templateOf(program: Program): PodTemplateSpec {
  const deployment = objectsIn(program).find(({ kind }) => kind === 'Deployment')
  return (deployment?.spec as { template: PodTemplateSpec }).template
}

function start(t: TestContext, program: Program): { child: ChildProcess; errors: () => string } {
  const { args = [] } = templateOf(program).spec?.containers[0] as Container
  const [node = '', ...rest] = image.entrypoint.map((path) => join(image.root, path))
  const child = spawn(
    node,
    [...rest, ...args.map((arg) => arg.replace('$(POD_NAMESPACE)', 'default')), ...freePorts[program]],
    {
      uid,
      gid: uid,
      cwd: join(image.root, image.workdir),
      env: { ...image.env, HOME: '/nonexistent', KUBECONFIG: join(scratch, 'kubeconfig') },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  t.after(() => child.kill('SIGKILL'))
  let errors = ''
  child.stdout.resume()
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  return { child, errors: () => errors }
}

/** Waits until one of its listeners says so. */
async function ready(child: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + 30_000; ; ) {
    assert.equal(child.exitCode, null, 'it ended')
    for (const { port } of listeningOf(child.pid ?? 0)) {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
      await response?.body?.cancel()
      if (response?.ok === true) return
    }
    assert.ok(Date.now() < deadline, 'never ready')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Lines that are no log, and logs from a warning on. */
function complaintsIn(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !/^\{"level":(20|30),/.test(line))
}

function ownedByUser(folder: string): string[] {
  return globSync('**', { cwd: folder })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.uid === uid)
}
