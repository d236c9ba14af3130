import { z } from 'zod'

/** What an operator may set; `startRouter` takes it parsed. */
export const RouterConfig = z.object({
  host: z.string().default('127.0.0.1').describe('Address of the listener for clients.'),
  port: z.int().min(0).max(65_535).default(8080).describe('Port of the listener for clients; 0 takes any free one.'),
  metricsHost: z.string().default('127.0.0.1').describe('Address of the listener for metrics and the endpoint list.'),
  metricsPort: z.int().min(0).max(65_535).default(9090).describe('Its port; 0 takes any free one.'),
  exposeMetricsOnRouterPort: z.boolean().default(false).describe('Serve /metrics to clients too.'),
  processMetrics: z.boolean().default(true).describe('Add memory, CPU and event-loop metrics of the process itself.'),
  accessLog: z.enum(['json', 'text', 'off']).default('text').describe('Form of the line written for each request.'),
  drainMs: z
    .int()
    .min(0)
    .default(300_000)
    .describe('How long running answers may go on after a shutdown was asked for.'),
  maxBodyBytes: z
    .int()
    .min(1)
    .default(32 << 20)
    .describe('Longest request body.'),
  headersTimeoutMs: z.int().min(1).default(10_000).describe('Longest time a client may take to send its headers.'),
  requestTimeoutMs: z
    .int()
    .min(1)
    .default(60_000)
    .describe('Longest time a client may take to send its whole request.'),
  connectTimeoutMs: z.int().min(1).default(3000).describe('Longest time a connection to a pod may take to stand.'),
  streamIdleTimeoutMs: z
    .int()
    .min(0)
    .default(300_000)
    .describe('Longest silence of a pod within an answer; 0 waits for ever.'),
})
export type RouterConfig = z.output<typeof RouterConfig>
export type RouterConfigInput = z.input<typeof RouterConfig>
