/** How an SGLang server is started, on one pod or as one of several that span nodes. Source: SGLang's server arguments. */
import { flagKey, servedNameOf } from '#api/model-booster-normal.ts'
import { servingEnv } from '#api/labels.ts'
import { configArguments } from './vllm-arguments.ts'

export interface SglangStart {
  readonly modelPath: string
  readonly port: number
  /** What clients and the router call the model; used where `config` gives no name. */
  readonly servedName: string
  readonly config: Readonly<Record<string, unknown>>
  readonly loras: readonly { readonly name: string; readonly path: string }[]
  /** Pods that work as one. */
  readonly pods: number
  readonly extraArgs: readonly string[]
}

const distributionPort = 20_000

/** The same for each pod of an engine: Kubernetes puts in which one it is. */
export function sglangCommand(start: SglangStart): string[] {
  const { modelPath, port, servedName, config, loras, pods, extraArgs } = start
  const named = servedNameOf({ config }) !== undefined
  const given = Object.entries(config).filter(
    ([key]) => flagKey(key) !== 'port' && (named || flagKey(key) !== 'served-model-name'),
  )
  const has = (flag: string) => given.some(([key]) => flagKey(key) === flag)
  const words = ['python3', '-m', 'sglang.launch_server', '--model-path', modelPath]
  if (!has('host')) words.push('--host', '0.0.0.0')
  words.push('--port', String(port), ...configArguments(Object.fromEntries(given)))
  if (!named) words.push('--served-model-name', servedName)
  // Without it there is no /metrics, which sidecar and autoscaler read.
  if (!has('enable-metrics')) words.push('--enable-metrics')
  if (pods > 1) {
    words.push('--nnodes', String(pods), '--node-rank', `$(${servingEnv.workerIndex})`)
    words.push('--dist-init-addr', `$(${servingEnv.entryAddress}):${distributionPort}`)
  }
  if (loras.length > 0) words.push('--lora-paths', ...loras.map(({ name, path }) => `${name}=${path}`))
  return [...words, ...extraArgs]
}
