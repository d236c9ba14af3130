import assert from 'node:assert/strict'
import { booster, enginePod } from './kubectl-objects.ts'
import type { KubectlCases } from './kubectl-suite.ts'
import { linesOf } from './kubectl.ts'

const pod = 'chat-vllm-0-leader-0-0'

export const podCases: KubectlCases = {
  'logs of engine, sidecar and downloader': async ({ ok, refused }) => {
    await ok('apply -f -', { input: booster('chat') })
    await ok('wait --for=condition=Active modelbooster/chat --timeout=20s')
    assert.match(await ok(`logs ${pod} -c engine`), /^simulated engine: .*Serving chat\n/)
    assert.match(await ok(`logs ${pod} -c runtime`), /^simulated runtime sidecar/)
    assert.match(await ok(`logs ${pod} -c chat-model-downloader`), /hf:\/\/acme\/tiny-chat/)
    assert.equal(linesOf(await ok(`logs ${pod} -c engine --tail=1`)).length, 1)
    assert.match(await ok(`logs ${pod} -c engine --timestamps`), /^\d{4}-\d\d-\d\dT\S+Z simulated engine/)
    assert.equal((await ok(`logs ${pod} -c engine --limit-bytes=9`)).length, 9)
    const prefixed = linesOf(await ok('logs -l modelserving.volcano.sh/entry=true --all-containers --prefix --tail=-1'))
    for (const container of ['engine', 'runtime', 'chat-model-downloader']) {
      assert.ok(
        prefixed.some((line) => line.startsWith(`[pod/${pod}/${container}] `)),
        container,
      )
    }
    assert.match(await refused(`logs ${pod} -c nobody`), /container nobody is not valid for pod/)
    assert.match(
      await refused(`logs ${pod} -c engine --previous`),
      /previous terminated container "engine" .*not found/,
    )
    assert.match(await refused('logs nobody'), /pods "nobody" not found/)
  },

  'logs -f goes on until the container ends': async ({ ok, follow }) => {
    await ok('create -f -', { input: enginePod('engine') })
    await ok('wait --for=condition=Ready pod/engine --timeout=20s')
    await using log = follow('logs -f engine')
    await log.line(/^Uvicorn running on/)
    await ok('delete pod engine')
    assert.equal(await log.ended(), 0)
  },

  'logs --previous is of the container that crashed': async ({ ok }) => {
    await ok('create -f -', { input: enginePod('engine', ['--simulate-crash-after-seconds', '0.05']) })
    await ok(['wait', '--for=jsonpath={.status.containerStatuses[0].restartCount}=1', 'pod/engine', '--timeout=20s'])
    assert.match(await ok('logs engine --previous'), /simulated crash\n$/)
    const why = 'jsonpath={.status.containerStatuses[0].lastState.terminated.exitCode}'
    assert.equal(await ok(`get pod engine -o ${why}`), '1')
  },

  'a node that is cordoned gets no pods': async ({ ok }) => {
    const node = await ok(
      'get node local --subresource=status -o jsonpath={.status.conditions[?(@.type=="Ready")].status}',
    )
    assert.equal(node, 'True')
    assert.equal(await ok('cordon local --dry-run=server'), 'node/local cordoned (server dry run)\n')
  },
}
