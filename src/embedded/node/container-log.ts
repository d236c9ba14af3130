/** What one run of a container has said, the newest lines up to a bound; followers hear the rest as it comes. */
export class ContainerLog {
  static readonly #limitBytes = 256 * 1024
  #lines: LogLine[] = []
  #bytes = 0
  #ended = false
  readonly #followers = new Set<LogFollower>()

  append(line: string, nowMs: number): void {
    const entry: LogLine = { atMs: nowMs, text: line.length > 16_384 ? `${line.slice(0, 16_384)}…` : line }
    this.#lines.push(entry)
    this.#bytes += entry.text.length + 32
    // Half goes at once, so that a talkative container does not move the array at every line.
    if (this.#bytes > ContainerLog.#limitBytes) {
      this.#lines = this.#lines.slice(Math.ceil(this.#lines.length / 2))
      this.#bytes = this.#lines.reduce((sum, { text }) => sum + text.length + 32, 0)
    }
    for (const follower of this.#followers) follower.line(entry)
  }

  end(): void {
    this.#ended = true
    for (const follower of this.#followers) follower.end()
    this.#followers.clear()
  }

  get lines(): readonly LogLine[] {
    return this.#lines
  }

  /** Returns the way to stop. A log that has ended calls `end` at once. */
  follow(follower: LogFollower): () => void {
    if (this.#ended) follower.end()
    else this.#followers.add(follower)
    return () => void this.#followers.delete(follower)
  }
}

export interface LogLine {
  readonly atMs: number
  readonly text: string
}

export interface LogFollower {
  line(line: LogLine): void
  end(): void
}
