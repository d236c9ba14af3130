import { matchesWildcard } from '#base/wildcard.ts'

/** Which runtime runs which image; the first entry that matches wins. */
export interface RuntimesConfig {
  readonly runtimes: readonly RuntimeEntry[]
}

export type RuntimeEntry = SimulatedEntry | ProcessEntry

interface SimulatedEntry {
  /** Image name as in the pod, `*` standing for any characters. */
  readonly image: string
  /** Only in pods that carry this label. */
  readonly label?: string | undefined
  readonly runtime: 'simulated'
}

export interface ProcessEntry {
  /** As of the other entries. */
  readonly image: string
  readonly runtime: 'process'
  /** Replaces the container's command and arguments; `$(POD_IP)` and the container's variables expand. */
  readonly command?: readonly string[] | undefined
  /** Variables beside the container's own, which win. */
  readonly env: Readonly<Record<string, string>>
  /** Working directory; else the container's, else the pod's own. */
  readonly cwd?: string | undefined
  /** Mount path in the container → directory on this machine that stands for it. */
  readonly volumes: Readonly<Record<string, string>>
}

const engineImages = ['*vllm*', '*sglang*', '*lmcache*']
const helperImages = [
  '*/runtime',
  '*/downloader',
  '*kthena-runtime',
  '*kthena-downloader',
  '*kthena/*',
  '*matrixinfer*',
]

/** Images of the AIM catalog go by any name: their pods are known by what they serve or are asked. */
const catalogLabels = ['aim.eai.amd.com/service', 'aim.eai.amd.com/template']

/** Engines and the images around them are simulated; nothing else runs. */
export const defaultRuntimes: RuntimesConfig = {
  runtimes: [
    ...[...engineImages, ...helperImages].map((image) => ({ image, runtime: 'simulated' as const })),
    ...catalogLabels.map((label) => ({ image: '*', label, runtime: 'simulated' as const })),
  ],
}

/** The first entry whose pattern fits the image, with or without its tag and digest, and whose label the pod has. */
export function runtimeOf(
  image: string,
  { runtimes }: RuntimesConfig,
  labels: Readonly<Record<string, string>> = {},
): RuntimeEntry | undefined {
  const repository = image.replace(/@.*$/, '').replace(/:[^/:]*$/, '')
  return runtimes.find(
    (entry) =>
      (matchesWildcard(entry.image, image) || matchesWildcard(entry.image, repository)) &&
      (entry.runtime !== 'simulated' || entry.label === undefined || Object.hasOwn(labels, entry.label)),
  )
}

/** Why no entry fits, and what to write. */
export function noRuntimeMessage(image: string, { runtimes }: RuntimesConfig): string {
  const known = [...Map.groupBy(runtimes, ({ runtime }) => runtime)]
    .map(([runtime, entries]) => `${runtime}: ${entries.map(nameOf).join(', ')}`)
    .join('; ')
  return `no runtime for image "${image}" on this machine; correct the image, or add {"image": "${image}", "runtime": "simulated"} or one of runtime "process" to the file of --runtimes (known: ${known || 'none'})`
}

function nameOf(entry: RuntimeEntry): string {
  return entry.runtime === 'simulated' && entry.label !== undefined ? `pods labelled ${entry.label}` : entry.image
}
