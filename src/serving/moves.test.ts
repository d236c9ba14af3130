import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecoveryPolicy, ReplicaPhase } from '#api/model-serving.ts'
import { groupsOf, type Memory, type Rules } from './groups.ts'
import { movesOf, type Wanted } from './moves.ts'
import { podName, positionOf } from './names.ts'
import type { PodFacts } from './pod-facts.ts'

const decode = { name: 'decode', replicas: 1, workerReplicas: 0 }
const prefill = { name: 'prefill', replicas: 1, workerReplicas: 1 }
const pd = [prefill, { ...decode, replicas: 2 }]

/** `chat-0-decode-0-0`, with `!` unready, `-` being deleted, `x` finished, `~` restarted, `@b` of revision b, `$5` costing 5. */
function pod(text: string): PodFacts {
  const [name = '', marks = ''] = text.split(/(?<=\d)(?=[!\-x~@$]*(?:[!x~@$]|-$))/)
  const position = positionOf('chat', name)
  assert.ok(position !== undefined, text)
  return {
    name,
    uid: `uid-${name}`,
    position,
    revision: /@(\w)/.exec(marks)?.[1] ?? 'a',
    groupSize: position.role === 'prefill' ? 2 : 1,
    deleting: marks.includes('-'),
    ready: marks === '' || marks.startsWith('@') || marks.startsWith('$'),
    finished: marks.includes('x'),
    restartedAtMs: marks.includes('~') ? 0 : undefined,
    deletionCost: Number(/\$(-?\d+)/.exec(marks)?.[1] ?? 0),
  }
}

interface Row {
  readonly pods: string
  readonly want: string
  readonly replicas?: number
  readonly roles?: Wanted['roles']
  readonly revision?: string
  readonly policy?: RecoveryPolicy
  /** Phase of every replica before; default none. */
  readonly were?: ReplicaPhase
  readonly wereAlso?: string
  readonly graceMs?: number
}

