import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/core/kinds.ts'
import { podTroubleOf } from './job-state.ts'

const pod = (status: NonNullable<Pod['status']>): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  status,
})
const container = (state: object): Pod =>
  pod({ containerStatuses: [{ name: 'discovery', image: 'i', imageID: '', ready: false, restartCount: 0, state }] })
const waiting = (reason: string, message?: string) => container({ waiting: { reason, ...(message && { message }) } })

const rows: Record<string, { pod: Pod; want: string | undefined }> = {
  'that starts': { pod: waiting('ContainerCreating'), want: undefined },
  'whose image needs credentials': {
    pod: waiting(
      'ErrImagePull',
      'failed to pull image "r/a:1": pull access denied, repository does not exist or may require authorization',
    ),
    want: 'ImagePullAuthFailure',
  },
  'whose credentials are refused': {
    pod: waiting('ImagePullBackOff', 'unexpected status from HEAD request to https://r/v2/a: 401 Unauthorized'),
    want: 'ImagePullAuthFailure',
  },
  'whose image is not there': {
    pod: waiting('ErrImagePull', 'failed to resolve reference "r/a:1": r/a:1: not found'),
    want: 'ImageNotFound',
  },
  'whose registry is away': {
    pod: waiting('ErrImagePull', 'failed to do request: dial tcp 10.0.0.1:443: connection refused'),
    want: 'ImagePullBackOff',
  },
  'whose image cannot be pulled, nobody says why': { pod: waiting('ImagePullBackOff'), want: 'ImagePullBackOff' },
  'that waits for something else': {
    pod: waiting('CreateContainerConfigError', 'secret "s" not found'),
    want: 'CreateContainerConfigError',
  },
  'that had too little memory': {
    pod: container({ terminated: { exitCode: 137, reason: 'OOMKilled' } }),
    want: 'PodOOMKilled',
  },
  'that ended badly': { pod: container({ terminated: { exitCode: 1 } }), want: 'PodFailed' },
  'that ended well': { pod: container({ terminated: { exitCode: 0 } }), want: undefined },
}
for (const [name, { pod: seen, want }] of Object.entries(rows)) {
  test(`a pod ${name}`, () => {
    const trouble = podTroubleOf([seen])
    assert.equal(trouble?.reason, want)
    if (want !== undefined) assert.match(trouble?.message ?? '', /^pod p/)
  })
}
