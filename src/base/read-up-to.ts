/** The beginning of a stream, or of none: all of it, or a little more than `mostBytes`, after which it is let go of. */
export async function readUpTo(
  stream: AsyncIterable<Uint8Array> | null,
  mostBytes: number,
): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of stream ?? []) {
    chunks.push(chunk)
    length += chunk.byteLength
    if (length > mostBytes) break
  }
  return { bytes: Buffer.concat(chunks), isWhole: length <= mostBytes }
}
