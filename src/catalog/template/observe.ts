import type { Clock } from '#base/clock.ts'
import { isFault, messageOf } from '#base/fault.ts'
import { Job, Node, Pod } from '#api/core/kinds.ts'
import type { ModelSource } from '#api/aim-fields.ts'
import type { AIMServiceTemplate } from '#api/aim-service-template.ts'
import type { Reader } from '#controller/domain.ts'
import { controllerOf } from '#controller/owned.ts'
import { type Availability, availabilityOf } from '../gpu/availability.ts'
import { type Inventory, inventoryOf } from '../gpu/inventory.ts'
import { mergeEnv } from '../environment.ts'
import { hardwareOf } from '../hardware.ts'
import { canonicalSource } from '../model-source.ts'
import { isLeftAlone } from '../paused.ts'
import { envReferences, missingMessage, missingOf, secretReferences } from '../references.ts'
import { propagatedLabels, resolveRuntimeConfig, type RuntimeConfig, unionByName } from '../runtime-config.ts'
import type { Scope } from '../scope.ts'
import { discoveryContainer, discoveryJobName, discoveryLabels, type JobFacts } from './discovery-job.ts'
import { type Found, parseDiscoveryOutput } from './discovery-output.ts'
import type { DiscoveryQueue } from './discovery-queue.ts'
import { isFinished, jobStateOf, type PodTrouble, podTroubleOf } from './job-state.ts'
import { judge } from './judge.ts'
import { logTroubleOf } from './log-trouble.ts'
import { findModel, type FoundModel } from './lookup.ts'
import { specHash } from './spec-hash.ts'

/** What a pass over a template decides from. */
export interface Observed {
  readonly scope: Scope
  readonly config: RuntimeConfig
  readonly model: FoundModel | undefined
  readonly inventory: Inventory
  /** `undefined` where no GPU is needed. */
  readonly gpu: Availability | undefined
  /** Weights that the template names. */
  readonly sources: readonly ModelSource[]
  readonly missing: readonly string[]
  /** How the image would be asked; `undefined` without a model. */
  readonly asking: JobFacts | undefined
  /** The Job of the present attempt. */
  readonly job: Job | undefined
  readonly output: Output | undefined
  readonly trouble: PodTrouble | undefined
  /** There is room for one more Job. */
  readonly admitted: boolean
}

export type Output =
  | { readonly read: 'profile'; readonly found: Found }
  | { readonly read: 'nonsense' }
  | { readonly read: 'failed'; readonly message: string }

export type ReadLog = (
  pod: { readonly namespace: string; readonly name: string; readonly container: string },
  signal: AbortSignal,
) => Promise<string>

export interface TemplateSources {
  readonly scope: Scope
  readonly queue: DiscoveryQueue
  readonly clock: Clock
  readonly readLog: ReadLog
  /** Of the Jobs of the cluster's templates, and of what those name. */
  readonly systemNamespace: string
}

export async function observe(
  template: AIMServiceTemplate,
  read: Reader,
  sources: TemplateSources,
  signal: AbortSignal,
): Promise<Observed> {
  const { scope, systemNamespace } = sources
  const { spec, metadata } = template
  const namespace = metadata.namespace ?? systemNamespace
  const config = resolveRuntimeConfig(read, { name: spec.runtimeConfigName, namespace: metadata.namespace })
  const model = findModel(template, read)
  const inventory = inventoryOf(read.list(Node))
  const asking = model && jobFacts(template, { model, config, namespace, scope })
  const job = asking && ownJob(template, asking, read)
  const pods = job === undefined ? [] : read.list(Pod, { namespace, controllerUid: job.metadata.uid ?? '' })
  const logs = { readLog: sources.readLog, signal }
  // A Job stays for a while after it has told all that there was to tell.
  const isTold = template.status?.discovery?.completedSpecHash === asking?.specHash
  const references = [
    ...secretReferences(spec.imagePullSecrets),
    ...envReferences(mergeEnv(model?.scope === scope.name ? model.model.spec.env : [], spec.env)),
  ]
  const observed: Observed = {
    scope,
    config,
    model,
    inventory,
    gpu: availabilityOf(hardwareOf(spec)?.gpu, inventory),
    sources: (spec.modelSources ?? []).map((source) => canonicalSource(source) ?? source),
    missing: missingOf(references, namespace, read).map((each) => missingMessage(each, namespace)),
    asking,
    job,
    output: job && !isTold ? await outputOf(template, job, pods, logs) : undefined,
    trouble: (job && (await logTrouble(job, pods, logs))) ?? podTroubleOf(pods),
    admitted: true,
  }
  // A place is taken only by whoever would use it.
  const wants = !isLeftAlone(template) && judge(template, observed, sources.clock.now()).startsJob
  return { ...observed, admitted: wants && asking !== undefined && admitted(template, asking, read, sources.queue) }
}

