/** A set of strings kept in order. Finding is by halving; adding and removing moves a block of pointers. */
export class SortedKeys {
  readonly #keys: string[] = []

  add(key: string): void {
    const at = this.#firstFrom(key)
    if (this.#keys[at] !== key) this.#keys.splice(at, 0, key)
  }

  delete(key: string): void {
    const at = this.#firstFrom(key)
    if (this.#keys[at] === key) this.#keys.splice(at, 1)
  }

  /** The keys that start with `prefix`. */
  range(prefix: string): readonly string[] {
    if (prefix === '') return this.#keys
    const from = this.#firstFrom(prefix)
    return this.#keys.slice(from, this.#firstFrom(`${prefix}\uffff`))
  }

  #firstFrom(key: string): number {
    let low = 0
    let high = this.#keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#keys[middle] ?? '') < key) low = middle + 1
      else high = middle
    }
    return low
  }
}
