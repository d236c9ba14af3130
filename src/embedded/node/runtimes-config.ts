import { z } from 'zod'
import { Fault } from '#base/fault.ts'
import { matchesWildcard } from '#base/wildcard.ts'

const ProcessEntry = z.strictObject({
  image: z.string().min(1).describe('Image name as in the pod, `*` standing for any characters.'),
  runtime: z.literal('process'),
  command: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("Replaces the container's command and arguments; `$(POD_IP)` and the container's variables expand."),
  env: z.record(z.string(), z.string()).default({}).describe("Variables beside the container's own, which win."),
  cwd: z.string().optional().describe("Working directory; else the container's, else the pod's own."),
  volumes: z
    .record(z.string(), z.string())
    .default({})
    .describe('Mount path in the container → directory on this machine that stands for it.'),
})
const SimulatedEntry = z.strictObject({
  image: z.string().min(1),
  label: z.string().min(1).optional().describe('Only in pods that carry this label.'),
  runtime: z.literal('simulated'),
})

/** Which runtime runs which image; the first entry that matches wins. */
export const RuntimesConfig = z.strictObject({
  runtimes: z.array(z.discriminatedUnion('runtime', [SimulatedEntry, ProcessEntry])),
})
export type RuntimesConfig = z.output<typeof RuntimesConfig>
export type RuntimeEntry = RuntimesConfig['runtimes'][number]
export type ProcessEntry = z.output<typeof ProcessEntry>

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

/** Decodes the content of a runtimes file. Throws a Fault of kind `invalid` that names the file and all that is wrong, with paths. */
export function parseRuntimes(content: unknown, file = 'runtimes'): RuntimesConfig {
  const parsed = RuntimesConfig.safeParse(content)
  if (parsed.success) return parsed.data
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'file'}: ${message}`)
  throw new Fault('invalid', 'InvalidRuntimes', `${file}: ${wrong.join('; ')}`)
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
