/**
 * What a simulated container may be told beyond what the real one understands: how slow it is and what goes wrong.
 * Each is a flag `--simulate-NAME VALUE` of the engine, an environment variable `FAIRLEAD_SIMULATE_NAME` or, on a pod,
 * an annotation `simulate.fairlead.dev/NAME`; the flag wins.
 */
export const simulateDefaults = {
  /** Seconds until the engine opens its port, as if it were loading weights. */
  'start-seconds': 0,
  /** Base of the time to first token; tokens of the prompt that are not cached come on top. */
  'ttft-ms': 30,
  'prefill-ms-per-token': 0.05,
  'inter-token-ms': 10,
  /** Latencies vary by up to this part of themselves, from a seeded generator. */
  'jitter-ratio': 0.1,
  /** Size of the KV cache in blocks of 16 tokens. */
  'kv-blocks': 4096,
  /** Length of an answer that nothing cuts; 0 leaves it to the prompt. */
  'answer-tokens': 0,
  /** Exit this long after the start; 0 is never. */
  'crash-after-seconds': 0,
  'exit-code': 1,
  /** 1 makes `/health` answer 503. */
  'fail-health': 0,
  /** Part of the requests that end with a 500, from 0 to 1. */
  'fail-requests-ratio': 0,
  'download-seconds': 0.02,
  /** 1 makes a download fail. */
  'fail-download': 0,
  /** Of an AIM image that is asked for its profile: 1 makes that fail, 2 makes it print something else, 3 names a gated repository. */
  'fail-dry-run': 0,
} as const

export type SimulateName = keyof typeof simulateDefaults
export type SimulateOptions = Readonly<Record<SimulateName, number>>

export const simulateAnnotationPrefix = 'simulate.fairlead.dev/'
export const simulateFlagPrefix = 'simulate-'

const names = Object.keys(simulateDefaults) as SimulateName[]

/** The environment variable that carries an option. */
export function simulateVariable(name: string): string {
  return `FAIRLEAD_SIMULATE_${name.toUpperCase().replaceAll('-', '_')}`
}

/** Options from the environment and the flags (without their prefix); `errors` has one line for each bad value. */
export function readSimulateOptions(
  env: Readonly<Record<string, string>>,
  flags: ReadonlyMap<string, string> = new Map(),
): { readonly options: SimulateOptions; readonly errors: readonly string[] } {
  const options: Record<SimulateName, number> = { ...simulateDefaults }
  const errors: string[] = []
  for (const name of names) {
    const text = flags.get(name) ?? env[simulateVariable(name)]
    if (text === undefined) continue
    const value = text === '' || text === 'true' ? 1 : text === 'false' ? 0 : Number(text)
    if (Number.isFinite(value) && value >= 0) options[name] = value
    else errors.push(`argument --simulate-${name}: '${text}' is no number from 0 up`)
  }
  for (const name of flags.keys()) {
    if (!names.includes(name as SimulateName)) {
      errors.push(`unrecognized arguments: --simulate-${name} (known: ${names.join(', ')})`)
    }
  }
  return { options, errors }
}
