/** LoRA adapters that come and go while engines run, against the simulator's own endpoints. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod } from '#api/core/kinds.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelRoute } from '#api/model-route.ts'
import { ModelServing } from '#api/model-serving.ts'
import { podAddress } from '#kube/pod-address.ts'
import { podsOf, startClients } from './asking.ts'
import { backend, modelBooster } from './builders.ts'
import { startMachine } from './machine.ts'
import type { Tools } from './tools.ts'

const env = [{ name: 'VLLM_ALLOW_RUNTIME_LORA_UPDATING', value: 'True' }]
const chat = (adapters: Record<string, string>, change: Record<string, unknown> = {}) =>
  modelBooster('chat', {
    backends: [
      backend('vllm', {
        env,
        loraAdapters: Object.entries(adapters).map(([name, artifactURL]) => ({ name, artifactURL })),
        ...change,
      }),
    ],
  })
const place = { namespace: 'default', name: 'chat' }

/** Names and directories of the adapters that an engine has. */
async function adaptersIn(pod: Pod): Promise<Record<string, string>> {
  const address = podAddress(pod, 8000)
  const response = await fetch(`http://${address?.host}:${address?.port}/v1/models`)
  const { data } = (await response.json()) as { data: { id: string; root: string; parent: string | null }[] }
  return Object.fromEntries(data.filter(({ parent }) => parent !== null).map(({ id, root }) => [id, root]))
}

async function everyEngineHas(world: Tools, count: number, names: readonly string[]): Promise<Pod[]> {
  return world.until(`${count} engines with ${names.join()}`, async () => {
    const pods = await podsOf(world)
    const engines = await Promise.all(pods.map((pod) => adaptersIn(pod).catch(() => ({}))))
    return (
      pods.length === count &&
      engines.every((adapters) => Object.keys(adapters).toSorted().join() === names.toSorted().join()) &&
      pods
    )
  })
}
const routed = async (world: Tools) => (await world.client.get(ModelRoute, place)).spec.loraAdapters

test('C9, B-07: adapters reach the engines that run, what fails is told, and new pods and controllers go on from there', async (t) => {
  const machine = await startMachine(t)
  let program = machine.start()
  const clients = await startClients(t, { until: machine.until, informers: program.informers })
  const two = { minReplicas: 2, maxReplicas: 2 }
  await machine.apply(chat({ sql: 'hf://zoo/sql', fr: 'hf://zoo/fr' }, two))
  await machine.condition(ModelBooster, 'chat', 'Active')
  await machine.condition(ModelBooster, 'chat', 'LoraSynced')
  const pods = await everyEngineHas(machine, 2, ['sql', 'fr'])
  const uids = new Set(pods.map(({ metadata }) => metadata.uid))
  const [before] = pods
  assert.ok(before)
  const { sql: directory } = await adaptersIn(before)
  const { metadata: serving } = await machine.client.get(ModelServing, { ...place, name: 'chat-vllm' })

  // One gone, one from elsewhere, one that cannot be had: no keys for the bucket.
  await machine.apply(chat({ sql: 'hf://zoo/sql2', de: 's3://zoo/de' }, two))
  const failing = await machine.until('the failure to be told', async () => {
    const { status } = await machine.client.get(ModelBooster, place)
    return status?.conditions?.find(({ reason }) => reason === 'AdaptersFailing')
  })
  assert.match(failing.message, /pod chat-vllm-\d-leader-0-0: load de: 500 .*ACCESS_KEY/)
  await everyEngineHas(machine, 2, ['sql'])
  assert.notEqual((await adaptersIn(before))['sql'], directory)
  assert.deepEqual(await routed(machine), ['sql'], 'nobody has de, and fr went first')

  await machine.apply(chat({ sql: 'hf://zoo/sql2', de: 'hf://zoo/de' }, two))
  await machine.condition(ModelBooster, 'chat', 'LoraSynced')
  await everyEngineHas(machine, 2, ['sql', 'de'])
  assert.deepEqual(
    await machine.until('the route', async () => (await routed(machine))?.includes('de') && routed(machine)),
    ['de', 'sql'],
  )
  await clients.answered('de')
  const same = await machine.client.get(ModelServing, { ...place, name: 'chat-vllm' })
  assert.equal(same.metadata.generation, serving.generation, 'the template is what it was')
  assert.deepEqual(new Set((await podsOf(machine)).map(({ metadata }) => metadata.uid)), uids)

  // Another controller knows what was done: nothing is told again.
  await program.kill()
  const versions = async () =>
    new Map((await podsOf(machine)).map(({ metadata }) => [metadata.name, metadata.annotations]))
  const known = await versions()
  program = machine.start()
  await machine.settled()
  assert.deepEqual(await versions(), known)

  // A pod more begins with what the template has, and catches up.
  await machine.apply(chat({ sql: 'hf://zoo/sql2', de: 'hf://zoo/de' }, { minReplicas: 3, maxReplicas: 3 }))
  await everyEngineHas(machine, 3, ['sql', 'de'])
  await machine.condition(ModelBooster, 'chat', 'LoraSynced')

  // Another template takes the adapters in.
  const workers = [{ type: 'server', image: 'vllm/vllm-openai:v2' }]
  await machine.apply(chat({ sql: 'hf://zoo/sql2', de: 'hf://zoo/de' }, { minReplicas: 1, maxReplicas: 1, workers }))
  const [fresh] = await machine.until('the new pod', async () => {
    const left = await podsOf(machine)
    return left.length === 1 && left[0]?.spec?.containers.some(({ image }) => image === 'vllm/vllm-openai:v2') && left
  })
  const started = fresh?.metadata.annotations?.['workload.serving.volcano.sh/lora-template']
  assert.deepEqual(JSON.parse(started ?? '{}'), { sql: 'hf://zoo/sql2', de: 'hf://zoo/de' })
})

test('an engine that began without adapters takes some', async (t) => {
  const machine = await startMachine(t)
  machine.start()
  await machine.apply(chat({}))
  await machine.condition(ModelBooster, 'chat', 'Active')
  await machine.apply(chat({ sql: 'hf://zoo/sql' }))
  await everyEngineHas(machine, 1, ['sql'])
  assert.equal((await machine.client.get(ModelServing, { ...place, name: 'chat-vllm' })).metadata.generation, 1)
})

test('where engines cannot change theirs, other adapters are other pods', async (t) => {
  const machine = await startMachine(t)
  machine.start()
  await machine.apply(chat({ sql: 'hf://zoo/sql' }, { env: [] }))
  await machine.condition(ModelBooster, 'chat', 'Active')
  const [before] = await everyEngineHas(machine, 1, ['sql'])
  await machine.apply(chat({ fr: 'hf://zoo/fr' }, { env: [] }))
  const [after] = await everyEngineHas(machine, 1, ['fr'])
  assert.notEqual(after?.metadata.uid, before?.metadata.uid)
})
