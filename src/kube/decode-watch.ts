import { Fault, isFault, messageOf } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import type { WatchEvent } from '#machinery/watch-event.ts'

/**
 * The events of a watch response, one JSON object a line. Leaving the loop cancels the response; so does the signal,
 * whether or not the body heeds it by itself, and then this throws its reason.
 * Throws `unavailable` when the stream breaks, ends inside a line, or carries what is no event.
 */
export async function* decodeWatch<T>(response: Response, signal: AbortSignal): AsyncGenerator<WatchEvent<T>> {
  const reader = response.body?.getReader()
  if (reader === undefined) return
  const cancel = () => {
    reader.cancel().catch(() => {}) // a body that is broken already has nothing to cancel
  }
  signal.addEventListener('abort', cancel, { once: true })
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for (;;) {
      signal.throwIfAborted()
      const { done, value } = await reader.read()
      signal.throwIfAborted()
      const lines = (rest + decoder.decode(value, { stream: !done })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim() !== '') yield event<T>(line)
      if (done) break
    }
    if (rest.trim() !== '') throw broken('it ended inside an event')
  } catch (cause) {
    if (isFault(cause) || signal.aborted) throw cause
    throw broken(messageOf(cause), cause)
  } finally {
    signal.removeEventListener('abort', cancel)
    cancel()
  }
}

function event<T>(line: string): WatchEvent<T> {
  let decoded: unknown
  try {
    decoded = JSON.parse(line)
  } catch (cause) {
    throw broken('an event is not JSON', cause)
  }
  if (!isObject(decoded) || typeof decoded['type'] !== 'string' || !isObject(decoded['object'])) {
    throw broken('a line is not an event')
  }
  return decoded as unknown as WatchEvent<T>
}

function broken(why: string, cause?: unknown): Fault {
  return new Fault('unavailable', 'WatchBroken', `the watch broke off: ${why}`, { cause })
}
