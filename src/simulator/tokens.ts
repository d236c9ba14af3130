/**
 * A tokeniser without a vocabulary: every token is up to four bytes of UTF-8, so that a text's length in tokens is about
 * what a real tokeniser gives for English, and detokenising returns the text exactly.
 */
const bytesPerToken = 4

/** First token id for each length of token, so that ids say how many bytes they stand for. */
const firstIds = [0, 0, 2 ** 8, 2 ** 8 + 2 ** 16, 2 ** 8 + 2 ** 16 + 2 ** 24]

export function tokenize(text: string): number[] {
  const bytes = Buffer.from(text)
  const tokens: number[] = []
  for (let at = 0; at < bytes.length; at += bytesPerToken) {
    const length = Math.min(bytesPerToken, bytes.length - at)
    tokens.push((firstIds[length] ?? 0) + bytes.readUIntBE(at, length))
  }
  return tokens
}

/** The text of tokens; ids that no text gives are left out. */
export function detokenize(tokens: readonly number[]): string {
  return Buffer.concat(
    tokens.flatMap((token) => {
      const length = [4, 3, 2, 1].find((size) => token >= (firstIds[size] ?? 0)) ?? 0
      const value = token - (firstIds[length] ?? 0)
      if (length === 0 || !Number.isInteger(value) || value >= 2 ** (8 * length)) return []
      const bytes = Buffer.alloc(length)
      bytes.writeUIntBE(value, 0, length)
      return [bytes]
    }),
  ).toString()
}

/** 32 bits of FNV-1a; `seed` chains calls. */
export function hashText(text: string, seed = 0x811c9dc5): number {
  let hash = seed
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

/** A seeded generator of numbers from 0 to below 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
