import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RecoveryPolicy, ReplicaPhase } from '#api/model-serving.ts'
import { type GroupMemory, type GroupRole, groupsOf, type Memory, type ReplicaMemory, type Rules } from './groups.ts'
import { movesOf, type Pace } from './moves.ts'
import { podName, positionOf } from './names.ts'
import type { PodFacts } from './pod-facts.ts'

const decode = { name: 'decode', replicas: 1, workerReplicas: 0 }
const prefill = { name: 'prefill', replicas: 1, workerReplicas: 1 }
const pd = [prefill, { ...decode, replicas: 2 }]

/** `chat-0-decode-0-0`, with `!` unready, `-` being deleted, `x` finished, `~` restarted, `@b` of revision b, `$5` costing 5. */
function pod(text: string): PodFacts {
  const [name = '', marks = ''] = text.split(/(?<=\d)(?=[!\-x~@$%]*(?:[!x~@$%]|-$))/)
  const position = positionOf('chat', name)
  assert.ok(position !== undefined, text)
  return {
    name,
    uid: `uid-${name}`,
    position,
    revision: /@(\w)/.exec(marks)?.[1] ?? 'a',
    roleHash: /@(\w)/.exec(marks)?.[1] ?? 'a',
    incarnation: 1,
    groupSize: position.role === 'prefill' ? 2 : 1,
    deleting: marks.includes('-'),
    ready: marks === '' || marks.startsWith('@') || marks.startsWith('$'),
    finished: marks.includes('x'),
    restartedAtMs: marks.includes('~') ? 0 : undefined,
    deletionCost: Number(/\$(-?\d+)/.exec(marks)?.[1] ?? 0),
    draining: marks.includes('%'),
    gate: undefined,
  }
}

