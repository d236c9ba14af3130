/**
 * Many AIMModels of few images at once against a whole local cluster in this process: what they cost a registry that
 * wants tokens, and what they cost the API.
 *
 * `node bench/models.ts [--models 1000] [--images 50] [--runs 3]`; a run is a process of its own.
 */
import { parseArgs } from 'node:util'
import { AIMModel } from '#api/aim-model.ts'
import { systemClock } from '#base/clock.ts'
import { silentLog } from '#base/log.ts'
import { controllerNames } from '#catalog/names.ts'
import { tokenAuthenticator } from '#cli/identity.ts'
import { startLocalCluster } from '#cli/local-cluster.ts'
import type { AnsweredRequest } from '#embedded/apiserver/server.ts'
import { Secret } from '#api/core/kinds.ts'
import { aimModel } from '../test/aim.ts'
import { startRegistry } from '../test/registry.ts'
import { inScratch, isWrite, mib, pause, peakRssOf, printTable, runAlone, until } from './measure.ts'

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '1000' },
    images: { type: 'string', default: '50' },
    runs: { type: 'string', default: '3' },
    once: { type: 'boolean', default: false },
  },
})
const count = Number(options.models)
const images = Number(options.images)
const restMs = 10_000
const longestMs = 120_000

interface Figures {
  readonly ready: number
  readonly perModel: number
  readonly perImage: number
  readonly inspectedOnce: number
  readonly statusWrites: number
  readonly reads: number
  readonly restWrites: number
  readonly restAsked: number
  readonly peakMib: number
}

const runOnce = (): Figures => runAlone(import.meta.url, '--models', String(count), '--images', String(images))

if (options.once) process.stdout.write(JSON.stringify(await inScratch(measureIn)))
else {
  const runs = Array.from({ length: Number(options.runs) }, runOnce)
  const of = (name: keyof Figures): number[] => runs.map((run) => run[name])
  printTable(`${count} AIMModels of ${images} private images at once`, [
    { what: 'all Ready, their labels in status', unit: 's', values: of('ready') },
    { what: 'requests to the registry per model', unit: 'requests', values: of('perModel') },
    { what: 'requests to the registry per image', unit: 'requests', values: of('perImage') },
    {
      what: 'images whose configuration was fetched once, of all',
      unit: 'ratio',
      values: of('inspectedOnce'),
      budget: '1',
    },
    { what: 'status writes per model', unit: 'requests', values: of('statusWrites') },
    { what: 'reads beyond the caches per model, of the Secret', unit: 'requests', values: of('reads') },
    {
      what: 'writes during 10 s of rest, heartbeats of the node apart',
      unit: 'requests',
      values: of('restWrites'),
      budget: '0',
    },
    { what: 'requests to the registry during 10 s of rest', unit: 'requests', values: of('restAsked'), budget: '0' },
    { what: 'peak RSS, the registry included', unit: 'MiB', values: of('peakMib') },
  ])
}

async function measureIn(dataDir: string): Promise<Figures> {
  await using registry = await startRegistry({ auth: 'token' })
  for (let image = 0; image < images; image++) {
    await registry.push(`amd/model-${image}:1`, { labels: { 'aim.eai.amd.com/model.name': `amd/model-${image}` } })
  }
  const requests: AnsweredRequest[] = []
  await using cluster = await startLocalCluster({
    dataDir,
    authenticate: tokenAuthenticator('bench'),
    authorization: 'Bearer bench',
    clock: systemClock,
    log: silentLog,
    onRequest: (request) => requests.push(request),
  })
  const models = cluster.informers.of<AIMModel>(AIMModel)
  await models.synced()
  await cluster.client.create(Secret, {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'registry', namespace: 'default' },
    type: 'kubernetes.io/dockerconfigjson',
    data: registry.dockerConfig(),
  })
  requests.length = 0
  const startMs = performance.now()
  const created = Array.from({ length: count }, (_, index) => {
    const image = `${registry.host}/amd/model-${index % images}:1`
    const model = aimModel(`bench-${index}`, { image, imagePullSecrets: [{ name: 'registry' }] })
    return cluster.client.create(AIMModel, model as AIMModel)
  })
  await Promise.all(created)
  await until(() => models.list().filter(isReady).length >= count, longestMs)
  const ready = (performance.now() - startMs) / 1000
  await until(() => cluster.controllers.every((controller) => controller.idle()), longestMs)
  const load = requests.splice(0)
  const asked = registry.requests.splice(0)
  await pause(restMs)

  const own = load.filter(({ userAgent }) => userAgent === controllerNames.model)
  const configurations = asked.filter((request) => request.includes('/blobs/'))
  const once = [...Map.groupBy(configurations, (request) => request).values()].filter(({ length }) => length === 1)
  return {
    ready,
    perModel: asked.length / count,
    perImage: asked.length / images,
    inspectedOnce: once.length / images,
    statusWrites: own.filter((request) => isWrite(request) && request.resource !== 'events').length / count,
    reads: own.filter(({ verb }) => verb === 'get' || verb === 'list').length / count,
    restWrites: requests.filter((request) => isWrite(request) && request.resource !== 'leases').length,
    restAsked: registry.requests.length,
    peakMib: peakRssOf(process.pid) / mib,
  }
}

function isReady({ status }: AIMModel): boolean {
  return status?.status === 'Ready' && status.imageMetadata?.model?.canonicalName !== undefined
}
