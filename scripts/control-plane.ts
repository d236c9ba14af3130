/**
 * The programs of a real control plane for `npm run test:cluster`. etcd and kube-apiserver come from the folder that
 * `KUBEBUILDER_ASSETS` names, as in envtest; what that lacks, and all of it where it is not set, from the user's cache
 * folder, where this puts it:
 *
 *     npm run cluster:build     builds what is not built yet: half an hour on two cores, once
 */
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { buildGoTool, builtGoTool, type Found, type GoTool, pathOf, runs } from './go-tool.ts'
import { findKubectl } from './kubectl.ts'

const servers = ['etcd', 'kube-apiserver', 'kube-controller-manager'] as const

export type Programs = Readonly<Record<(typeof servers)[number], string>>

/** Where the programs are, or which are missing and what to do. Builds nothing. */
export function findControlPlane(env: NodeJS.ProcessEnv): Programs | { readonly missing: string } {
  const found = servers.map((server) => [server, given(server, env) ?? builtGoTool(server, env)] as const)
  const missing = found.filter(([, place]) => 'missing' in place).map(([server]) => server)
  if (missing.length === 0)
    return Object.fromEntries(found.map(([server, place]) => [server, pathOf(place)])) as Programs
  return {
    missing:
      `no ${missing.join(', no ')}: run "npm run cluster:build" (it needs Go), ` +
      'or name a folder that has them in KUBEBUILDER_ASSETS, or a cluster without nodes in FAIRLEAD_TEST_KUBECONFIG',
  }
}

/** A Helm 3 of this machine, else one that was built. */
export async function findHelm(env: NodeJS.ProcessEnv): Promise<Found> {
  return (await runs('helm', ['version'])) ? { path: 'helm' } : builtGoTool('helm', env)
}

function given(server: GoTool, env: NodeJS.ProcessEnv): Found | undefined {
  const folder = env['KUBEBUILDER_ASSETS']
  if (folder === undefined) return undefined
  try {
    accessSync(join(folder, server), constants.X_OK)
    return { path: join(folder, server) }
  } catch {
    return undefined
  }
}

if (import.meta.main) {
  const missing: string[] = []
  const tell = (place: Found): void => {
    if ('path' in place) console.log(place.path)
    else missing.push(place.missing)
  }
  for (const server of servers) tell(given(server, process.env) ?? (await buildGoTool(server, process.env)))
  tell(await findKubectl(process.env))
  const helm = await findHelm(process.env)
  tell('path' in helm ? helm : await buildGoTool('helm', process.env))
  for (const each of missing) console.error(each)
  if (missing.length > 0) process.exitCode = 1
}
