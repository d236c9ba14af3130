/**
 * How a vLLM server is started. Where something has to happen first (a Python package, a Ray cluster) all of it
 * becomes one `bash -c` script with every word quoted; otherwise the command is the plain list of words.
 */
import { flagKey, servedNameOf } from '#api/model-booster-normal.ts'
import { configArguments } from './vllm-arguments.ts'
import { quoteWord } from './shell.ts'

export interface VllmStart {
  readonly modelPath: string
  /** What clients and the router call the model; used where `config` gives no name. */
  readonly servedName: string
  readonly config: Readonly<Record<string, unknown>>
  /** Where to publish KV cache events, unless `config` says; `undefined` for not at all. */
  readonly kvEvents: { readonly endpoint?: string | undefined; readonly topic?: string | undefined } | undefined
  readonly loras: readonly { readonly name: string; readonly path: string }[]
  /** Whether adapters may come later where there are none. */
  readonly lorasLater?: boolean
  /** Set for an engine that spans pods: this one leads. */
  readonly ray: { readonly pods: number; readonly gpus: number; readonly script?: string | undefined } | undefined
  /** pip packages to install before the start. */
  readonly packages: readonly PythonPackage[]
  readonly extraArgs: readonly string[]
}

interface PythonPackage {
  readonly name: string
  readonly upgrade?: boolean
}

/** Packages that an engine image may lack, by the connector that needs them. Only on NVIDIA GPUs. */
export const connectorPackages: Readonly<Record<string, PythonPackage>> = {
  MooncakeConnector: { name: 'mooncake-transfer-engine' },
  NixlConnector: { name: 'nixl', upgrade: true },
}

function kvEventsConfig({
  endpoint = 'tcp://*:5557',
  topic = 'kv-events',
}: NonNullable<VllmStart['kvEvents']>): string {
  return JSON.stringify({ enable_kv_cache_events: true, publisher: 'zmq', topic, endpoint })
}

/** Where vLLM's images keep the script that starts Ray; the last one is relative to the working directory. */
const rayHelpers = [
  '/vllm-workspace/vllm/examples/online_serving/multi-node-serving.sh',
  '/vllm-workspace/examples/online_serving/multi-node-serving.sh',
  'examples/online_serving/multi-node-serving.sh',
]

export function vllmCommand(start: VllmStart): string[] {
  const engine = engineWords(start)
  const { ray, packages } = start
  const steps = packages.map(({ name, upgrade }) => `pip install ${upgrade === true ? '--upgrade ' : ''}${name}`)
  if (ray !== undefined) {
    const gpus = ray.gpus > 0 ? ` --num-gpus=${ray.gpus}` : ''
    steps.push(`${findRayHelper(ray.script)} && "$helper" leader --ray_cluster_size=${ray.pods}${gpus}`)
  }
  if (steps.length === 0) return engine
  return ['bash', '-c', [...steps, `exec ${engine.map(quoteWord).join(' ')}`].join(' && ')]
}

/** The command of a follower pod, which joins the Ray cluster of its group's entry pod. */
export function rayFollowerCommand(script?: string): string[] {
  // Kubernetes replaces $(ENTRY_ADDRESS), which the serving controller sets in every container.
  return ['bash', '-c', `${findRayHelper(script)} && exec "$helper" worker --ray_address=$(ENTRY_ADDRESS)`]
}

/** Leaves the path in `$helper`; without any of the files the last name shows up in chmod's error. */
function findRayHelper(script: string | undefined): string {
  const places = script === undefined ? rayHelpers : [quoteWord(script)]
  return `{ for helper in ${places.join(' ')}; do test -f "$helper" && break; done; chmod +x "$helper"; }`
}

function engineWords({
  modelPath,
  servedName,
  config,
  kvEvents,
  loras,
  lorasLater = false,
  ray,
  extraArgs,
}: VllmStart): string[] {
  const named = servedNameOf({ config }) !== undefined
  const given = Object.entries(config).filter(([key]) => named || flagKey(key) !== 'served-model-name')
  const has = (flag: string) => given.some(([key]) => flagKey(key) === flag)
  const words = ['python3', '-m', 'vllm.entrypoints.openai.api_server', '--model', modelPath]
  words.push(...configArguments(Object.fromEntries(given)))
  if (!named) words.push('--served-model-name', servedName)
  if (ray !== undefined && !has('distributed-executor-backend')) words.push('--distributed_executor_backend', 'ray')
  if (kvEvents !== undefined && !has('kv-events-config')) words.push('--kv-events-config', kvEventsConfig(kvEvents))
  if ((loras.length > 0 || lorasLater) && !has('enable-lora')) words.push('--enable-lora')
  if (loras.length > 0) words.push('--lora-modules', ...loras.map(({ name, path }) => `${name}=${path}`))
  return [...words, ...extraArgs]
}
