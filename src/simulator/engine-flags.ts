import { vllm } from '#engines/vllm.ts'
import { isObject } from '#base/json.ts'
import { readSimulateOptions, type SimulateOptions, simulateFlagPrefix } from './simulate-options.ts'

/** What the simulator honours of an engine's command line and environment. */
export interface EngineSettings {
  readonly port: number
  /** At least one; the first is the one that answers and metrics carry. */
  readonly servedNames: readonly string[]
  /** It answers to any name: what it would be told by its image, nobody tells a simulation. */
  readonly anyName?: true
  readonly modelRoot: string
  readonly maxModelLength: number
  readonly maxSequences: number
  readonly prefixCaching: boolean
  readonly loraModules: readonly LoraModule[]
  /** Whether adapters may come and go while the engine runs. */
  readonly runtimeLora: boolean
  readonly kvRole: KvRole | undefined
  readonly apiKeys: readonly string[]
  readonly simulate: SimulateOptions
}

export interface LoraModule {
  readonly name: string
  readonly path: string
}

export const kvRoles = ['kv_producer', 'kv_consumer', 'kv_both'] as const
export type KvRole = (typeof kvRoles)[number]

export interface EngineFlags {
  readonly settings: EngineSettings
  /** What the engine's own parser would refuse, one line each. */
  readonly errors: readonly string[]
}

type FlagKind = 'integer' | 'human-integer' | 'text' | 'list' | 'switch'

/** Flags of vLLM that change what a client sees; any other flag is taken as given and changes nothing. */
const known: Readonly<Record<string, FlagKind>> = {
  port: 'integer',
  model: 'text',
  'served-model-name': 'list',
  'max-model-len': 'human-integer',
  'max-num-seqs': 'integer',
  'tensor-parallel-size': 'integer',
  'pipeline-parallel-size': 'integer',
  'data-parallel-size': 'integer',
  'lora-modules': 'list',
  'enable-lora': 'switch',
  'enable-prefix-caching': 'switch',
  'no-enable-prefix-caching': 'switch',
  'kv-transfer-config': 'text',
  'api-key': 'list',
}
const aliases: Readonly<Record<string, string>> = {
  tp: 'tensor-parallel-size',
  pp: 'pipeline-parallel-size',
  dp: 'data-parallel-size',
  'model-path': 'model', // SGLang's spelling, as are the next three
  'lora-paths': 'lora-modules',
  'context-length': 'max-model-len',
  'max-running-requests': 'max-num-seqs',
}
const multipliers: Readonly<Record<string, number>> = {
  k: 1e3,
  m: 1e6,
  g: 1e9,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
}

/**
 * Reads the arguments that follow the engine's entry point, as vLLM's parser does: `--a-b`, `--a_b` and `--a-b=v` are
 * one, lists end at the next flag, and one positional argument is the model.
 */
export function parseEngineFlags(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  defaultPort: number = vllm.defaultPort,
): EngineFlags {
  const errors: string[] = []
  const { values, simulate, positional } = collect(args, errors)
  const integer = (name: string, fallback: number, least: number, most = Number.MAX_SAFE_INTEGER): number => {
    const text = values.get(name)?.at(-1)
    if (text === undefined) return fallback
    const value = known[name] === 'human-integer' ? humanInteger(text) : /^[+-]?\d+$/.test(text) ? Number(text) : NaN
    if (Number.isNaN(value)) errors.push(`argument ${spelling(name)}: invalid int value: '${text}'`)
    else if (value < least || value > most) errors.push(`argument ${spelling(name)}: ${text} is out of range`)
    else return value
    return fallback
  }
  const model = values.get('model')?.at(-1) ?? positional[0] ?? 'facebook/opt-125m'
  const served = values.get('served-model-name') ?? []
  for (const name of ['tensor-parallel-size', 'pipeline-parallel-size', 'data-parallel-size']) integer(name, 1, 1)
  const options = readSimulateOptions(env, simulate)
  const settings: EngineSettings = {
    port: integer('port', defaultPort, 1, 65_535),
    servedNames: served.length > 0 ? served : [model],
    modelRoot: model,
    maxModelLength: integer('max-model-len', 32_768, 1),
    maxSequences: integer('max-num-seqs', 256, 1),
    prefixCaching: !values.has('no-enable-prefix-caching'),
    loraModules: (values.get('lora-modules') ?? []).flatMap((text) => loraModule(text, errors)),
    runtimeLora: /^(1|true)$/i.test(env['VLLM_ALLOW_RUNTIME_LORA_UPDATING'] ?? ''),
    kvRole: kvRole(values.get('kv-transfer-config')?.at(-1), errors),
    apiKeys: (values.get('api-key') ?? [env['VLLM_API_KEY'] ?? '']).filter((key) => key !== ''),
    simulate: options.options,
  }
  return { settings, errors: [...errors, ...options.errors] }
}

