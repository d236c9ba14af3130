import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ModelServer } from '#api/model-server.ts'
import { gatesOf, isExpected } from './gates.ts'
import type { MoveReason } from './moves.ts'
import type { Gate, PodFacts } from './pod-facts.ts'
import type { RouterAnswer } from './routers.ts'

const nowMs = 1_000_000_000

interface Row {
  /** `group:state`, `!` where its containers are not ready. */
  readonly pods: string
  /** Groups that shall go. */
  readonly going?: readonly number[]
  readonly reason?: MoveReason
  /** What each router says: groups it sends requests to, `+` and the requests under way. */
  readonly routers?: readonly string[]
  readonly unexpected?: boolean
  readonly closedForMs?: number
  /** `group>condition` for changes, `-group` for what is removed now. */
  readonly want: string
}

const rows: Record<string, Row> = {
  'a pod opens when all routers send it requests': { pods: '0:Waiting', routers: ['0', '0'], want: '0>True' },
  'one router that does not is waited for': { pods: '0:Waiting', routers: ['0', ''], want: '' },
  'one that says nothing is waited for': { pods: '0:Waiting', routers: ['?'], want: '' },
  'where there is no router, nobody is': { pods: '0:Waiting', want: '0>True' },
  'a pod that no ModelServer selects is not waited for': {
    pods: '0:Waiting',
    routers: [''],
    unexpected: true,
    want: '0>True',
  },
  'a pod that is not ready itself stays shut': { pods: '0:Waiting!', routers: [''], want: '' },
  'what shall go is closed first': { pods: '0:Open 1:Open', going: [1], routers: ['01'], want: '1>False' },
  'and waits until no router sends it requests': { pods: '1:Closed', going: [1], routers: ['', '1'], want: '' },
  'and until its answers are out': { pods: '1:Closed', going: [1], routers: ['', '+1'], want: '' },
  'and while a router is silent': { pods: '1:Closed', going: [1], routers: ['?'], want: '' },
  'then it goes': { pods: '1:Closed', going: [1], routers: ['0', '0'], want: '-1' },
  'it goes in any case after five minutes': {
    pods: '1:Closed',
    going: [1],
    routers: ['+1'],
    closedForMs: 300_000,
    want: '-1',
  },
  'what shall stay after all is opened again': { pods: '1:Closed', routers: ['0'], want: '1>Unknown' },
  'what failed goes at once': { pods: '1:Open', going: [1], reason: 'recovery', routers: ['1'], want: '-1' },
  'what does not serve goes at once': { pods: '1:Open!', going: [1], routers: ['1'], want: '-1' },
  'a pod made without a gate goes at once': { pods: '1:', going: [1], routers: ['1'], want: '-1' },
}

for (const [name, row] of Object.entries(rows)) {
  test(name, () => {
    const pods = row.pods.split(' ').map((text) => podOf(text, row.closedForMs ?? 0))
    const { moves, changes } = gatesOf({
      pods,
      moves: pods
        .filter((pod) => row.going?.includes(pod.position.group) === true)
        .map((pod) => ({ do: 'remove', pod, reason: row.reason ?? 'rollout' })),
      routers: (row.routers ?? []).map(answerOf),
      expected: () => row.unexpected !== true,
      nowMs,
    })
    const said = [
      ...changes.map(({ pod, to }) => `${pod.position.group}>${to}`),
      ...moves.map((move) => (move.do === 'remove' ? `-${move.pod.position.group}` : '')),
    ]
    assert.equal(said.join(' '), row.want)
  })
}

function podOf(text: string, closedForMs: number): PodFacts {
  const [group = '', state = ''] = text.split(':')
  const containersReady = !state.endsWith('!')
  return {
    name: `chat-${group}-decode-0-0`,
    uid: group,
    position: { group: Number(group), role: 'decode', replica: 0, index: 0 },
    revision: 'a',
    roleHash: 'a',
    incarnation: 1,
    groupSize: 1,
    deleting: false,
    ready: containersReady,
    finished: false,
    restartedAtMs: undefined,
    deletionCost: 0,
    draining: false,
    gate:
      state === ''
        ? undefined
        : { state: state.replace('!', '') as Gate['state'], sinceMs: nowMs - closedForMs, containersReady },
  }
}

function answerOf(text: string): RouterAnswer {
  const [routable = '', busy = ''] = text.split('+')
  return { routable: new Set(routable), inFlight: new Map([...busy].map((uid) => [uid, 1])), silent: text === '?' }
}

test('a ModelServer expects the pods that it selects, in groups only those of one side', () => {
  const server = (workloadSelector: object) => ({ spec: { workloadSelector } }) as ModelServer
  const labels = { app: 'x', group: 'x-0', role: 'prefill' }
  const pdGroup = { groupKey: 'group', prefillLabels: { role: 'prefill' }, decodeLabels: { role: 'decode' } }
  assert.equal(isExpected([server({ matchLabels: { app: 'x' } })], labels), true)
  assert.equal(isExpected([server({ matchLabels: { app: 'y' } }), server({ matchLabels: {} })], labels), false)
  assert.equal(isExpected([server({ matchLabels: { app: 'x' }, pdGroup })], labels), true)
  assert.equal(isExpected([server({ matchLabels: { app: 'x' }, pdGroup })], { ...labels, role: 'other' }), false)
  assert.equal(isExpected([{} as ModelServer], labels), false, 'as a schema other than ours lets through')
})
