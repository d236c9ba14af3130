import assert from 'node:assert/strict'
import type { AnyResource } from '#machinery/meta.ts'
import { booster, configMap, notTheClusters } from './kubectl-objects.ts'
import type { KubectlCases } from './kubectl-suite.ts'
import type { Kubectl } from './kubectl.ts'
import { linesOf } from './kubectl.ts'

const family = 'modelbooster,modelserving,modelserver,modelroute,pod,service'

async function activeBooster({ ok }: Kubectl): Promise<void> {
  await ok('create -f -', { input: booster('chat') })
  await ok('wait --for=condition=Active modelbooster/chat --timeout=20s')
}

export const deleteCases: KubectlCases = {
  'delete takes the children along, in the background': async (kubectl) => {
    const { ok } = kubectl
    await activeBooster(kubectl)
    const gone = ok('wait --for=delete modelserving/chat-vllm pod/chat-vllm-0-leader-0-0 --timeout=20s')
    assert.match(await ok('delete modelbooster chat --cascade=background'), /^modelbooster\S* "chat" deleted/)
    await gone
    await ok('wait --for=delete modelserver,modelroute,service --all --timeout=20s')
    assert.equal(await ok(`get ${family}`), '')
  },

  'delete in the foreground ends after the children': async (kubectl) => {
    const { ok } = kubectl
    await activeBooster(kubectl)
    await ok('delete modelbooster chat --cascade=foreground')
    assert.equal(await ok(`get ${family} -o name`), '')
  },

  'delete that orphans leaves the children, without an owner': async (kubectl) => {
    const { ok } = kubectl
    await activeBooster(kubectl)
    await ok('delete modelbooster chat --cascade=orphan')
    const serving = JSON.parse(await ok('get modelserving chat-vllm -o json')) as AnyResource
    assert.equal(serving.metadata.ownerReferences, undefined)
    assert.equal(await ok('get pods -o jsonpath={.items[*].status.phase}'), 'Running')
  },

  'delete by label, by file, of all, and of what is not there': async ({ ok, refused }) => {
    const labelled = (name: string): AnyResource => ({ ...configMap(name), metadata: { name, labels: { set: 'x' } } })
    const input = [labelled('a'), labelled('b'), configMap('c'), configMap('d')]
    await ok('create -f -', { input })
    const left = async (): Promise<string> => linesOf(await ok(`get cm -o name ${notTheClusters}`)).join(' ')
    await ok('delete cm -l set=x')
    assert.equal(await left(), 'configmap/c configmap/d')
    assert.match(await ok('delete cm c --dry-run=server'), /\(server dry run\)/)
    await ok('delete -f - --ignore-not-found', { input: input.slice(0, 3) })
    assert.equal(await left(), 'configmap/d')
    await ok('delete cm --all')
    assert.equal(await left(), '')
    assert.match(await refused('delete cm d'), /Error from server \(NotFound\): configmaps "d" not found/)
    assert.equal(await ok('delete cm d --ignore-not-found'), '')
  },

  'an object with a finalizer waits for it': async ({ ok, run }) => {
    await ok('create -f -', {
      input: { ...configMap('held'), metadata: { name: 'held', finalizers: ['example.com/hold'] } },
    })
    await ok('delete cm held --wait=false')
    assert.match(await ok('get cm held -o jsonpath={.metadata.deletionTimestamp}'), /^\d{4}-/)
    assert.equal((await run('wait --for=delete cm/held --timeout=100ms')).code, 1)
    const gone = ok('wait --for=delete cm/held --timeout=20s')
    await ok(['patch', 'cm', 'held', '--type=json', '-p', '[{"op":"remove","path":"/metadata/finalizers"}]'])
    await gone
  },

  'a child that is deleted by hand comes back': async (kubectl) => {
    const { ok } = kubectl
    await activeBooster(kubectl)
    const uid = 'jsonpath={.items[*].metadata.uid}'
    const before = await ok(`get modelroute,pod -o ${uid}`)
    await ok('delete modelroute/chat pod/chat-vllm-0-leader-0-0')
    await ok('wait --for=create modelroute/chat pod/chat-vllm-0-leader-0-0 --timeout=20s')
    const after = await ok(`get modelroute,pod -o ${uid}`)
    assert.deepEqual(
      after.split(' ').filter((each) => before.includes(each)),
      [],
    )
  },

  'delete of a namespace takes all in it': async (kubectl) => {
    const { ok, refused, namespace } = kubectl
    await activeBooster(kubectl)
    assert.match(await ok(`delete namespace ${namespace}`), new RegExp(`^namespace "${namespace}" deleted`))
    assert.equal(await ok(`get ${family} -o name`), '')
    assert.match(await refused('create configmap late'), /namespaces "kubectl-\d+" not found/)
  },
}
