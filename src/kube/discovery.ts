import { Fault, isFault } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import type { Client } from './client.ts'

/** What the server says of itself at this path; `undefined` where there is nothing. */
export async function discover(
  client: Client,
  path: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const response = await client.raw(path, { signal, headers: { accept: 'application/json' } })
    if (response.ok) {
      const body: unknown = await response.json()
      return isObject(body) ? body : undefined
    }
    await response.body?.cancel()
    if (response.status === 404) return undefined
    throw new Fault('unavailable', 'DiscoveryFailed', `GET ${path}: ${response.status}`)
  } catch (error) {
    if (isFault(error, 'missing')) return undefined
    throw error
  }
}
