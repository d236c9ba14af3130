import type { IncomingMessage, ServerResponse } from 'node:http'
import { type Clock, sleep } from '#base/clock.ts'
import { messageOf } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import { runtimeSidecar, vllm } from '#engines/vllm.ts'
import type { SidecarSettings } from './command-line.ts'
import { downloadProblem } from './downloader.ts'
import {
  call,
  type HttpAnswer,
  listen,
  type Listening,
  metricsContentType,
  readJson,
  sendJson,
  sendText,
} from './http-exchange.ts'

export interface SidecarOptions {
  readonly settings: SidecarSettings
  readonly host: string
  /** 0 takes any free port; default the settings'. */
  readonly port?: number
  readonly clock: Clock
  /** Where the pod's port answers; undefined while nothing listens there. */
  readonly locate: (port: number) => { readonly host: string; readonly port: number } | undefined
  readonly env: Readonly<Record<string, string>>
}

export interface Sidecar extends Listening {
  /** The status that a GET of `path` would have, without the request. */
  probe(path: string): number
}

/** Engine metric → the sidecar's own name for it. */
const renamed: Readonly<Record<string, string>> = {
  [vllm.metrics.generationTokens]: 'generation_tokens_total',
  [vllm.metrics.requestsWaiting]: 'num_requests_waiting',
  [vllm.metrics.timeToFirstTokenSeconds]: 'time_to_first_token_seconds',
  [vllm.metrics.interTokenLatencySeconds]: 'time_per_output_token_seconds',
  [vllm.metrics.requestLatencySeconds]: 'e2e_request_latency_seconds',
}

const engineTimeoutMs = 30_000

/** Starts the `runtime` sidecar: health, the engine's metrics under both names, LoRA download and load. */
export async function startSidecar(options: SidecarOptions): Promise<Sidecar> {
  const { settings, host, port, clock, locate, env } = options
  const base = new URL(settings.engineBaseUrl)
  const enginePort = Number(base.port === '' ? 80 : base.port)
  const stopped = new AbortController()

  const engine = (path: string, json?: unknown): Promise<HttpAnswer> => {
    const local = ['localhost', '127.0.0.1', '[::1]'].includes(base.hostname)
    const place = local ? locate(enginePort) : { host: base.hostname, port: enginePort }
    if (place === undefined) return Promise.reject(new Error(`nothing listens on port ${enginePort} of this pod`))
    const method = json === undefined ? 'GET' : 'POST'
    return call({ ...place, path, method, json, timeoutMs: engineTimeoutMs })
  }

  const relay = async (response: ServerResponse, path: string, json: unknown): Promise<void> => {
    try {
      const answer = await engine(path, json)
      sendText(response, answer.status, answer.body)
    } catch (error) {
      sendJson(response, 503, { detail: `engine unreachable: ${messageOf(error)}` })
    }
  }

  const download = async (response: ServerResponse, body: Record<string, unknown>): Promise<boolean> => {
    const { source, output_dir: outputDir } = body
    if (typeof source !== 'string' || typeof outputDir !== 'string' || source === '' || outputDir === '') {
      sendJson(response, 422, { detail: 'source and output_dir are required' })
      return false
    }
    const problem = downloadProblem(source, env, settings.simulate)
    if (problem !== undefined) {
      sendJson(response, 500, { detail: problem })
      return false
    }
    await sleep(clock, settings.simulate['download-seconds'] * 1000, stopped.signal)
    return true
  }

  const load = async (response: ServerResponse, body: Record<string, unknown>): Promise<void> => {
    if (typeof body['lora_name'] !== 'string' || body['lora_name'] === '') {
      return sendJson(response, 422, { detail: 'lora_name is required' })
    }
    const adapter = { lora_name: body['lora_name'], lora_path: body['output_dir'] }
    if (body['async_download'] === true) {
      sendJson(response, 202, { status: 'accepted', lora_name: adapter.lora_name })
      await engine(vllm.loadLoraPath, adapter)
      return
    }
    if (await download(response, body)) await relay(response, vllm.loadLoraPath, adapter)
  }

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = (request.url ?? '/').replace(/\?.*/s, '')
    if (request.method === 'GET' && path === runtimeSidecar.healthPath) return sendJson(response, 200, { status: 'ok' })
    if (request.method === 'GET' && path === runtimeSidecar.metricsPath) {
      try {
        const { status, body } = await engine(settings.engineMetricsPath)
        return sendText(
          response,
          status,
          status === 200 ? body + copiedMetrics(body, settings.metricPrefix) : body,
          metricsContentType,
        )
      } catch (error) {
        return sendText(response, 503, `engine unreachable: ${messageOf(error)}\n`)
      }
    }
    if (request.method !== 'POST') return sendJson(response, 404, { detail: 'Not Found' })
    const body = await readJson(request)
    if (!isObject(body)) return sendJson(response, 422, { detail: 'the body must be a JSON object' })
    if (path === vllm.loadLoraPath) return load(response, body)
    if (path === vllm.unloadLoraPath) return relay(response, path, body)
    if (path === '/v1/download_model') {
      if (await download(response, body)) sendJson(response, 200, { status: 'success', source: body['source'] })
      return
    }
    sendJson(response, 404, { detail: 'Not Found' })
  }

  const listening = await listen(host, port ?? settings.port, (request, response) => {
    handle(request, response).catch(() => response.destroy()) // the client left, or we stop
  })
  return {
    port: listening.port,
    probe: (path) => (path === runtimeSidecar.healthPath ? 200 : 404),
    close() {
      stopped.abort()
      return listening.close()
    },
    kill() {
      stopped.abort()
      listening.kill()
    },
  }
}

/** The copies of an engine's metrics under the sidecar's prefix. */
export function copiedMetrics(text: string, prefix: string): string {
  const lines: string[] = []
  for (const line of text.split('\n')) {
    const match = /^(# (?:HELP|TYPE) )?([A-Za-z_:][\w:]*?)(_bucket|_sum|_count)?(?=[ {])/.exec(line)
    const name = match === null ? undefined : (renamed[match[2] ?? ''] ?? undefined)
    if (match === null || name === undefined) continue
    const copy = `${match[1] ?? ''}${prefix}${name}${match[3] ?? ''}`
    lines.push(copy + line.slice(match[0].length))
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}
