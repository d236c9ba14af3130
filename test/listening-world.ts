/** A world that other people's clients reach: `fairlead up` without its router, or a real cluster with our controllers. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startListeningCluster } from '#cli/listening-cluster.ts'
import { clusterTarget } from './cluster/target.ts'
import { problemsOnly } from './ground.ts'
import { startWorld } from './world.ts'

export interface ListeningWorld extends AsyncDisposable {
  /** Of an administrator. */
  readonly kubeconfig: string
  /** A folder for those who come. */
  readonly home: string
}

const target = clusterTarget()

/** What judges name in the titles of their tests. */
export const serverName = target === undefined ? '`fairlead up`' : 'a real API server'

export async function startListeningWorld(): Promise<ListeningWorld> {
  await using stack = new AsyncDisposableStack()
  const home = mkdtempSync(join(tmpdir(), 'fairlead-listening-'))
  stack.defer(() => rmSync(home, { recursive: true }))
  let kubeconfig = target?.kubeconfig
  if (kubeconfig === undefined) {
    const options = { dataDir: join(home, 'data'), apiPort: 0, durability: 'normal', log: problemsOnly } as const
    kubeconfig = stack.use(await startListeningCluster(options)).kubeconfig
  } else {
    stack.use(await startWorld({ after() {} })) // ended with the rest
  }
  const started = stack.move()
  return { kubeconfig, home, [Symbol.asyncDispose]: () => started.disposeAsync() }
}
