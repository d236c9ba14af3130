/** What an operator may set. */
export interface RouterConfig {
  /** Address of the listener for clients. */
  readonly host: string
  /** Port of the listener for clients; 0 takes any free one. */
  readonly port: number
  /** Address of the listener for metrics and the endpoint list. */
  readonly metricsHost: string
  /** Its port; 0 takes any free one. */
  readonly metricsPort: number
  /** Serve /metrics to clients too. */
  readonly exposeMetricsOnRouterPort: boolean
  /** Add memory, CPU and event-loop metrics of the process itself. */
  readonly processMetrics: boolean
  /** Form of the line written for each request. */
  readonly accessLog: 'json' | 'text' | 'off'
  /** How long running answers may go on after a shutdown was asked for. */
  readonly drainMs: number
  /** Longest request body. */
  readonly maxBodyBytes: number
  /** Request bodies in memory, together: those that are read and those of requests under way. */
  readonly maxBodiesBytes: number
  /** Longest time a client may take to send its headers. */
  readonly headersTimeoutMs: number
  /** Longest time a client may take to send its whole request. */
  readonly requestTimeoutMs: number
  /** Longest time a connection to a pod may take to stand. */
  readonly connectTimeoutMs: number
  /** Longest silence of a pod within an answer, and longest that a client may leave one unread; 0 waits for ever. */
  readonly streamIdleTimeoutMs: number
}

export const defaultConfig: RouterConfig = {
  host: '127.0.0.1',
  port: 8080,
  metricsHost: '127.0.0.1',
  metricsPort: 9090,
  exposeMetricsOnRouterPort: false,
  processMetrics: true,
  accessLog: 'text',
  drainMs: 300_000,
  maxBodyBytes: 32 << 20,
  maxBodiesBytes: 256 << 20,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  connectTimeoutMs: 3000,
  streamIdleTimeoutMs: 300_000,
}
