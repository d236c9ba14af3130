/** What is published: packed, installed into an empty folder and run, as somebody without this clone would. */
import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { parseAllDocuments } from 'yaml'

const clone = join(import.meta.dirname, '..')
const quickstart = join(clone, 'examples/quickstart.yaml')
const scratch = mkdtempSync(join(tmpdir(), 'fairlead-package-'))
const fairlead = join(scratch, 'node_modules/.bin/fairlead')
after(() => rmSync(scratch, { recursive: true }))

interface Ended {
  readonly code: number
  readonly out: string
  readonly problems: string
}

/** The Node that runs this test is also the first on the PATH of what it runs. */
function run(program: string, args: readonly string[], cwd = scratch): Promise<Ended> {
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  return new Promise((resolve) => {
    execFile(program, args, { cwd, env: { ...process.env, PATH } }, (error, out, problems) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, problems }),
    )
  })
}

async function succeed(program: string, args: readonly string[], cwd?: string): Promise<string> {
  const { code, out, problems } = await run(program, args, cwd)
  assert.equal(code, 0, problems + out)
  return out
}

before(async () => {
  await succeed('npm', ['pack', '--pack-destination', scratch], clone)
  const [tarball = ''] = globSync('*.tgz', { cwd: scratch })
  await succeed('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${tarball}`])
})

test('packing leaves nothing behind in the clone', () => {
  assert.deepEqual(globSync('{dist,*.tgz}', { cwd: clone }), [])
})

test('the package is JavaScript, without tests', () => {
  const files = globSync('**/*.{js,ts}', { cwd: join(scratch, 'node_modules/fairlead') })
  assert.ok(files.includes('dist/cli/main.js'))
  assert.deepEqual(
    files.filter((file) => file.endsWith('.ts') || /\.test|testkit|testdata/.test(file)),
    [],
  )
})

test('it says its version', async () => {
  const { version } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8')) as { version: string }
  assert.match(await succeed(fairlead, ['version']), new RegExp(`^fairlead ${version}$`, 'm'))
})

test('it validates', async () => {
  assert.equal(await succeed(fairlead, ['validate', '-f', quickstart]), 'ModelBooster/quickstart: valid\n')
})

test('it renders', async () => {
  const children = parseAllDocuments(await succeed(fairlead, ['render', '-f', quickstart]))
  assert.deepEqual(
    children.map((child) => child.get('kind')),
    ['ModelServing', 'ModelServer', 'ModelRoute'],
  )
})

test('it serves: API server, controllers, pods, the simulator’s worker and the router’s process', async () => {
  const args = ['--exit-when-active', '--data-dir', 'data', '--api-port', '0', '--router-port', '0', '--json']
  const lines = (await succeed(fairlead, ['up', '--apply', quickstart, ...args])).trim().split('\n')
  const events = lines.map((line) => (JSON.parse(line) as { event: string }).event)
  assert.ok(events.includes('ready') && events.includes('answer'), lines.join('\n'))
})

/** Version that Node claims to be → whether that will do. */
const versions = { '12.22.12': false, '20.20.2': false, '24.14.9': false, '24.15.0': true, '26.0.0': true }
for (const [version, enough] of Object.entries(versions)) {
  test(`Node ${version} is ${enough ? 'new enough' : 'told what is needed, in one line'}`, async () => {
    const claim = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } })`
    const args = ['--import', `data:text/javascript,${encodeURIComponent(claim)}`, fairlead, 'version', '-o', 'json']
    const { code, out, problems } = await run(process.execPath, args)
    if (enough) assert.equal((JSON.parse(out) as { node: string }).node, version)
    else {
      const problem = `fairlead needs Node.js 24.15 or newer; this is ${version}.\n`
      assert.deepEqual({ code, out, problems }, { code: 1, out: '', problems: problem })
    }
  })
}

// A claim does not bring an old parser along. Where the machine has an old Node of its own, that must do as well.
const machine = '/usr/bin/node'
const { stdout: machineVersion } = spawnSync(machine, ['-p', 'process.versions.node'], { encoding: 'utf8' })
if (machineVersion && Number(machineVersion.split('.')[0]) < 24) {
  test('the machine’s own old Node is told what is needed, in one line', async () => {
    const { code, out, problems } = await run(machine, [fairlead, 'version'])
    const problem = `fairlead needs Node.js 24.15 or newer; this is ${machineVersion.trim()}.\n`
    assert.deepEqual({ code, out, problems }, { code: 1, out: '', problems: problem })
  })
}