interface JobSources {
  readonly model: FoundModel
  readonly config: RuntimeConfig
  readonly namespace: string
  readonly scope: Scope
}

function jobFacts(template: AIMServiceTemplate, { model: { model }, config, namespace, scope }: JobSources): JobFacts {
  const { spec, status, metadata } = template
  const { image } = model.spec
  const env = mergeEnv(config.spec.env, model.spec.env)
  const hash = specHash(template, image, mergeEnv(env, spec.env))
  const accounts = [spec.serviceAccountName, model.spec.serviceAccountName, config.spec.serviceAccountName]
  return {
    image,
    namespace,
    scope: scope.name,
    env,
    pullSecrets: unionByName(spec.imagePullSecrets, model.spec.imagePullSecrets, config.spec.imagePullSecrets),
    serviceAccountName: accounts.find((name) => name !== undefined && name !== ''),
    labels: propagatedLabels(metadata.labels, config.spec),
    specHash: hash,
    attempt: status?.discovery?.specHash === hash ? (status.discovery.attempts ?? 0) : 0,
  }
}

function ownJob(template: AIMServiceTemplate, facts: JobFacts, read: Reader): Job | undefined {
  const job = read.get(Job, { namespace: facts.namespace, name: discoveryJobName(template, facts) })
  return job !== undefined && controllerOf(job)?.uid === template.metadata.uid ? job : undefined
}

interface LogSource {
  readonly readLog: ReadLog
  readonly signal: AbortSignal
}

async function outputOf(
  { spec }: AIMServiceTemplate,
  job: Job,
  pods: readonly Pod[],
  { readLog, signal }: LogSource,
): Promise<Output | undefined> {
  if (jobStateOf(job).at !== 'succeeded') return undefined
  const pod = pods.find(({ status }) => status?.phase === 'Succeeded')
  if (pod === undefined)
    return { read: 'failed', message: `Job ${job.metadata.name} has no pod whose log could be read` }
  const { namespace = '', name = '' } = pod.metadata
  try {
    const text = await readLog({ namespace, name, container: discoveryContainer }, signal)
    const { profileId, metric, precision } = spec
    const found = parseDiscoveryOutput(text, { profileId, metric, precision, gpuModel: hardwareOf(spec)?.gpu?.model })
    return found === undefined ? { read: 'nonsense' } : { read: 'profile', found }
  } catch (error) {
    if (!isFault(error)) throw error
    return { read: 'failed', message: `the log of pod ${name} cannot be read: ${messageOf(error)}` }
  }
}

/** Of a Job that failed; where its log cannot be read any more, the state of its pod has to do. */
async function logTrouble(
  job: Job,
  [pod]: readonly Pod[],
  { readLog, signal }: LogSource,
): Promise<PodTrouble | undefined> {
  if (pod === undefined || jobStateOf(job).at !== 'failed') return undefined
  const { namespace = '', name = '' } = pod.metadata
  try {
    return logTroubleOf(name, await readLog({ namespace, name, container: discoveryContainer }, signal))
  } catch (error) {
    if (!isFault(error)) throw error
    return undefined
  }
}

function admitted(template: AIMServiceTemplate, asking: JobFacts, read: Reader, queue: DiscoveryQueue): boolean {
  const jobs = read.list(Job, { labels: discoveryLabels })
  const states = new Map(jobs.map((job) => [job.metadata.name ?? '', !isFinished(job)]))
  const { uid = '', creationTimestamp: createdAt = '' } = template.metadata
  return queue.admit({ uid, job: discoveryJobName(template, asking), createdAt }, states)
}
