/**
 * What we know of vLLM's server: ports, paths and metric names.
 * Source: vLLM's OpenAI-compatible server and its Prometheus metrics (V1 engine).
 */
export const vllm = {
  defaultPort: 8000,
  healthPath: '/health',
  metricsPath: '/metrics',
  loadLoraPath: '/v1/load_lora_adapter',
  unloadLoraPath: '/v1/unload_lora_adapter',
  metrics: {
    requestsRunning: 'vllm:num_requests_running',
    requestsWaiting: 'vllm:num_requests_waiting',
    kvCacheUsageRatio: 'vllm:kv_cache_usage_perc',
    prefixCacheQueries: 'vllm:prefix_cache_queries_total',
    prefixCacheHits: 'vllm:prefix_cache_hits_total',
    promptTokens: 'vllm:prompt_tokens_total',
    generationTokens: 'vllm:generation_tokens_total',
    timeToFirstTokenSeconds: 'vllm:time_to_first_token_seconds',
    interTokenLatencySeconds: 'vllm:inter_token_latency_seconds',
    requestLatencySeconds: 'vllm:e2e_request_latency_seconds',
  },
  /** Gauges from 0 to 1, the older name of one too: several of them don't add up. */
  ratioMetrics: ['vllm:kv_cache_usage_perc', 'vllm:gpu_cache_usage_perc'],
} as const

/** The sidecar beside an engine: engine-independent metrics, LoRA download and load. */
export const runtimeSidecar = {
  defaultPort: 8100,
  healthPath: '/health',
  metricsPath: '/metrics',
  /** Metrics it adds under its own prefix, from the engine's. */
  metricPrefix: 'kthena:',
} as const
