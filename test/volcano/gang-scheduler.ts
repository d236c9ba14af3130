/**
 * A scheduler that honours PodGroups and nothing else: it has so many places for pods, and binds the waiting pods of a
 * group only when `minMember` of them are there and fit at once. Enough to see all or nothing happen.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { Node, Pod } from '#api/core/kinds.ts'
import { PodGroup, volcanoAnnotations, volcanoScheduler } from '#api/volcano.ts'
import type { Tools } from '../tools.ts'

export interface GangScheduler extends AsyncDisposable {
  /** Places for pods; more may be given later. */
  places: number
}

const lookAgainMs = 50

export function startGangScheduler(tools: Tools, places: number): GangScheduler {
  const stop = new AbortController()
  const scheduler = { places }
  const running = run()

  async function run(): Promise<void> {
    while (!stop.signal.aborted) {
      await round().catch(() => {}) // what changed meanwhile is looked at anew
      await pause(lookAgainMs)
    }
  }

  async function round(): Promise<void> {
    const pods = (await tools.list(Pod)).filter(({ spec }) => spec?.schedulerName === volcanoScheduler)
    const waiting = pods.filter(
      ({ metadata, spec }) => spec?.nodeName === undefined && metadata.deletionTimestamp === undefined,
    )
    if (waiting.length === 0) return
    const groups = await tools.list(PodGroup)
    let free = scheduler.places - (pods.length - waiting.length)
    for (const [name, members] of Map.groupBy(waiting, gangOf)) {
      const group = groups.find(({ metadata }) => metadata.name === name)
      const bound = pods.filter((pod) => gangOf(pod) === name).length - members.length
      const least = (group?.spec?.minMember ?? Number.POSITIVE_INFINITY) - bound
      if (members.length < least || free < least) continue
      for (const pod of members.slice(0, free)) await bind(pod)
      free -= members.length
    }
  }

  async function bind({ metadata: { namespace = '', name = '' } }: Pod): Promise<void> {
    const [node] = await tools.list(Node)
    const target = { apiVersion: 'v1', kind: 'Node', name: node?.metadata.name }
    const response = await tools.client.raw(`/api/v1/namespaces/${namespace}/pods/${name}/binding`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ apiVersion: 'v1', kind: 'Binding', metadata: { namespace, name }, target }),
    })
    await response.body?.cancel()
  }

  return Object.assign(scheduler, {
    async [Symbol.asyncDispose]() {
      stop.abort()
      await running
    },
  })
}

const gangOf = ({ metadata }: Pod): string => metadata.annotations?.[volcanoAnnotations.groupName] ?? ''
