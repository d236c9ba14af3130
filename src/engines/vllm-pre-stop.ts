import { vllm } from './vllm.ts'

/**
 * A preStop script that returns once the engine has no request running or waiting, looking every 5 s. It adds up
 * all series, for a data-parallel engine has one for each rank, and returns at once when the engine tells nothing.
 */
export function drainScript(port: number): string {
  const { requestsRunning, requestsWaiting } = vllm.metrics
  return `while :; do
  busy=$(curl -sf --max-time 2 http://localhost:${port}${vllm.metricsPath} |
    awk '/^(${requestsRunning}|${requestsWaiting})[{ ]/ { seen = 1; sum += $NF } END { if (seen) print sum }')
  case "$busy" in '' | 0) exit 0 ;; esac
  echo "preStop: $busy requests in flight" > /proc/1/fd/1
  sleep 5
done
`
}
