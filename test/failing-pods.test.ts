/**
 * A pod that cannot start is told in the status of a ModelServing that somebody wrote by hand: object, container, reason
 * and mend, within seconds. What a ModelBooster tells is in `fault-table.test.ts`.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ModelServing } from '#api/model-serving.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import { modelServing, podTemplate, role } from './builders.ts'
import { startWorld, type World } from './world.ts'

const tellWithinMs = 5_000

interface Trouble {
  readonly bad: AnyResource
  /** Applied, or created beside it: what puts it right. */
  readonly mend: AnyResource
  /** What the message must say, in this order: object and container, reason, cause, mend. */
  readonly says: readonly RegExp[]
}

const serving = (...roles: Record<string, unknown>[]) => modelServing('bad', { template: { roles } })
const secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'keys', namespace: 'default' },
  stringData: { ACCESS_KEY: 'a', SECRET_KEY: 'b' },
}

const ofServings: Record<string, Trouble> = {
  'a command that there is not': {
    bad: serving(role('leader', { entryTemplate: podTemplate({ command: ['vlmm', 'serve'] }) })),
    mend: serving(role('leader')),
    says: [/pod bad-0-leader-0-0/, /container engine/, /RunContainerError|StartError/, /vlmm/, /correct the command/],
  },
  'a key that the secret does not have, in a worker': {
    bad: serving(
      role('leader', {
        workerReplicas: 1,
        workerTemplate: podTemplate({
          env: [{ name: 'KEY', valueFrom: { secretKeyRef: { name: 'keys', key: 'ACCESS_KEY' } } }],
        }),
      }),
    ),
    mend: secret,
    says: [/pod bad-0-leader-0-1/, /container engine/, /CreateContainerConfigError/, /"keys" not found/, /create what/],
  },
}

for (const [name, trouble] of Object.entries(ofServings)) {
  test(`${name}: told by a ModelServing written by hand within 5 s, and clears when mended`, async (t) => {
    await toldAndMended(t, await startWorld(t), trouble)
  })
}

async function toldAndMended(t: TestContext, world: World, { bad, mend, says }: Trouble): Promise<void> {
  const inOrder = new RegExp(says.map(({ source }) => `(?:${source})`).join('[^]*'))
  const startedMs = performance.now()
  await world.apply(bad)
  const { message } = await world.until(`PodsFailing saying ${inOrder}`, async () => {
    const found = (await conditions(world)).find(({ type }) => type === 'PodsFailing')
    return found?.status === 'True' && inOrder.test(found.message) ? found : undefined
  })
  const tookMs = Math.round(performance.now() - startedMs)
  t.diagnostic(`after ${tookMs} ms: ${message}`)
  assert.ok(tookMs < tellWithinMs, `took ${tookMs} ms to tell`)

  await world.apply(mend)
  await world.condition(ModelServing, 'bad', 'Available')
  const after = await conditions(world)
  assert.equal(after.find(({ type }) => type === 'PodsFailing')?.status, 'False')
  assert.ok(!after.some((each) => /container/.test(each.message)), JSON.stringify(after))
  await world.settled()
}

async function conditions(world: World): Promise<readonly Condition[]> {
  const found = await world.find(ModelServing, { namespace: 'default', name: 'bad' })
  return found?.status?.conditions ?? []
}
