import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContainerStatus, Pod, PodCondition } from '#api/core/types.generated.ts'
import { failingOf, nextNamingMs } from './failing.ts'

const startedAt = '2026-01-01T00:00:00Z'
const startedMs = Date.parse(startedAt)

interface Row {
  readonly container?: Partial<ContainerStatus>
  readonly init?: Partial<ContainerStatus>
  readonly condition?: PodCondition
  readonly afterMs?: number
  readonly want: RegExp | undefined
  readonly perhaps?: true
}

const exit2 = { exitCode: 2, reason: 'Error', message: 'no such flag' }

const rows: Record<string, Row> = {
  'a container that is being made is waited for': {
    container: { state: { waiting: { reason: 'ContainerCreating' } } },
    want: undefined,
  },
  'a crash loop: with how it ended last': {
    container: {
      state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s' } },
      lastState: { terminated: exit2 },
      restartCount: 1,
    },
    want: /^pod p, container c: CrashLoopBackOff: back-off 10s; last exit code 2 \(no such flag\); see its log/,
  },
  'a crash loop that runs just now is still one': {
    container: { state: { running: { startedAt } }, lastState: { terminated: exit2 }, restartCount: 2 },
    want: /^pod p, container c: CrashLoopBackOff: runs again after 2 restarts; last exit code 2 \(no such flag\); see/,
  },
  'one restart is no loop': {
    container: { state: { running: { startedAt } }, lastState: { terminated: exit2 }, restartCount: 1 },
    want: undefined,
  },
  'many restarts are forgiven once it is ready': {
    container: { state: { running: { startedAt } }, lastState: { terminated: exit2 }, restartCount: 9, ready: true },
    want: undefined,
  },
  'the same words are not said twice': {
    container: {
      state: { waiting: { reason: 'RunContainerError', message: 'no such file' } },
      lastState: { terminated: { exitCode: 128, message: 'no such file' } },
    },
    want: /^pod p, container c: RunContainerError: no such file; correct the command and the arguments$/,
  },
  'what a program said over many lines is one line, and not without end': {
    container: {
      state: { terminated: { exitCode: 2, reason: 'Error', message: `usage:\n  a\n${'b '.repeat(5000)}` } },
    },
    want: /^pod p, container c: Error: exit code 2 \(usage: a b b [b ]{1,480}…; see its log/,
  },
  'an init container comes before those that wait for it': {
    init: { state: { waiting: { reason: 'ImagePullBackOff', message: 'not found' } } },
    container: { state: { waiting: { reason: 'PodInitializing' } } },
    want: /^pod p, container i: ImagePullBackOff: not found; correct the image name/,
  },
  'a pod that ended for good': {
    container: { state: { terminated: { exitCode: 137, reason: 'OOMKilled' } } },
    want: /^pod p, container c: OOMKilled: exit code 137; raise its memory limit$/,
  },
  'a pod that fits nowhere': {
    condition: { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' },
    want: /^pod p: Unschedulable: 0\/1 nodes; add nodes that fit/,
  },
  'unready for a moment only': { container: { state: { running: { startedAt } } }, afterMs: 1_999, want: undefined },
  'unready for longer, with the probe': {
    container: { state: { running: { startedAt } } },
    afterMs: 2_000,
    want: /^pod p, container c: ProbeFailing: runs for less than a minute, but its readiness probe GET :8000\/health /,
    perhaps: true,
  },
  'unready for minutes': {
    container: { state: { running: { startedAt } } },
    afterMs: 185_000,
    want: /runs for 3 min/,
    perhaps: true,
  },
}

for (const [name, { container, init, condition, afterMs = 0, want, perhaps }] of Object.entries(rows)) {
  test(name, () => {
    const failing = failingOf([podOf(container, init, condition)], startedMs + afterMs)
    if (want === undefined) return assert.equal(failing, undefined)
    assert.match(failing?.message ?? '', want)
    assert.equal(failing?.definite, perhaps !== true)
  })
}

test('what is certain is told before what may pass, and pods on their way out are not told', () => {
  const slow = podOf({ state: { running: { startedAt } } })
  const broken = podOf({ state: { waiting: { reason: 'ErrImagePull' } } })
  const gone = { ...broken, metadata: { name: 'a', deletionTimestamp: startedAt } }
  const pods = [gone, { ...slow, metadata: { name: 'b' } }, { ...broken, metadata: { name: 'z' } }]
  assert.equal(failingOf(pods, startedMs + 10_000)?.pod, 'z')
})

const namings: Record<string, { containers: readonly Partial<ContainerStatus>[]; want: number | undefined }> = {
  'a pod that no node has': { containers: [], want: undefined },
  'one whose image is fetched': {
    containers: [{ state: { waiting: { reason: 'ContainerCreating' } } }],
    want: undefined,
  },
  'one that is ready': { containers: [{ state: { running: { startedAt } }, ready: true }], want: undefined },
  'one that loads': { containers: [{ state: { running: { startedAt } } }], want: 1_500 },
  'two that load, the sooner': {
    containers: [
      { state: { running: { startedAt: new Date(startedMs + 300).toISOString() } } },
      { state: { running: { startedAt } } },
    ],
    want: 1_500,
  },
  'one that was named long ago': {
    containers: [{ state: { running: { startedAt: new Date(startedMs - 60_000).toISOString() } } }],
    want: undefined,
  },
}
for (const [name, { containers, want }] of Object.entries(namings)) {
  test(`when time alone gives a name to what fails: ${name}`, () =>
    assert.equal(
      nextNamingMs(
        containers.map((container) => podOf(container)),
        startedMs + 500,
      ),
      want,
    ))
}

function podOf(container?: Partial<ContainerStatus>, init?: Partial<ContainerStatus>, condition?: PodCondition): Pod {
  const status = (name: string, of: Partial<ContainerStatus> | undefined): ContainerStatus[] =>
    of === undefined ? [] : [{ name, image: 'i', imageID: '', ready: false, restartCount: 0, ...of }]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'c', image: 'i', readinessProbe: { httpGet: { port: 8000, path: '/health' } } }] },
    status: {
      ...(condition && { conditions: [condition] }),
      containerStatuses: status('c', container),
      initContainerStatuses: status('i', init),
    },
  }
}
