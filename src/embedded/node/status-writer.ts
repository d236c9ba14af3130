import type { Clock, Timer } from '#base/clock.ts'
import { isFault, messageOf } from '#base/fault.ts'
import { equalJson } from '#base/json.ts'
import type { Log } from '#base/log.ts'
import { Pod } from '#api/core/kinds.ts'
import type { PodStatus } from '#api/core/types.generated.ts'
import type { Client } from '#kube/client.ts'
import type { Place } from '#machinery/meta.ts'

export interface StatusWriterOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly place: Place
  readonly uid: string
  /** The status as it is now, built at the time of writing. */
  readonly current: () => PodStatus
}

/** Changes this close together are one write: a pod's containers start within it. */
const mergeMs = 10
const retryMs = 500

/** Writes a pod's status when it differs from what was written last, one write at a time. */
export class StatusWriter {
  readonly #options: StatusWriterOptions
  #timer: Timer | undefined
  #writing: Promise<void> | undefined
  #written: PodStatus | undefined
  #dirty = false
  #closed = false

  constructor(options: StatusWriterOptions) {
    this.#options = options
  }

  changed(): void {
    this.#dirty = true
    this.#schedule(mergeMs)
  }

  /** Nothing is written any more; resolves when a write under way is done. */
  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    await this.#writing
  }

  #schedule(delayMs: number): void {
    if (this.#closed || this.#timer !== undefined || this.#writing !== undefined) return
    this.#timer = this.#options.clock.after(delayMs, () => {
      this.#timer = undefined
      this.#writing = this.#write().then((retry) => {
        this.#writing = undefined
        if (this.#dirty) this.#schedule(retry ? retryMs : mergeMs)
      })
    })
  }

  /** True when it should be tried again later. */
  async #write(): Promise<boolean> {
    const { client, place, uid, log, current } = this.#options
    this.#dirty = false
    const status = current()
    if (equalJson(status, this.#written)) return false
    try {
      const patch = { metadata: { uid }, status: status as Record<string, unknown> }
      await client.patch(Pod, place, { type: 'strategic', patch }, { subresource: 'status' })
      this.#written = status
      return false
    } catch (error) {
      if (isFault(error, 'missing') || isFault(error, 'conflict')) return false // gone, or another pod of this name
      log.warn('pod status not written', { pod: place, error: messageOf(error) })
      this.#dirty = true
      return true
    }
  }
}
