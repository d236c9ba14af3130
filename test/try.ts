import { writeFileSync } from 'node:fs'
import { startControlPlane } from './cluster/control-plane.ts'
import { prepareCluster } from './cluster/prepare.ts'
const cp = await startControlPlane(process.env)
writeFileSync('/tmp/target.json', JSON.stringify(await prepareCluster(cp)))
console.log(cp.kubeconfig)
process.on('SIGTERM', async () => {
  await cp[Symbol.asyncDispose]()
  process.exit()
})
setInterval(() => {}, 1000)
