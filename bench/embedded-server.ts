/** The embedded API server as a process: without our controllers, and without nodes. Tells its kubeconfig; ends with its input. */
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { loadIdentity, tokenAuthenticator, writeKubeconfig } from '#cli/identity.ts'
import { startLocalCluster } from '#cli/local-cluster.ts'
import { serveFetch } from '#cli/serve.ts'

const [dataDir = ''] = process.argv.slice(2)
const identity = await loadIdentity(dataDir, Date.now())
await using cluster = await startLocalCluster({
  dataDir,
  authenticate: tokenAuthenticator(identity.token),
  authorization: `Bearer ${identity.token}`,
  clock: systemClock,
  log: silentLog,
  nodes: [],
  controllers: [],
})
const listener = await serveFetch({ fetch: cluster.fetch, host: '127.0.0.1', port: 0, tls: identity })
process.stdout.write(`${writeKubeconfig(dataDir, identity, `https://127.0.0.1:${listener.port}`)}\n`)
await new Promise((resolve) => process.stdin.once('end', resolve).resume())
await listener.close()
