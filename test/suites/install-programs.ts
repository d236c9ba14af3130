import assert from 'node:assert/strict'
import type { PodTemplateSpec } from '#api/core/types.generated.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { objectsIn } from '../install/objects.ts'
import type { InstallCases } from './install-suite.ts'
import { config, established, gone, serving, systemNamespace as system, versions } from './install-tools.ts'

const everything = config('default')

export const programCases: InstallCases = {
  'all of it applies, and applying it again changes nothing': async ({ kubectl }) => {
    const own = kubectl(system)
    for (const how of ['', ' --server-side --force-conflicts']) {
      await own.ok(`apply${how} -k ${everything}`)
      await established(own)
      const before = await versions(own, `-k ${everything}`)
      assert.ok(before.length > 25, String(before.length))
      await own.ok(`apply${how} -k ${everything}`)
      assert.deepEqual(await versions(own, `-k ${everything}`), before, how)
    }
  },

  'the namespace takes our pods, and none that asks for more': async ({ kubectl }) => {
    const { ok, refused } = kubectl(system)
    await ok(`apply -k ${everything}`)
    const deployments = objectsIn('manager', 'router').filter(({ kind }) => kind === 'Deployment')
    const pods = deployments.map(podOf)
    assert.equal(pods.length, 2)
    for (const pod of pods) {
      await ok('create --dry-run=server -f -', { input: pod })
      const { securityContext: _, ...spec } = pod.spec ?? {}
      assert.match(
        await refused('create --dry-run=server -f -', { input: { ...pod, spec } }),
        /violates PodSecurity "restricted/,
      )
    }
  },

  'taking the programs away leaves definitions and objects': async ({ kubectl }) => {
    const { ok } = kubectl('outlives')
    await ok('create namespace outlives')
    await kubectl(system).ok(`apply -k ${everything}`)
    await established(kubectl(system))
    await ok('create -f -', { input: serving('chat') })
    await kubectl(system).ok(`delete --wait=false -k ${config('programs')}`)
    await gone(kubectl(system), `namespace/${system}`)
    assert.equal(await ok('get modelservings -o name'), 'modelserving.workload.serving.volcano.sh/chat\n')
    await ok('delete namespace outlives --wait=false')
  },
}

function podOf({ metadata, spec }: AnyResource): AnyResource {
  const { template } = spec as unknown as { template: PodTemplateSpec }
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: metadata.name ?? '' }, spec: { ...template.spec } }
}
