/**
 * Programs that the tests judge us by, built from their own Go modules at the versions that `test/cluster/go.mod` pins.
 * A build takes minutes once; what it makes is kept in the user's cache folder, for all clones.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const goModule = join(import.meta.dirname, '../test/cluster')

/** Program → the module whose version it has, and its package there. */
const tools = {
  etcd: { module: 'go.etcd.io/etcd/server/v3', path: '' },
  'kube-apiserver': { module: 'k8s.io/kubernetes', path: '/cmd/kube-apiserver' },
  'kube-controller-manager': { module: 'k8s.io/kubernetes', path: '/cmd/kube-controller-manager' },
  kubectl: { module: 'k8s.io/kubernetes', path: '/cmd/kubectl' },
  helm: { module: 'helm.sh/helm/v3', path: '/cmd/helm' },
} as const

export type GoTool = keyof typeof tools

/** Where a program is, or why there is none. */
export type Found = { readonly path: string } | { readonly missing: string }

/** Throws what is to be done where there is none. */
export function pathOf(place: Found): string {
  if ('missing' in place) throw new Error(place.missing)
  return place.path
}

/** What an earlier build left in the cache. */
export function builtGoTool(tool: GoTool, env: NodeJS.ProcessEnv): Found {
  const { path } = placeOf(tool, env)
  return existsSync(path) ? { path } : { missing: `${tool} was not built` }
}

/** Builds it unless that was done before. */
export async function buildGoTool(tool: GoTool, env: NodeJS.ProcessEnv): Promise<Found> {
  const { folder, path, version } = placeOf(tool, env)
  if (existsSync(path)) return { path }
  if (!(await runs('go', ['version']))) return { missing: `there is no ${tool}, and no Go to build one with` }

  mkdirSync(folder, { recursive: true })
  const unfinished = `${path}.${process.pid}` // so that nobody runs half a file
  console.error(`building ${tool} ${version} into ${folder}, once; this takes some minutes`)
  const build = ['build', '-trimpath', '-ldflags', `-s -w ${stamps(version)}`, '-o', unfinished]
  const go = spawn('nice', ['-n', '19', 'go', ...build, `${tools[tool].module}${tools[tool].path}`], {
    cwd: goModule,
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  const [code] = (await once(go, 'close')) as [number | null]
  if (code !== 0) return { missing: `go build of ${tool} ${version} failed; its own message stands above` }
  renameSync(unfinished, path)
  return { path }
}

/** Whether the program starts and is content with what it is given. */
export async function runs(program: string, args: readonly string[]): Promise<boolean> {
  return promisify(execFile)(program, args).then(
    () => true,
    () => false,
  )
}

function placeOf(tool: GoTool, env: NodeJS.ProcessEnv): { folder: string; path: string; version: string } {
  const version = versionOf(tools[tool].module)
  const folder = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fairlead')
  return { folder, version, path: join(folder, `${tool}-${version}-${process.platform}-${process.arch}`) }
}

function versionOf(module: string): string {
  const line = new RegExp(String.raw`^\s*${module.replaceAll('.', String.raw`\.`)} (v[\d.]+)`, 'm')
  const version = line.exec(readFileSync(join(goModule, 'go.mod'), 'utf8'))?.[1]
  if (version === undefined) throw new Error(`${goModule}/go.mod requires no version of ${module}`)
  return version
}

/** What a release's own build writes into the programs of Kubernetes and Helm. */
function stamps(version: string): string {
  const [major = '', minor = ''] = version.slice(1).split('.')
  const facts = { gitVersion: version, gitMajor: major, gitMinor: minor }
  const kubernetes = Object.entries(facts).map(([name, value]) => `k8s.io/component-base/version.${name}=${value}`)
  return [...kubernetes, `helm.sh/helm/v3/internal/version.version=${version}`].map((fact) => `-X ${fact}`).join(' ')
}
