/** The image without an engine: the files that the Dockerfile makes, run by a user who can write nothing. */
import assert from 'node:assert/strict'
import { chmodSync, cpSync, globSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Container, PodTemplateSpec } from '#api/core/types.generated.ts'
import { type ListeningCluster, startListeningCluster } from '#cli/listening-cluster.ts'
import { problemsOnly } from '../ground.ts'
import { buildImage, type Image } from './dockerfile.ts'
import { objectsIn, root } from './objects.ts'
import { type Program, programs, startProgram } from './program-process.ts'

/** As the manifests say. */
const uid = 65_532
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
  for (const program of programs) assert.equal(templateOf(program).spec?.securityContext?.runAsUser, uid)
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
  for (const program of programs) {
    test(`${program}: starts, serves and stops as a user who can write nothing, and complains of nothing`, async () => {
      const { args = [] } = templateOf(program).spec?.containers[0] as Container
      await using running = startProgram(
        image.entrypoint.map((path) => join(image.root, path)),
        {
          program,
          args,
          namespace: 'default',
          uid,
          gid: uid,
          cwd: join(image.root, image.workdir),
          env: { ...image.env, HOME: '/nonexistent', KUBECONFIG: join(scratch, 'kubeconfig') },
        },
      )
      await running.ready()
      assert.deepEqual(await running.stop(), { code: 0, complaints: [] })
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

function ownedByUser(folder: string): string[] {
  return globSync('**', { cwd: folder })
    .map((file) => join(folder, file))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.uid === uid)
}
