import type { IncomingMessage } from 'node:http'
import type { ByteShare } from './byte-budget.ts'

export interface BodyLimits {
  readonly maxBytes: number
  /** What of the memory for bodies this one takes, as its bytes come; the caller frees it when the request is over. */
  readonly share: ByteShare
}

/** Resolves to the whole body, or why there is none. Never rejects. */
export function readBody(
  request: IncomingMessage,
  { maxBytes, share }: BodyLimits,
): Promise<Buffer | 'too-large' | 'no-room' | 'gone'> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve('too-large')
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const refuse = (why: 'too-large' | 'no-room') => {
      request.off('data', onData)
      chunks.length = 0
      share.free()
      resolve(why)
    }
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) refuse('too-large')
      else if (share.take(chunk.length)) chunks.push(chunk)
      else refuse('no-room')
    }
    request.on('data', onData)
    request.once('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    )
    request.once('close', () => resolve('gone')) // after 'end' this changes nothing
    request.once('error', () => resolve('gone'))
  })
}
