/** Bytes that many may hold together. */
export class ByteBudget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** What one of them holds, to be given back as a whole. */
  share(): ByteShare {
    let held = 0
    let isOver = false
    return {
      take: (bytes) => {
        if (isOver || bytes > this.#left) return false
        this.#left -= bytes
        held += bytes
        return true
      },
      free: () => {
        this.#left += held
        held = 0
        isOver = true
      },
    }
  }
}

export interface ByteShare {
  /** False, and nothing taken, where so much is not left. */
  take(bytes: number): boolean
  /** Gives all back, and takes nothing more. */
  free(): void
}