const rows: Record<string, Row> = {
  'groups are made from ordinal 0': { pods: '', replicas: 2, want: '+chat-0-decode-0-0 +chat-1-decode-0-0' },
  'an entry pod comes before its workers, roles in their order': {
    pods: '',
    roles: pd,
    want: '+chat-0-prefill-0-0 +chat-0-prefill-0-1 +chat-0-decode-0-0 +chat-0-decode-1-0',
  },
  'nothing to do when all is there': { pods: 'chat-0-decode-0-0', want: '' },
  'zero replicas need no pods': { pods: '', replicas: 0, want: '' },
  'scaling down takes the highest ordinals': {
    pods: 'chat-0-decode-0-0 chat-1-decode-0-0 chat-2-decode-0-0',
    want: '-chat-2-decode-0-0 -chat-1-decode-0-0',
  },
  'scaling down takes those that do not serve first': {
    pods: 'chat-0-decode-0-0! chat-1-decode-0-0',
    want: '-chat-0-decode-0-0',
  },
  'scaling down spares what is dear': {
    pods: 'chat-0-decode-0-0 chat-1-decode-0-0$100',
    want: '-chat-0-decode-0-0',
  },
  'a gap is filled before a new ordinal': {
    pods: 'chat-0-decode-0-0 chat-2-decode-0-0',
    replicas: 3,
    want: '+chat-1-decode-0-0',
  },
  'a group on its way out keeps its ordinal': {
    pods: 'chat-0-decode-0-0 chat-1-decode-0-0-',
    replicas: 2,
    want: '',
  },
  'a group on its way out is not removed twice': {
    pods: 'chat-0-decode-0-0 chat-1-decode-0-0- chat-2-decode-0-0!',
    replicas: 2,
    want: '',
  },
  'a pod that is still being made is waited for, its siblings are made': {
    pods: 'chat-0-prefill-0-0!',
    roles: [prefill],
    want: '+chat-0-prefill-0-1',
  },
  'RoleRecreate takes the rest of the replica down and leaves the other role alone': {
    pods: 'chat-0-prefill-0-1 chat-0-decode-0-0 chat-0-decode-1-0',
    roles: pd,
    were: 'Running',
    want: '-chat-0-prefill-0-1',
  },
  'ServingGroupRecreate takes the whole group down': {
    pods: 'chat-0-prefill-0-0 chat-0-prefill-0-1 chat-0-decode-0-0',
    roles: pd,
    were: 'Running',
    wereAlso: 'decode-1',
    policy: 'ServingGroupRecreate',
    want: '-chat-0-prefill-0-0 -chat-0-prefill-0-1 -chat-0-decode-0-0',
  },
  'None makes just the lost pod again': {
    pods: 'chat-0-prefill-0-1 chat-0-decode-0-0 chat-0-decode-1-0',
    roles: pd,
    were: 'Running',
    policy: 'None',
    want: '+chat-0-prefill-0-0',
  },
  'None leaves a restarted container to the kubelet': {
    pods: 'chat-0-decode-0-0~',
    were: 'Running',
    policy: 'None',
    want: '',
  },
  'a lost replica comes back at its own ordinal': {
    pods: 'chat-0-decode-0-0',
    roles: [{ ...decode, replicas: 2 }],
    were: 'Creating',
    wereAlso: 'decode-1',
    want: '+chat-0-decode-1-0',
  },
  'a replica that has just gone is told before it is made anew': {
    pods: 'chat-0-decode-0-0',
    roles: [{ ...decode, replicas: 2 }],
    were: 'Running',
    wereAlso: 'decode-1',
    want: '',
  },
  'a restart costs the pod at once without a grace period': {
    pods: 'chat-0-decode-0-0~',
    were: 'Running',
    want: '-chat-0-decode-0-0',
  },
  'a restart is waited out within the grace period': {
    pods: 'chat-0-decode-0-0~',
    were: 'Running',
    graceMs: 60_000,
    want: '',
  },
  'a pod that never was ready is left to the kubelet': { pods: 'chat-0-decode-0-0~', were: 'Created', want: '' },
  'a finished pod is made anew': { pods: 'chat-0-decode-0-0x', were: 'Created', want: '-chat-0-decode-0-0' },
  'lost readiness alone removes nothing': { pods: 'chat-0-decode-0-0!', were: 'Running', want: '' },
  'a role scaled up makes only the new replicas': {
    pods: 'chat-0-decode-0-0 chat-1-decode-0-0',
    replicas: 2,
    roles: [{ ...decode, replicas: 2 }],
    were: 'Running',
    policy: 'ServingGroupRecreate',
    want: '+chat-0-decode-1-0 +chat-1-decode-1-0',
  },
  'a role scaled down loses nothing that must be recovered': {
    pods: 'chat-0-decode-0-0 chat-0-decode-1-0',
    were: 'Running',
    policy: 'ServingGroupRecreate',
    want: '-chat-0-decode-1-0',
  },
  'a changed template replaces the highest ordinal first, one group at a time': {
    pods: 'chat-0-decode-0-0 chat-1-decode-0-0',
    replicas: 2,
    revision: 'b',
    were: 'Running',
    want: '-chat-1-decode-0-0',
  },
  'no other group goes while the new one is not ready': {
    pods: 'chat-0-decode-0-0 chat-1-decode-0-0!@b',
    replicas: 2,
    revision: 'b',
    want: '',
  },
  'an outdated group that does not serve goes at once': {
    pods: 'chat-0-decode-0-0! chat-1-decode-0-0!@b',
    replicas: 2,
    revision: 'b',
    want: '-chat-0-decode-0-0',
  },
}

for (const [name, row] of Object.entries(rows)) {
  test(name, () => {
    const roles = row.roles ?? [decode]
    const rules: Rules = { roles, recoveryPolicy: row.policy ?? 'RoleRecreate', graceMs: row.graceMs ?? 0 }
    const pods = row.pods.split(' ').filter(Boolean).map(pod)
    const groups = groupsOf(pods, memoryOf(pods, row), rules, 1_000)
    const moves = movesOf(groups, { replicas: row.replicas ?? 1, roles, revision: row.revision ?? 'a' })
    const said = moves.map((move) =>
      move.do === 'create' ? `+${podName('chat', move.position)}` : `-${move.pod.name}`,
    )
    assert.equal(said.join(' '), row.want)
  })
}

function memoryOf(pods: readonly PodFacts[], { were, wereAlso }: Row): Memory {
  if (were === undefined) return new Map()
  const groups = new Map<number, Map<string, ReplicaPhase>>()
  for (const { position } of pods) {
    const replicas = groups.get(position.group) ?? new Map<string, ReplicaPhase>(wereAlso ? [[wereAlso, were]] : [])
    groups.set(position.group, replicas.set(`${position.role}-${position.replica}`, were))
  }
  return groups
}