interface Row {
  readonly pods: string
  readonly want: string
  readonly replicas?: number
  readonly roles?: readonly GroupRole[]
  readonly revision?: string
  readonly policy?: RecoveryPolicy
  /** Phase of every replica before; default none. */
  readonly were?: ReplicaPhase
  readonly wereAlso?: string
  /** Groups of which no pod is left, by ordinal, with the revision they had. */
  readonly lost?: Readonly<Record<number, string>>
  readonly graceMs?: number
  readonly pace?: Partial<Pace>
  readonly byRole?: boolean
  readonly paused?: boolean
  readonly current?: string
  readonly served?: string
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
    want: '-chat-1-decode-0-0 -chat-2-decode-0-0',
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
  'B-24 a group on its way out is not removed twice': {
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
  'a replica of which nothing is left is made again, as the next incarnation': {
    pods: 'chat-0-decode-0-0',
    roles: [{ ...decode, replicas: 2 }],
    were: 'Running',
    wereAlso: 'decode-1',
    want: '+chat-0-decode-1-0#2',
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
  'an outdated group that never served goes at once': {
    pods: 'chat-0-decode-0-0! chat-1-decode-0-0!@b',
    replicas: 2,
    revision: 'b',
    want: '-chat-0-decode-0-0',
  },
  'one that served is not given up for a template that has taken its share': {
    pods: 'chat-0-decode-0-0! chat-1-decode-0-0!@b',
    replicas: 2,
    revision: 'b',
    served: 'a',
    want: '',
  },
  'while the new template is stuck, what is lost comes back as it was': {
    pods: 'chat-0-decode-0-0 chat-2-decode-0-0!@b',
    replicas: 3,
    revision: 'b',
    served: 'a',
    lost: { 1: 'a' },
    want: '+chat-1-decode-0-0#2',
  },
  'where the new template has served, what is lost comes back as the new': {
    pods: 'chat-0-decode-0-0 chat-2-decode-0-0@b',
    replicas: 3,
    revision: 'b',
    served: 'b',
    lost: { 1: 'a' },
    want: '+chat-1-decode-0-0@b#2',
  },
  'surge adds a group before any goes': {
    pods: 'chat-0-decode-0-0 chat-1-decode-0-0',
    replicas: 2,
    revision: 'b',
    served: 'a',
    pace: { maxUnavailable: 0, maxSurge: 1 },
    want: '+chat-2-decode-0-0@b',
  },
  'with surge and a ready new group, an old one goes': {
    pods: 'chat-0-decode-0-0 chat-1-decode-0-0 chat-2-decode-0-0@b',
    replicas: 2,
    revision: 'b',
    pace: { maxUnavailable: 0, maxSurge: 1 },
    want: '-chat-1-decode-0-0',
  },
  'B-18 ordinals below the partition stay, by ordinal and not by place in the list': {
    pods: 'chat-0-decode-0-0 chat-2-decode-0-0 chat-3-decode-0-0',
    replicas: 3,
    revision: 'b',
    pace: { partition: 2, maxUnavailable: 3 },
    want: '-chat-2-decode-0-0 -chat-3-decode-0-0',
  },
  'a gap below the partition is filled with what is current': {
    pods: 'chat-0-decode-0-0 chat-2-decode-0-0@b chat-3-decode-0-0@b',
    replicas: 4,
    revision: 'b',
    current: 'a',
    pace: { partition: 2 },
    want: '+chat-1-decode-0-0',
  },
  'B-39 an unavailable protected group counts: no healthy one goes': {
    pods: 'chat-0-decode-0-0! chat-1-decode-0-0 chat-2-decode-0-0',
    replicas: 3,
    revision: 'b',
    served: 'a',
    pace: { partition: 1 },
    want: '',
  },
  'paused, nothing is replaced, and what is missing comes back as it was': {
    pods: 'chat-0-decode-0-0 chat-1-decode-0-0@b',
    replicas: 3,
    revision: 'b',
    current: 'a',
    lost: { 2: 'a' },
    paused: true,
    want: '+chat-2-decode-0-0#2',
  },
  'role by role, only outdated replicas go, in each group at once': {
    pods: 'chat-0-decode-0-0 chat-0-decode-1-0 chat-1-decode-0-0 chat-1-decode-1-0@b',
    roles: [{ ...decode, replicas: 2 }],
    replicas: 2,
    revision: 'b',
    byRole: true,
    want: '-chat-0-decode-1-0 -chat-1-decode-0-0',
  },
  'role by role, replicas below the partition stay': {
    pods: 'chat-0-decode-0-0 chat-0-decode-1-0 chat-0-decode-2-0',
    roles: [{ ...decode, replicas: 3 }],
    revision: 'b',
    byRole: true,
    pace: { maxUnavailable: 3, partition: 2 },
    want: '-chat-0-decode-2-0',
  },
  'role by role, an unready replica of the new template takes the budget': {
    pods: 'chat-0-decode-0-0 chat-0-decode-1-0!@b',
    roles: [{ ...decode, replicas: 2 }],
    revision: 'b',
    byRole: true,
    want: '',
  },
  'role by role, surge adds a replica before any goes': {
    pods: 'chat-0-decode-0-0 chat-0-decode-1-0',
    roles: [{ ...decode, replicas: 2 }],
    revision: 'b',
    byRole: true,
    pace: { maxUnavailable: 0, maxSurge: 1 },
    want: '+chat-0-decode-2-0@b',
  },
  'a role that is not wanted any more goes at once': {
    pods: 'chat-0-decode-0-0 chat-0-old-0-0 chat-0-old-1-0',
    byRole: true,
    want: '-chat-0-old-0-0 -chat-0-old-1-0',
  },
  'a revision that nobody keeps is replaced like any other': {
    pods: 'chat-0-decode-0-0@z chat-1-decode-0-0@z',
    replicas: 2,
    revision: 'a',
    want: '-chat-1-decode-0-0',
  },
  'a group that is being emptied is the one that goes': {
    pods: 'chat-0-decode-0-0 chat-1-decode-0-0!% chat-2-decode-0-0',
    replicas: 2,
    want: '-chat-1-decode-0-0',
  },
}

for (const [name, row] of Object.entries(rows)) {
  test(name, () => {
    const roles = row.roles ?? [decode]
    const update = row.revision ?? 'a'
    const rules: Rules = {
      roles,
      recoveryPolicy: row.policy ?? 'RoleRecreate',
      graceMs: row.graceMs ?? 0,
      byRole: row.byRole ?? false,
      update,
      rolesOf: (revision) => (revision === undefined || revision === 'z' ? undefined : roles),
      roleHashOf: (revision) => (revision === 'z' ? undefined : revision),
    }
    const pace = { maxUnavailable: 1, maxSurge: 0, partition: 0, ...row.pace }
    const pods = row.pods.split(' ').filter(Boolean).map(pod)
    const groups = groupsOf(pods, memoryOf(pods, row), rules, 1_000)
    const moves = movesOf(groups, {
      replicas: row.replicas ?? 1,
      rules,
      pace,
      paceOf: () => pace,
      paused: row.paused ?? false,
      current: row.current ?? update,
      served: row.served,
    })
    const said = moves.map((move) => {
      if (move.do === 'remove') return `-${move.pod.name}`
      const mark = `${move.revision === 'a' ? '' : `@${move.revision}`}${move.incarnation === 1 ? '' : `#${move.incarnation}`}`
      return `+${podName('chat', move.position)}${mark}`
    })
    assert.equal(said.join(' '), row.want)
  })
}

function memoryOf(pods: readonly PodFacts[], { were, wereAlso, lost }: Row): Memory {
  const groups = new Map<number, GroupMemory>()
  const remember = (group: number, replica: string, memory: ReplicaMemory): void => {
    const replicas = new Map([...(groups.get(group)?.replicas ?? []), [replica, memory]])
    groups.set(group, { revision: memory.revision, replicas })
  }
  if (were !== undefined) {
    const memory = { phase: were, revision: 'a', incarnation: 1 }
    for (const { position } of pods) {
      remember(position.group, `${position.role}-${position.replica}`, memory)
      if (wereAlso !== undefined) remember(position.group, wereAlso, memory)
    }
  }
  for (const [group, revision] of Object.entries(lost ?? {})) {
    remember(Number(group), 'decode-0', { phase: 'Running', revision, incarnation: 1 })
  }
  return groups
}
