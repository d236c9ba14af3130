import type { IncomingMessage } from 'node:http'

/** Resolves to the whole body, or why there is none. Never rejects. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | 'too-large' | 'gone'> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve('too-large')
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const onData = (chunk: Buffer) => {
      size += chunk.length
      if (size <= maxBytes) {
        chunks.push(chunk)
      } else {
        request.off('data', onData)
        resolve('too-large')
      }
    }
    request.on('data', onData)
    request.once('end', () =>
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)),
    )
    request.once('close', () => resolve('gone')) // after 'end' this changes nothing
    request.once('error', () => resolve('gone'))
  })
}
