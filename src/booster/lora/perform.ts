/** The calls to an engine's sidecar, and the note on the pod of what came of them. */
import { Fault, messageOf } from '#base/fault.ts'
import { readUpTo } from '#base/read-up-to.ts'
import type { Pod } from '#api/core/kinds.ts'
import { loraAnnotations } from '#api/labels.ts'
import type { CallStep, Perform, PodCall } from '#controller/domain.ts'
import { podAddress } from '#kube/pod-address.ts'
import type { Fetch } from '#machinery/http.ts'
import { type Loaded, loadedIn } from './adapters.ts'
import { wordOf } from './domain.ts'

/** An adapter is downloaded first. */
const callTimeoutMs = 5 * 60_000
/** Of an answer; a pod is its tenant's to program, and may never end one. */
const mostBytes = 64 << 10
const mostWords = 300

/**
 * All calls in their order; one that fails stops none but those for the same adapter. What then is in the engine is
 * written on the pod, failures included, so that what is left to do shows from outside. Throws `unavailable`.
 */
export function adapterCalls(fetch: Fetch): Perform {
  return async (step: CallStep, { live, record, signal }) => {
    const pod = live as Pod // of the kind that the step names
    const before = loadedIn(pod)
    const adapters = { ...before.adapters }
    const failed: Record<string, string> = {}
    for (const call of step.calls) {
      const name = String(call.body['lora_name'])
      if (failed[name] !== undefined) continue
      const problem = await problemOf(fetch, pod, call, signal)
      if (problem !== undefined) failed[name] = sameAs(before.failed[name], problem)
      else if (wordOf(call.path) === 'load') adapters[name] = String(call.body['source'])
      else delete adapters[name]
    }
    await note(pod, { restarts: before.restarts, adapters, failed }, record)
    const [first] = Object.values(failed)
    if (first !== undefined) throw new Fault('unavailable', 'AdapterCallFailed', `pod ${step.ref.name}: ${first}`)
  }
}

/** What went wrong, in words for the user; `undefined` when the engine is as the call wants it. */
async function problemOf(fetch: Fetch, pod: Pod, call: PodCall, signal: AbortSignal): Promise<string | undefined> {
  const what = `${wordOf(call.path)} ${String(call.body['lora_name'])}`
  const address = podAddress(pod, call.port)
  if (address === undefined) return `${what}: port ${call.port} of the pod has no address`
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  try {
    const response = await fetch(
      new Request(`http://${host}:${address.port}${call.path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(call.body),
        signal: AbortSignal.any([signal, AbortSignal.timeout(callTimeoutMs)]),
      }),
    )
    const { bytes } = await readUpTo(response.body, mostBytes)
    const text = bytes.toString()
    if (response.ok || isSoAlready(call, response.status, text)) return undefined
    return `${what}: ${response.status} ${text.slice(0, mostWords)}`
  } catch (error) {
    signal.throwIfAborted()
    return `${what}: ${messageOf(error)}`
  }
}

/** The words of before where only their end differs: each new note would wake the pod, before it is time to try again. */
function sameAs(former: string | undefined, problem: string): string {
  const beginning = (text: string) => text.split(' ', 3).join(' ')
  return former !== undefined && beginning(former) === beginning(problem) ? former : problem
}

/** An engine that has forgotten, or was told by somebody who ended before writing it down. */
function isSoAlready({ path }: PodCall, status: number, text: string): boolean {
  return wordOf(path) === 'unload' ? status === 404 : status === 400 && text.includes('already been loaded')
}

async function note({ metadata }: Pod, loaded: Loaded, record: Parameters<Perform>[1]['record']): Promise<void> {
  const value = JSON.stringify(loaded)
  if (metadata.annotations?.[loraAnnotations.loaded] === value) return
  const path = `/metadata/annotations/${loraAnnotations.loaded.replaceAll('/', '~1')}`
  await record([{ op: 'add', path, value }])
}
