/**
 * From a request to a replica: clients ask a booster's model through the router, simulated engines queue, their sidecars tell
 * it, and the policy follows: up, at rest, down, to zero, and back when somebody asks. Once with a clock for the policy that the
 * test moves, and once, with shorter times, as it is.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { AutoscalingPolicyBinding } from '#api/autoscaling-policy-binding.ts'
import { ModelBooster } from '#api/model-booster.ts'
import { ModelServing } from '#api/model-serving.ts'
import { manualClock } from '#base/manual-clock.testkit.ts'
import type { AutoscalingOptions } from '#cli/autoscaling.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { type Clients, startClients } from './asking.ts'
import { modelBooster } from './builders.ts'
import { type Machine, startMachine } from './machine.ts'

const place = { namespace: 'default', name: 'chat-vllm' }

/** Two requests at a time, a second each. */
function chat(behavior: Record<string, unknown>, scaleToZeroGracePeriod: string): AnyResource {
  const { spec: _, ...booster } = modelBooster('chat')
  const config = {
    'max-num-seqs': 2,
    'simulate-answer-tokens': 50,
    'simulate-inter-token-ms': 20,
    'simulate-ttft-ms': 0,
  }
  return {
    ...booster,
    spec: {
      backend: {
        name: 'vllm',
        type: 'vLLM',
        modelURI: 'hf://acme/tiny-chat',
        replicas: 1,
        minReplicas: 0,
        maxReplicas: 4,
        scaleToZeroGracePeriod,
        workers: [{ type: 'server', image: 'vllm/vllm-openai:latest', config }],
      },
      autoscalingPolicy: { metrics: [{ metricName: 'kthena:num_requests_waiting', targetValue: 4 }], behavior },
    },
  }
}

interface Scene {
  readonly machine: Machine
  readonly clients: Clients
  readonly replicas: () => Promise<number | undefined>
  readonly rules: () => Promise<readonly string[]>
  /** So many clients ask one question after another, until the function returned is called and all have their answers. */
  readonly crowd: (size: number) => () => Promise<void>
}

async function scene(t: TestContext, booster: AnyResource, options: AutoscalingOptions): Promise<Scene> {
  const machine = await startMachine(t)
  const urls: string[] = []
  const { informers } = machine.start(undefined, { ...options, routers: () => urls })
  const clients = await startClients(t, { ...machine, informers })
  urls.push(clients.operatorsUrl)
  await machine.apply(booster)
  await machine.condition(ModelBooster, 'chat', 'Active')
  await clients.answered('chat')
  return {
    machine,
    clients,
    replicas: async () => (await machine.find(ModelServing, place))?.spec.replicas,
    rules: async () => {
      const binding = await machine.find(AutoscalingPolicyBinding, place)
      return (binding?.status?.decisions ?? []).map(({ rule, current, desired }) => `${rule} ${current}→${desired}`)
    },
    crowd(size) {
      let open = true
      const one = async (): Promise<void> => {
        const question = {
          model: 'chat',
          messages: [{ role: 'user', content: 'Go on.' }],
          ignore_eos: true,
          max_tokens: 50,
        }
        while (open) assert.equal((await clients.post('/v1/chat/completions', question)).status, 200)
      }
      const all = Promise.all(Array.from({ length: size }, one))
      return async () => {
        open = false
        await all
      }
    },
  }
}

test('rises, rests, falls, goes to zero and wakes, by a clock of its own', async (t) => {
  const clock = manualClock(Date.now())
  const behavior = {
    scaleUp: { stablePolicy: { period: '15s', instances: 2 } },
    scaleDown: { period: '15s', stabilizationWindow: '60s' },
  }
  const { machine, clients, replicas, rules, crowd } = await scene(t, chat(behavior, '30s'), { clock })
  const tick = async (seconds = 15): Promise<number | undefined> => {
    await machine.settled()
    clock.advance(seconds * 1000)
    await machine.settled()
    return replicas()
  }
  /** As many pods ready as asked for, so that the next look sees all of them queue. */
  const ready = () => machine.condition(ModelServing, 'chat-vllm', 'Available')

  const leave = crowd(24)
  await machine.until('requests queue', async () =>
    (await (await fetch(`${clients.operatorsUrl}/debug/load`)).text()).includes('"inFlight":24'),
  )
  const rise: (number | undefined)[] = []
  for (let i = 0; i < 4; i++) {
    rise.push(await tick())
    await ready()
  }
  assert.deepEqual([rise[0], rise.at(-1)], [3, 4], `${rise} ${await rules()}`)
  const rest: (number | undefined)[] = []
  for (let i = 0; i < 20; i++) rest.push(await tick())
  assert.deepEqual(new Set(rest), new Set([4]), `at rest: ${rest} ${await rules()}`)
  await leave()

  const fall: (number | undefined)[] = []
  for (let i = 0; i < 8; i++) fall.push(await tick())
  assert.ok(
    fall.every((count, i) => i === 0 || (count ?? 0) <= (fall[i - 1] ?? 0)),
    `never up again: ${fall}`,
  )
  assert.equal(fall[2], 4, `not before its window: ${fall}`)
  assert.equal(fall.at(-1), 0, `${fall} ${await rules()}`)

  const asked = clients.ask('chat')
  await machine.until('it waits', async () =>
    (await (await fetch(`${clients.operatorsUrl}/debug/load`)).text()).includes('"waiting":1'),
  )
  assert.equal(await tick(1), 1)
  assert.equal((await asked).status, 200)
  assert.match((await rules())[0] ?? '', /^Waking 0→1$/)
})

test('and the same as it is, with shorter times', async (t) => {
  const behavior = {
    scaleUp: { stablePolicy: { period: '300ms', instances: 2 } },
    scaleDown: { period: '300ms', stabilizationWindow: '1s' },
  }
  const { machine, clients, replicas, crowd } = await scene(t, chat(behavior, '1s'), { tickMs: 250 })
  const reaches = (count: number) => machine.until(`${count} replicas`, async () => (await replicas()) === count)
  const leave = crowd(24)
  await reaches(4)
  await leave()
  await reaches(0)
  const { status, text } = await clients.ask('chat')
  assert.equal(status, 200, text)
})
