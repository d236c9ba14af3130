import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import { renderTrees, treesOf } from './object-tree.ts'

const nowMs = Date.parse('2030-01-01T00:10:00Z')

function object(kind: string, name: string, owner?: string, rest: Partial<AnyResource> = {}): AnyResource {
  const reference = { apiVersion: 'v1', kind: 'Any', name: owner ?? '', uid: `uid-${owner}`, controller: true }
  return {
    apiVersion: 'v1',
    kind,
    ...rest,
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      creationTimestamp: '2030-01-01T00:00:00Z',
      ...(owner !== undefined && { ownerReferences: [reference] }),
      ...rest.metadata,
    },
  }
}

const condition = (type: string, status: Condition['status'], reason: string, message = ''): Condition => ({
  type,
  status,
  reason,
  message,
  lastTransitionTime: '2030-01-01T00:00:00Z',
})
const having = (...conditions: Condition[]): Partial<AnyResource> => ({ status: { conditions } })

const objects = [
  object('Service', 'chat-a-0', 'chat-a'),
  object('Pod', 'chat-a-10', 'chat-a', {
    status: {
      conditions: [condition('Ready', 'False', 'ContainersNotReady')],
      containerStatuses: [
        { name: 'engine', state: { waiting: { reason: 'CrashLoopBackOff', message: 'exit code 1' } } },
      ],
    },
  }),
  object(
    'Pod',
    'chat-a-9',
    'chat-a',
    having(condition('Ready', 'True', ''), condition('fairlead.dev/Simulated', 'True', '')),
  ),
  object('Pod', 'chat-a-11', 'chat-a', {
    status: {
      conditions: [condition('Ready', 'False', 'ContainersNotReady', 'containers with unready status: [engine]')],
      containerStatuses: [{ name: 'engine', state: { waiting: { reason: 'ContainerCreating' } } }],
    },
  }),
  object('AutoscalingPolicy', 'policy', 'chat'),
  object('ModelRoute', 'chat-route', 'chat', having(condition('Accepted', 'True', 'Accepted'))),
  object(
    'ModelRoute',
    'late-route',
    'chat',
    having(
      condition('Accepted', 'True', 'Accepted'),
      condition('ResolvedRefs', 'True', 'ResolvedRefs', 'Every target exists.'),
      condition('Conflicted', 'True', 'SameModelName', 'default/other goes first for chat'),
    ),
  ),
  object(
    'ModelServing',
    'chat-a',
    'chat',
    having(condition('Available', 'False', 'GroupsNotReady', '1 of 3 groups ready')),
  ),
  object(
    'ModelBooster',
    'chat',
    undefined,
    having(condition('Active', 'False', 'ModelProcessing', 'waiting for chat-a')),
  ),
  object('ModelServing', 'alone', 'somebody-unknown', {
    metadata: { deletionTimestamp: '2030-01-01T00:05:00Z', finalizers: ['a/b'] },
  }),
]

test('a tree shows what owns what, how it is, and what it waits for', () => {
  const lines = renderTrees(treesOf(objects), { colors: false, columns: 200, nowMs })
  assert.deepEqual(lines, [
    'ModelBooster/chat            … 10m    ModelProcessing: waiting for chat-a',
    '├─ ModelServing/chat-a       … 10m    GroupsNotReady: 1 of 3 groups ready',
    '│  ├─ Pod/chat-a-9           ✔ 10m    simulated',
    '│  ├─ Pod/chat-a-10          ✖ 10m    CrashLoopBackOff: container engine: exit code 1',
    '│  ├─ Pod/chat-a-11          … 10m    ContainersNotReady: containers with unready status: [engine]',
    '│  └─ Service/chat-a-0       · 10m',
    '├─ ModelRoute/chat-route     ✔ 10m',
    '├─ ModelRoute/late-route     ✔ 10m    default/other goes first for chat',
    '└─ AutoscalingPolicy/policy  · 10m',
    'ModelServing/alone           … 10m    Deleting: held by a/b',
  ])
})

test('lines are cut to the width of the terminal, colours or not', () => {
  const style = { columns: 40, nowMs }
  const plain = renderTrees(treesOf(objects), { ...style, colors: false })
  for (const line of plain) assert.ok(line.length <= 40, line)
  const colored = renderTrees(treesOf(objects), { ...style, colors: true })
  assert.deepEqual(
    colored.map((line) => stripVTControlCharacters(line)),
    plain,
  )
  assert.ok(colored[3]?.includes('\u001B[31m✖'))
})

test('over all namespaces, roots say theirs', () => {
  const [first] = renderTrees(treesOf(objects), { colors: false, columns: 200, nowMs, withNamespace: true })
  assert.match(first ?? '', /^ModelBooster\/default\/chat /)
})
