/**
 * The kubectl that judges API servers: `FAIRLEAD_KUBECTL`, else one on the PATH that is new enough, else one built from
 * Kubernetes' own Go module.
 *
 *     npm run kubectl:build     builds, whatever the machine has, and prints the path
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { buildGoTool, type Found } from './go-tool.ts'

/** What the tests ask of it; older ones print other words. */
const oldestMinor = 32

/** Builds one where the machine has none and Go is there to build it with. */
export async function findKubectl(env: NodeJS.ProcessEnv): Promise<Found> {
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
  return buildGoTool('kubectl', env)
}

/** Undefined for what is no kubectl, or not there. */
async function minorVersion(kubectl: string): Promise<number | undefined> {
  try {
    const { stdout } = await promisify(execFile)(kubectl, ['version', '--client', '-o', 'json'])
    const { clientVersion } = JSON.parse(stdout) as { clientVersion: { minor: string } }
    return Number.parseInt(clientVersion.minor, 10)
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  const built = await buildGoTool('kubectl', process.env)
  if ('path' in built) console.log(built.path)
  else {
    console.error(built.missing)
    process.exitCode = 1
  }
}
