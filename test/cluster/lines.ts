/** Ways to the API server of a real cluster, as each of those who ask. */
import { createClient } from '#kube/create-client.ts'
import type { Client } from '#kube/client.ts'
import type { CredentialSource } from '#kube/credentials.ts'
import { loadClusterAccess } from '#kube/kubeconfig.ts'
import { connect } from '#kube/transport.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import type { Fetch } from '#machinery/http.ts'
import type { Who } from '../ground.ts'
import { clear } from './clear.ts'
import { recorded } from './requests.ts'
import type { ClusterTarget } from './target.ts'

export interface Lines extends AsyncDisposable {
  lineOf(who: Who): Fetch
  readonly url: string
  /** One whose requests nobody is told of. */
  readonly bystander: Client
}

export interface LinesOptions {
  /** Told of every answer. */
  readonly tell: (request: AnsweredRequest) => void
  /** Whether to take away first what an earlier test left. */
  readonly clears: boolean
}

export async function openLines(target: ClusterTarget, { tell, clears }: LinesOptions): Promise<Lines> {
  await using stack = new AsyncDisposableStack()
  // Idle connections and pauses between attempts do not keep a process, which would end before its tests.
  stack.adopt(
    setInterval(() => {}, 2 ** 30),
    clearInterval,
  )
  const access = loadClusterAccess({ env: {}, path: target.kubeconfig })
  const unseen = (credentials = access.credentials): Fetch => stack.use(connect({ ...access, credentials })).fetch
  const line = (credentials?: CredentialSource): Fetch => recorded(unseen(credentials), tell)
  const lines: Readonly<Record<Who, Fetch>> = {
    user: line(),
    manager: line(bearer(target.tokens.manager)),
    router: line(bearer(target.tokens.router)),
  }
  const bystander = createClient({ fetch: unseen(), baseUrl: access.server, userAgent: 'test-bystander' })
  if (clears) await clear(bystander)
  const opened = stack.move()
  return {
    lineOf: (who) => lines[who],
    url: access.server,
    bystander,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

function bearer(token: string): CredentialSource {
  return { get: async () => ({ authorization: `Bearer ${token}` }), refused: () => false }
}