interface Collected {
  readonly values: ReadonlyMap<string, readonly string[]>
  readonly simulate: ReadonlyMap<string, string>
  readonly positional: readonly string[]
}

function collect(args: readonly string[], errors: string[]): Collected {
  const values = new Map<string, string[]>()
  const simulate = new Map<string, string>()
  const positional: string[] = []
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    if (!isFlag(arg)) {
      positional.push(arg)
      continue
    }
    const equals = arg.indexOf('=')
    const spelled = (equals < 0 ? arg : arg.slice(0, equals)).replace(/^--?/, '').replaceAll('_', '-')
    const name = aliases[spelled] ?? spelled
    const kind = known[name]
    const given: string[] = equals < 0 ? [] : [arg.slice(equals + 1)]
    const most = kind === 'switch' ? 0 : kind === 'list' || kind === undefined ? Infinity : 1
    while (equals < 0 && given.length < most && at + 1 < args.length && !isFlag(args[at + 1] ?? '')) {
      given.push(args[++at] ?? '')
    }
    if (name.startsWith(simulateFlagPrefix)) simulate.set(name.slice(simulateFlagPrefix.length), given[0] ?? '')
    else if (kind !== undefined && kind !== 'switch' && given.length === 0) {
      errors.push(`argument ${spelling(name)}: expected ${kind === 'list' ? 'at least ' : ''}one argument`)
    } else values.set(name, given)
  }
  return { values, simulate, positional }
}

function isFlag(arg: string): boolean {
  return /^--?[A-Za-z]/.test(arg)
}

function spelling(name: string): string {
  const short = Object.keys(aliases).find((alias) => aliases[alias] === name && alias.length === 2)
  return short === undefined ? `--${name}` : `--${name}/-${short}`
}

/** `4096`, `32k` (thousands) or `32K` (binary), as vLLM reads lengths. */
function humanInteger(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmgKMG]?)$/.exec(text)
  if (match === null) return NaN
  const value = Number(match[1]) * (multipliers[match[2] ?? ''] ?? 1)
  return Number.isInteger(value) ? value : NaN
}

function loraModule(text: string, errors: string[]): LoraModule[] {
  const equals = text.indexOf('=')
  if (!text.startsWith('{') && equals > 0) return [{ name: text.slice(0, equals), path: text.slice(equals + 1) }]
  const json = parseJson(text)
  if (isObject(json) && typeof json['name'] === 'string' && typeof json['path'] === 'string') {
    return [{ name: json['name'], path: json['path'] }]
  }
  errors.push(`argument --lora-modules: '${text}' is neither name=path nor JSON with name and path`)
  return []
}

function kvRole(text: string | undefined, errors: string[]): KvRole | undefined {
  if (text === undefined) return undefined
  const json = parseJson(text)
  const role = isObject(json) ? json['kv_role'] : undefined
  const found = kvRoles.find((known) => known === role)
  if (!isObject(json)) errors.push(`argument --kv-transfer-config: Value ${text} cannot be converted to an object.`)
  else if (role !== undefined && found === undefined) {
    errors.push(`argument --kv-transfer-config: Unsupported kv_role: ${String(role)}. Supported: ${kvRoles.join(', ')}`)
  }
  return found
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // the caller says what it wanted
  }
}
