import { isObject } from '#base/json.ts'
import type { Client } from './client.ts'
import { faultOf } from './create-client.ts'

/** What the server says of itself at this path; `undefined` where there is nothing. */
export async function discover(
  client: Client,
  path: string,
  signal: AbortSignal,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const response = await client.raw(path, { signal, headers: { accept: 'application/json' } })
  if (response.ok) {
    const body: unknown = await response.json()
    return isObject(body) ? body : undefined
  }
  const fault = await faultOf(response)
  if (fault.kind === 'missing') return undefined
  throw fault
}
