import { runtimeSidecar } from '#engines/vllm.ts'
import { aimProgram, isAimContainer } from './aim.ts'
import { type EngineSettings, parseEngineFlags } from './engine-flags.ts'
import { parseScript } from './shell-words.ts'
import { readSimulateOptions, type SimulateOptions } from './simulate-options.ts'

/** A container's command as the runtime would start it: variables expanded, image named. */
export interface ContainerCommand {
  readonly image: string
  readonly command: readonly string[]
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** What a command starts. */
export type Program =
  | { readonly run: 'engine'; readonly settings: EngineSettings }
  /** The worker side of a ray cluster: it runs and serves nothing. */
  | { readonly run: 'follower' }
  | { readonly run: 'sidecar'; readonly settings: SidecarSettings }
  | { readonly run: 'downloader'; readonly settings: DownloaderSettings }
  /** The program starts, says why it cannot go on, and exits. */
  | { readonly run: 'exit'; readonly exitCode: number; readonly log: string }
  /** There is no such program. */
  | { readonly run: 'refuse'; readonly message: string }

export interface SidecarSettings {
  readonly port: number
  readonly engine: string
  readonly engineBaseUrl: string
  readonly engineMetricsPath: string
  readonly pod: string
  readonly model: string
  /** Of the metrics that it adds. */
  readonly metricPrefix: string
  readonly simulate: SimulateOptions
}

export interface DownloaderSettings {
  readonly source: string
  readonly outputDir: string
  readonly env: Readonly<Record<string, string>>
  readonly simulate: SimulateOptions
}

const knownPrograms =
  '`python3 -m vllm.entrypoints.openai.api_server …`, `vllm serve …`, a ray leader or worker script, the runtime sidecar and the downloader'

/** Finds the program behind a container's command and reads its arguments. Pure; never throws. */
export function parseCommand(container: ContainerCommand): Program {
  const program = programOf(container)
  if (program.run !== 'sidecar' || !/matrixinfer/.test(container.image)) return program
  return { ...program, settings: { ...program.settings, metricPrefix: earlierMetricPrefix } }
}

/** Of the sidecar that today's came from. */
const earlierMetricPrefix = 'matrixinfer:'

function programOf(container: ContainerCommand): Program {
  const { image, command, args, env } = container
  if (isAimContainer(container)) return aimProgram(container)
  const words = unwrap([...command, ...args])
  if (command.length === 0 && !isShell(words[0])) {
    const program = interpret(words, env)
    return program ?? byImage(image, words, env)
  }
  if (isShell(words[0])) return parseShell(words, env)
  return (
    interpret(words, env) ?? {
      run: 'refuse',
      message: `exec: "${words[0] ?? ''}": the simulator cannot run this; it knows ${knownPrograms}`,
    }
  )
}

function parseShell(words: readonly string[], env: Readonly<Record<string, string>>): Program {
  const flag = words.findIndex((word) => /^-[a-z]*c[a-z]*$/.test(word))
  const text = flag < 0 ? undefined : words[flag + 1]
  if (text === undefined) {
    return { run: 'refuse', message: `${words[0]}: the simulator needs a script after -c; it runs no files` }
  }
  const script = parseScript(text, env)
  for (const command of script.commands) {
    const program = interpret(unwrap(command), env)
    if (program !== undefined) return program
  }
  if (script.error !== undefined) return { run: 'exit', exitCode: 2, log: `${words[0]}: -c: ${script.error}` }
  return {
    run: 'refuse',
    message: `the simulator found nothing to run in the script of ${words[0]} -c; it knows ${knownPrograms}`,
  }
}

/** Takes off what only starts another program. */
function unwrap(words: readonly string[]): readonly string[] {
  let from = 0
  while (from < words.length) {
    const name = basename(words[from])
    if (name === 'exec' || name === 'nohup' || (isShell(name) && isFile(words[from + 1]))) from++
    else if (name === 'tini' || name === 'dumb-init') {
      from++
      while (words[from]?.startsWith('-') === true) from++
    } else if (name === 'env') {
      from++
      while (/^\w+=/.test(words[from] ?? '')) from++
    } else break
  }
  return words.slice(from)
}

function interpret(words: readonly string[], env: Readonly<Record<string, string>>): Program | undefined {
  const [first, second, ...rest] = words
  const name = basename(first)
  if (second === 'worker' && rest.some((word) => word.startsWith('--ray_address'))) return { run: 'follower' }
  if (name === 'ray' && second === 'start' && rest.some((word) => word.startsWith('--address'))) {
    return rest.includes('--block') ? { run: 'follower' } : undefined
  }
  if (name === 'vllm') return second === 'serve' ? engine(rest, env, 'vllm serve') : undefined
  if (/^python(3(\.\d+)?)?$/.test(name)) {
    const at = words.findIndex((word, i) => i > 0 && (word === '-m' || !word.startsWith('-')))
    const entry = words[at] === '-m' ? words[at + 1] : words[at]
    return entry === undefined ? undefined : module(entry, words.slice(words[at] === '-m' ? at + 2 : at + 1), env)
  }
  return name === '' || name.startsWith('-') ? undefined : sidecarOrDownloader(name, words.slice(1), env)
}

function module(entry: string, args: readonly string[], env: Readonly<Record<string, string>>): Program | undefined {
  if (/(^|[./])vllm[./].*api_server(\.py)?$|^api_server(\.py)?$/.test(entry)) return engine(args, env, 'api_server.py')
  if (entry === 'sglang.launch_server') return engine(args, env, 'launch_server.py', 30_000)
  return sidecarOrDownloader(entry, args, env)
}

function sidecarOrDownloader(
  name: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Program | undefined {
  if (/downloader/.test(name)) return downloader(args, env)
  if (/(^|[./])runtime([./]|$)|kthena-runtime/.test(name)) return sidecar(args, env)
  return undefined
}

/** The entry point of an image that is started without a command. */
function byImage(image: string, args: readonly string[], env: Readonly<Record<string, string>>): Program {
  const name =
    image
      .split('/')
      .at(-1)
      ?.replace(/[:@].*/, '') ?? ''
  return (
    sidecarOrDownloader(name, args, env) ??
    (/sglang/.test(image) ? engine(args, env, 'launch_server.py', 30_000) : engine(args, env, 'vllm serve'))
  )
}

function engine(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  program: string,
  defaultPort?: number,
): Program {
  const { settings, errors } = parseEngineFlags(args, env, defaultPort)
  return errors.length === 0 ? { run: 'engine', settings } : usage(program, errors)
}

function sidecar(args: readonly string[], env: Readonly<Record<string, string>>): Program {
  const flags = pairs(args)
  const { options, errors } = readSimulateOptions(env)
  const port = Number(flags.get('port') ?? runtimeSidecar.defaultPort)
  const name = (flags.get('engine') ?? 'vllm').toLowerCase()
  const baseUrl = flags.get('engine-base-url') ?? 'http://localhost:8000'
  const wrong = [...errors]
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    wrong.push(`argument --port: invalid int value: '${flags.get('port')}'`)
  }
  if (!['vllm', 'vllmdisaggregated', 'sglang'].includes(name)) {
    wrong.push(`argument --engine: invalid choice: '${name}' (choose from 'vllm', 'vllmdisaggregated', 'sglang')`)
  }
  if (!URL.canParse(baseUrl)) wrong.push(`argument --engine-base-url: '${baseUrl}' is no URL`)
  const absent = ['pod', 'model'].filter((flag) => !flags.has(flag))
  if (absent.length > 0) {
    wrong.push(`the following arguments are required: ${absent.map((flag) => `--${flag}`).join(', ')}`)
  }
  if (wrong.length > 0) return usage('runtime', wrong)
  const settings: SidecarSettings = {
    port,
    engine: name,
    engineBaseUrl: baseUrl,
    engineMetricsPath: flags.get('engine-metrics-path') ?? runtimeSidecar.metricsPath,
    pod: flags.get('pod') ?? '',
    model: flags.get('model') ?? '',
    metricPrefix: runtimeSidecar.metricPrefix,
    simulate: options,
  }
  return { run: 'sidecar', settings }
}

function downloader(args: readonly string[], env: Readonly<Record<string, string>>): Program {
  const flags = pairs(args)
  const { options, errors } = readSimulateOptions(env)
  const absent = ['source', 'output-dir'].filter((flag) => (flags.get(flag) ?? '') === '')
  const wrong = [...errors]
  if (absent.length > 0) {
    wrong.push(`the following arguments are required: ${absent.map((flag) => `--${flag}`).join(', ')}`)
  }
  if (wrong.length > 0) return usage('downloader', wrong)
  const settings: DownloaderSettings = {
    source: flags.get('source') ?? '',
    outputDir: flags.get('output-dir') ?? '',
    env,
    simulate: options,
  }
  return { run: 'downloader', settings }
}

/** As Python's argparse ends. */
function usage(program: string, errors: readonly string[]): Program {
  const lines = [`usage: ${program} [-h] [options]`, ...errors.map((error) => `${program}: error: ${error}`)]
  return { run: 'exit', exitCode: 2, log: lines.join('\n') }
}

function pairs(args: readonly string[]): Map<string, string> {
  const flags = new Map<string, string>()
  for (let at = 0; at < args.length; at++) {
    const match = /^--([^=]+)(?:=(.*))?$/s.exec(args[at] ?? '')
    if (match === null) continue
    const next = args[at + 1]
    const value = match[2] ?? (next === undefined || next.startsWith('--') ? '' : args[++at])
    flags.set((match[1] ?? '').replaceAll('_', '-'), value ?? '')
  }
  return flags
}

function isShell(word: string | undefined): boolean {
  return /^(ba|da|z|a)?sh$/.test(basename(word))
}

/** What a shell would read its commands from, where it is not told them by `-c`. */
function isFile(word: string | undefined): boolean {
  return word !== undefined && !word.startsWith('-')
}

function basename(word: string | undefined): string {
  return word?.split('/').at(-1) ?? ''
}
