import type { Clock } from '#base/clock.ts'
import { Fault, isFault, messageOf } from '#base/fault.ts'
import { readUpTo } from '#base/read-up-to.ts'
import type { Fetch } from '#machinery/http.ts'

export interface TextRequest {
  readonly fetch: Fetch
  readonly clock: Clock
  readonly url: string
  readonly accept: string
  /** From the request to the last byte of the answer. */
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** No engine says more about itself; a page that does is something else. */
const mostBytes = 8 << 20

/**
 * The body of a GET. Faults: `unavailable` for no answer in time, a status other than 2xx, a web page (a proxy's, a login)
 * or too long an answer.
 */
export async function fetchText({ fetch, clock, url, accept, timeoutMs, signal }: TextRequest): Promise<string> {
  signal.throwIfAborted()
  const own = new AbortController()
  const abort = () => own.abort(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  const late = new Fault('unavailable', 'Timeout', `no whole answer within ${timeoutMs / 1000} s`)
  const timer = clock.after(timeoutMs, () => own.abort(late))
  try {
    const response = await fetch(new Request(url, { headers: { accept }, signal: own.signal }))
    return await checkedText(response)
  } catch (error) {
    own.signal.throwIfAborted()
    if (isFault(error)) throw error
    throw new Fault('unavailable', 'BrokenOff', `the answer broke off: ${messageOf(error)}`, { cause: error })
  } finally {
    timer.cancel()
    signal.removeEventListener('abort', abort)
  }
}

async function checkedText(response: Response): Promise<string> {
  const type = response.headers.get('content-type') ?? ''
  if (!response.ok || type.includes('html')) {
    await response.body?.cancel()
    const what = response.ok ? 'a web page instead of numbers' : `status ${response.status}`
    throw new Fault('unavailable', 'BadAnswer', what)
  }
  const { bytes, isWhole } = await readUpTo(response.body, mostBytes)
  if (!isWhole) throw new Fault('unavailable', 'BadAnswer', `more than ${mostBytes >> 20} MiB`)
  const text = bytes.toString()
  if (text.trimStart().startsWith('<')) throw new Fault('unavailable', 'BadAnswer', 'a web page instead of numbers')
  return text
}
