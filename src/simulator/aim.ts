/** An AIM image, which brings its engine and its model: asked dry it prints its profile, else it serves. */
import type { ContainerCommand, Program } from './command-line.ts'
import { parseEngineFlags } from './engine-flags.ts'
import { readSimulateOptions } from './simulate-options.ts'

/** Such an image is started as it is, and told what to do by its environment. */
export function isAimContainer({ command, env }: ContainerCommand): boolean {
  return command.length === 0 && Object.keys(env).some((name) => name.startsWith('AIM_'))
}

export function aimProgram({ image, args, env }: ContainerCommand): Program {
  const { options, errors } = readSimulateOptions(env)
  if (errors.length > 0) return { run: 'exit', exitCode: 2, log: errors.join('\n') }
  if (args[0] !== 'dry-run') return engine({ image, args, env })
  switch (options['fail-dry-run']) {
    case 0:
      return { run: 'exit', exitCode: 0, log: JSON.stringify([dryRun(image, env)]) }
    case 2:
      return { run: 'exit', exitCode: 0, log: 'hello' }
    case 3:
      return { run: 'exit', exitCode: 1, log: gatedRepository(env) }
    default:
      return { run: 'exit', exitCode: 1, log: 'ERROR: simulated failure of the dry run' }
  }
}

function engine({ image, args, env }: Pick<ContainerCommand, 'image' | 'args' | 'env'>): Program {
  const { settings, errors } = parseEngineFlags(args, env)
  if (errors.length > 0) return { run: 'exit', exitCode: 2, log: errors.join('\n') }
  const name = env['AIM_MODEL_ID'] ?? nameOf(image)
  return { run: 'engine', settings: { ...settings, servedNames: [name], modelRoot: name, anyName: true } }
}

/** As the download tool of the hub ends where the account was not let in. */
function gatedRepository(env: Readonly<Record<string, string>>): string {
  const url = `https://huggingface.co/${env['AIM_MODEL_ID'] ?? 'gated/model'}/resolve/main/config.json`
  return `huggingface_hub.errors.GatedRepoError: 403 Client Error.\nCannot access gated repo for url ${url}.`
}

/** What was asked for, as if the image had a profile for it. */
function dryRun(image: string, env: Readonly<Record<string, string>>): unknown {
  const { AIM_METRIC: metric = 'latency', AIM_PRECISION: precision = 'fp16', AIM_GPU_MODEL: gpu = 'MI300X' } = env
  const count = Number(env['AIM_GPU_COUNT'] ?? 1)
  const id = env['AIM_PROFILE_ID'] ?? `vllm-${gpu}-${precision}-tp${count}-${metric}`.toLowerCase()
  return {
    filename: `${id}.yaml`,
    profile: {
      model: env['AIM_MODEL_ID'] ?? nameOf(image),
      metadata: { engine: 'vllm', gpu, precision, gpu_count: count, metric, type: 'optimized' },
      engine_args: { 'tensor-parallel-size': count },
      env_vars: {},
    },
    models: [],
  }
}

function nameOf(image: string): string {
  const last = image.split('/').at(-1) ?? image
  return last.replace(/[:@].*$/, '')
}
