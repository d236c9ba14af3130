import { Scale } from '#api/core/kinds.ts'
import type { Clock } from '#base/clock.ts'
import { isFault } from '#base/fault.ts'
import { isObject } from '#base/json.ts'
import type { Client } from '#kube/client.ts'
import { discover } from '#kube/discovery.ts'
import type { Kind, Ref } from '#machinery/kind.ts'
import type { MemberProblem } from './members.ts'
import type { ScaleRef } from './scaling-target.ts'

/** What the scale subresource of an object says. */
export interface ScaleState {
  readonly ref: Ref
  readonly replicas: number
  /** Of its pods. */
  readonly selector: string | undefined
}

/** Kinds change seldom; one that gains the subresource is seen after this. */
const discoveryMs = 10 * 60_000

/** Reads the scale of objects of any kind, as discovery says that there is one. Not watched: read when it is asked for. */
export class ScaleReader {
  readonly #client: Client
  readonly #clock: Clock
  readonly #kinds = new Map<string, { readonly atMs: number; readonly kind: Kind<Scale> | undefined }>()

  constructor(client: Client, clock: Clock) {
    this.#client = client
    this.#clock = clock
  }

  async read(target: ScaleRef, namespace: string, signal: AbortSignal): Promise<ScaleState | MemberProblem> {
    const { kind: kindName, name } = target
    const kind = await this.#kindOf(target, signal)
    if (kind === undefined) {
      const message = `${kindName} of ${target.apiVersion} is not there, or has no scale subresource`
      return { reason: 'NotScalable', message }
    }
    try {
      const { spec, status } = await this.#client.get(kind, { namespace, name }, { subresource: 'scale', signal })
      return { ref: { kind, namespace, name }, replicas: spec?.replicas ?? 0, selector: status?.selector }
    } catch (error) {
      if (isFault(error, 'missing'))
        return { reason: 'TargetNotFound', message: `there is no ${kindName} ${name} in ${namespace}` }
      if (!isFault(error, 'denied')) throw error
      const right = `get and patch ${kind.plural}/scale`
      return { reason: 'TargetForbidden', message: `the autoscaler needs the right to ${right}: ${error.message}` }
    }
  }

  async #kindOf({ apiVersion, kind: name }: ScaleRef, signal: AbortSignal): Promise<Kind<Scale> | undefined> {
    const id = `${apiVersion} ${name}`
    const nowMs = this.#clock.now()
    const known = this.#kinds.get(id)
    if (known !== undefined && nowMs - known.atMs < discoveryMs) return known.kind
    const kind = await this.#discover(apiVersion, name, signal)
    this.#kinds.set(id, { atMs: nowMs, kind })
    return kind
  }

  async #discover(apiVersion: string, name: string, signal: AbortSignal): Promise<Kind<Scale> | undefined> {
    const [version = '', group = ''] = apiVersion.split('/').reverse()
    const path = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
    const { resources } = (await discover(this.#client, path, signal)) ?? {}
    const named = Array.isArray(resources) ? resources.filter(isObject) : []
    const main = named.find((each) => each['kind'] === name && !String(each['name']).includes('/'))
    const plural = String(main?.['name'])
    const scalable = named.some((each) => each['name'] === `${plural}/scale`)
    if (main === undefined || !scalable || main['namespaced'] !== true) return undefined
    return { ...Scale, group, version, kind: name, plural }
  }
}
