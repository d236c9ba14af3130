import { hashText } from './tokens.ts'

/** Tokens in a block, as vLLM's default. */
export const blockTokens = 16

/**
 * What an engine remembers of prompts it has seen: hashes of whole blocks, each chained to the blocks before it, the
 * least recently used going first.
 */
export class PrefixCache {
  readonly #capacity: number
  readonly #blocks = new Set<number>() // in order of use

  constructor(capacityBlocks: number) {
    this.#capacity = capacityBlocks
  }

  /**
   * Tokens at the start of the prompt that need no work; from now on all whole blocks of it are known.
   * At least one token is always computed, as the engine needs its output.
   */
  use(model: string, tokens: readonly number[]): number {
    const hashes = blockHashes(model, tokens)
    let known = hashes.findIndex((hash) => !this.#blocks.has(hash))
    if (known < 0) known = hashes.length
    // Later blocks first: of a prompt that falls out of the cache, the start stays longest.
    for (const hash of hashes.toReversed()) {
      this.#blocks.delete(hash)
      this.#blocks.add(hash)
    }
    for (const hash of this.#blocks) {
      if (this.#blocks.size <= this.#capacity) break
      this.#blocks.delete(hash)
    }
    return Math.min(known, Math.floor((tokens.length - 1) / blockTokens)) * blockTokens
  }
}

function blockHashes(model: string, tokens: readonly number[]): number[] {
  const hashes: number[] = []
  let low = hashText(model)
  let high = ~low
  for (let start = 0; start + blockTokens <= tokens.length; start += blockTokens) {
    for (let i = start; i < start + blockTokens; i++) {
      const token = tokens[i] ?? 0
      low = Math.imul(low ^ (token | 0), 0x01000193)
      high = Math.imul(high ^ (token | 0) ^ (high >>> 13), 0x5bd1e995)
    }
    hashes.push((low >>> 0) + ((high >>> 0) % 2 ** 20) * 2 ** 32)
  }
  return hashes
}
