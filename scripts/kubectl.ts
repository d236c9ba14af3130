/**
 * The kubectl that judges the embedded API server: `FAIRLEAD_KUBECTL`, else one on the PATH that is new enough, else one
 * built from Kubernetes' own Go module at the version that `test/cluster/go.mod` pins. The build takes some minutes once
 * and is kept in the user's cache folder, for all clones.
 *
 *     npm run kubectl:build     builds, whatever the machine has, and prints the path
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** What the tests ask of it; older ones print other words. */
const oldestMinor = 32
const goModule = join(import.meta.dirname, '../test/cluster')
const run = promisify(execFile)

/** Where it is, or why there is none. */
export type FoundKubectl = { readonly path: string } | { readonly missing: string }

/** Builds one where the machine has none and Go is there to build it with. */
export async function findKubectl(env: NodeJS.ProcessEnv): Promise<FoundKubectl> {
  const given = env['FAIRLEAD_KUBECTL']
  if (given !== undefined) {
    const minor = await minorVersion(given)
    if (minor === undefined) return { missing: `FAIRLEAD_KUBECTL=${given} is no kubectl` }
    return minor >= oldestMinor
      ? { path: given }
      : { missing: `FAIRLEAD_KUBECTL=${given} is older than 1.${oldestMinor}` }
  }
  const onPath = await minorVersion('kubectl')
  if (onPath !== undefined && onPath >= oldestMinor) return { path: 'kubectl' }
  return buildKubectl(env)
}

export async function buildKubectl(env: NodeJS.ProcessEnv): Promise<FoundKubectl> {
  const version = /^\s*k8s\.io\/kubernetes (v[\d.]+)/m.exec(readFileSync(join(goModule, 'go.mod'), 'utf8'))?.[1]
  if (version === undefined) throw new Error(`${goModule}/go.mod requires no version of k8s.io/kubernetes`)
  const folder = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fairlead')
  const path = join(folder, `kubectl-${version}-${process.platform}-${process.arch}`)
  if (existsSync(path)) return { path }
  if (!(await isThere('go'))) return { missing: `no kubectl 1.${oldestMinor} or newer, and no Go to build one with` }

  mkdirSync(folder, { recursive: true })
  const unfinished = `${path}.${process.pid}` // so that nobody runs half a file
  console.error(`building kubectl ${version} into ${folder}, once; this takes some minutes`)
  const [major = '', minor = ''] = version.slice(1).split('.')
  const facts = { gitVersion: version, gitMajor: major, gitMinor: minor }
  const flags = Object.entries(facts).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
  const build = ['build', '-p', '1', '-trimpath', '-ldflags', `-s -w ${flags.join(' ')}`, '-o', unfinished]
  const go = spawn('nice', ['-n', '19', 'go', ...build, 'k8s.io/kubernetes/cmd/kubectl'], {
    cwd: goModule,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = (await once(go, 'close')) as [number | null]
  if (code !== 0) return { missing: `go build of kubectl ${version} failed; its own message stands above` }
  renameSync(unfinished, path)
  return { path }
}

/** Undefined for what is no kubectl, or not there. */
async function minorVersion(kubectl: string): Promise<number | undefined> {
  try {
    const { stdout } = await run(kubectl, ['version', '--client', '-o', 'json'])
    const { clientVersion } = JSON.parse(stdout) as { clientVersion: { minor: string } }
    return Number.parseInt(clientVersion.minor, 10)
  } catch {
    return undefined
  }
}

async function isThere(program: string): Promise<boolean> {
  return run(program, ['version']).then(
    () => true,
    () => false,
  )
}

if (import.meta.main) {
  const built = await buildKubectl(process.env)
  if ('path' in built) console.log(built.path)
  else {
    console.error(built.missing)
    process.exitCode = 1
  }
}
