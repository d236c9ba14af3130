import { z } from 'zod'
import type { RuntimesConfig } from '#embedded/node/runtimes-config.ts'
import { configIn } from './config-file.ts'

const ProcessEntry = z.strictObject({
  image: z.string().min(1),
  runtime: z.literal('process'),
  command: z.array(z.string()).min(1).optional(),
  env: z.record(z.string(), z.string()).default({}),
  cwd: z.string().optional(),
  volumes: z.record(z.string(), z.string()).default({}),
})

const SimulatedEntry = z.strictObject({
  image: z.string().min(1),
  label: z.string().min(1).optional(),
  runtime: z.literal('simulated'),
})

const RuntimesFile = z.strictObject({
  runtimes: z.array(z.discriminatedUnion('runtime', [SimulatedEntry, ProcessEntry])),
})

/** What a file for `--runtimes` says. */
export function runtimesIn(file: string): RuntimesConfig {
  return configIn(file, RuntimesFile, 'InvalidRuntimes')
}
