import { Fault, isFault, messageOf } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import type { WatchEvent } from '#machinery/watch-event.ts'

/**
 * The events of a watch response, one JSON object a line. Leaving the loop cancels the response.
 * Throws `unavailable` when the stream breaks, ends inside a line, or carries what is no event.
 */
export async function* decodeWatch<T>(response: Response): AsyncGenerator<WatchEvent<T>> {
  if (response.body === null) return
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of response.body) {
      const lines = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (line.trim() !== '') yield event<T>(line)
    }
  } catch (cause) {
    if (isFault(cause) || (cause instanceof Error && cause.name === 'AbortError')) throw cause
    throw broken(messageOf(cause), cause)
  }
  rest += decoder.decode()
  if (rest.trim() !== '') throw broken('it ended inside an event')
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
