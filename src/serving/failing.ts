/**
 * The first pod that stands in the way, and why, in one sentence with the mend. What it takes for certain
 * (`definite`) will not go away by waiting; the rest is said as what is being waited for.
 */
import type { Container, ContainerStatus, Pod, Probe } from '#api/core/types.generated.ts'

export interface Failing {
  readonly pod: string
  readonly reason: string
  readonly message: string
  readonly definite: boolean
}

/**
 * What to do about the reasons that a kubelet gives for a container that does not start. `NoRuntime` is our own node's,
 * whose message says it.
 */
const mends: Record<string, string> = {
  CrashLoopBackOff: 'see its log (add --previous), then correct its command, arguments or environment',
  Error: 'see its log, then correct its command, arguments or environment',
  OOMKilled: 'raise its memory limit',
  ImagePullBackOff: 'correct the image name, or add the imagePullSecrets that its registry asks for',
  ErrImagePull: 'correct the image name, or add the imagePullSecrets that its registry asks for',
  ErrImageNeverPull: 'put the image on the node, or change imagePullPolicy',
  NoRuntime: '',
  InvalidImageName: 'correct the image name',
  CreateContainerConfigError: 'create what is missing, or correct its name',
  CreateContainerError: 'correct the command, the arguments or the volume mounts',
  RunContainerError: 'correct the command and the arguments',
  StartError: 'correct the command and the arguments',
  Unschedulable:
    'add nodes that fit, or the claim that is missing, or relax the resources and node selection asked for',
}

const waits = new Set(['ContainerCreating', 'PodInitializing'])

/** From the second on, the kubelet waits before it restarts a container. */
const loopRestarts = 2

/** How long a running container may be unready before its probe is named. */
const probePatienceMs = 2_000

export function failingOf(pods: readonly Pod[], nowMs: number): Failing | undefined {
  const found = pods
    .filter((pod) => pod.metadata.deletionTimestamp === undefined)
    .map((pod) => failureOf(pod, nowMs))
    .filter((failing) => failing !== undefined)
    .sort((a, b) => Number(b.definite) - Number(a.definite) || a.pod.localeCompare(b.pod))
  return found[0]
}

/**
 * How long until a container has run without becoming ready for long enough to be named; `undefined` where none is about to be.
 * All else that `failingOf` tells comes with a change of a pod.
 */
export function nextNamingMs(pods: readonly Pod[], nowMs: number): number | undefined {
  const delays = pods
    .flatMap(({ status }) => status?.containerStatuses ?? [])
    .filter(({ ready }) => !ready)
    .map(({ state }) => Date.parse(state?.running?.startedAt ?? '') + probePatienceMs - nowMs)
    .filter((delayMs) => delayMs > 0)
  return delays.length === 0 ? undefined : Math.min(...delays)
}

function failureOf(pod: Pod, nowMs: number): Failing | undefined {
  const name = pod.metadata.name ?? ''
  const { status } = pod
  const scheduled = status?.conditions?.find((condition) => condition.type === 'PodScheduled')
  if (scheduled?.status === 'False') {
    return failing(name, undefined, scheduled.reason ?? 'Unschedulable', scheduled.message)
  }
  for (const container of [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]) {
    const found = containerFailure(name, container)
    if (found !== undefined) return found
  }
  return probeFailure(pod, nowMs)
}

function containerFailure(pod: string, status: ContainerStatus): Failing | undefined {
  const { waiting, terminated, running } = status.state ?? {}
  const last = status.lastState?.terminated
  if (waiting?.reason !== undefined && !waits.has(waiting.reason)) {
    const exit = last === undefined || last.message === waiting.message ? '' : `last ${endOf(last)}`
    return failing(pod, status.name, waiting.reason, [waiting.message, exit].filter(Boolean).join('; '))
  }
  if (terminated !== undefined && terminated.exitCode !== 0) {
    return failing(pod, status.name, terminated.reason ?? 'Error', endOf(terminated))
  }
  // Between two waits it runs: that it has failed again and again is no less so.
  if (running !== undefined && !status.ready && status.restartCount >= loopRestarts && last?.exitCode) {
    const detail = `runs again after ${status.restartCount} restarts; last ${endOf(last)}`
    return failing(pod, status.name, 'CrashLoopBackOff', detail)
  }
  return undefined
}

function endOf({ exitCode, message }: { exitCode: number; message?: string | undefined }): string {
  return `exit code ${exitCode}${message ? ` (${message})` : ''}`
}

function failing(pod: string, container: string | undefined, reason: string, detail: string | undefined): Failing {
  const where = container === undefined ? `pod ${pod}` : `pod ${pod}, container ${container}`
  const mend = mends[reason] ?? 'see the events of the pod'
  const said = detail ? `: ${oneLine(detail)}` : ''
  return {
    pod,
    reason,
    message: `${where}: ${reason}${said}${mend && `; ${mend}`}`,
    definite: true,
  }
}

/** A kubelet may hand on pages of a container's last words; a sentence is for reading. */
const longestDetail = 500

function oneLine(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ')
  return line.length <= longestDetail ? line : `${line.slice(0, longestDetail - 1)}…`
}

/** A container that runs without becoming ready: one that only loads its weights looks the same, so not definite. */
function probeFailure(pod: Pod, nowMs: number): Failing | undefined {
  for (const status of pod.status?.containerStatuses ?? []) {
    const startedAt = status.state?.running?.startedAt
    if (status.ready || startedAt === undefined || nowMs - Date.parse(startedAt) < probePatienceMs) continue
    const container = pod.spec?.containers.find(({ name }) => name === status.name)
    const name = pod.metadata.name ?? ''
    const seconds = Math.floor((nowMs - Date.parse(startedAt)) / 1000)
    const forHow = seconds < 60 ? 'less than a minute' : `${Math.floor(seconds / 60)} min`
    return {
      pod: name,
      reason: 'ProbeFailing',
      message: `pod ${name}, container ${status.name}: ProbeFailing: runs for ${forHow}, but ${probeOf(container, status)} does not pass; wait if it still loads, else see its log and correct the probe or the port`,
      definite: false,
    }
  }
  return undefined
}

function probeOf(container: Container | undefined, status: ContainerStatus): string {
  if (container?.startupProbe !== undefined && status.started !== true)
    return `its startup probe ${target(container.startupProbe)}`
  return container?.readinessProbe === undefined
    ? 'its readiness'
    : `its readiness probe ${target(container.readinessProbe)}`
}

function target({ httpGet, tcpSocket, grpc }: Probe): string {
  if (httpGet !== undefined) return `GET :${httpGet.port}${httpGet.path ?? '/'}`
  if (tcpSocket !== undefined) return `on TCP port ${tcpSocket.port}`
  return grpc === undefined ? 'command' : `on gRPC port ${grpc.port}`
}
