import assert from 'node:assert/strict'
import type { AnyResource } from '#machinery/meta.ts'
import { booster, configMap } from './kubectl-objects.ts'
import type { KubectlCases } from './kubectl-suite.ts'
import { linesOf } from './kubectl.ts'

const full = 'modelbooster.workload.serving.volcano.sh/chat'

export const applyCases: KubectlCases = {
  'apply creates, changes, and knows when there is nothing to do': async ({ ok }) => {
    const object = booster('chat')
    const version = (): Promise<string> => ok(['get', 'modelbooster', 'chat', '-o', 'jsonpath={.metadata.generation}'])
    assert.equal(await ok('apply -f -', { input: object }), `${full} created\n`)
    assert.equal(await ok('apply -f -', { input: object }), `${full} unchanged\n`)
    assert.equal(await version(), '1')
    const changed = booster('chat', { modelURI: 'hf://acme/other' })
    assert.equal(await ok('apply -f -', { input: changed }), `${full} configured\n`)
    assert.equal(await version(), '2')

    const { data, ...emptied } = configMap('one', { a: '1', b: '2' })
    await ok('apply -f -', { input: { ...emptied, data } })
    await ok('apply -f -', { input: { ...emptied, data: { b: '3' } } })
    assert.equal(await ok('get cm one -o jsonpath={.data}'), '{"b":"3"}')
  },

  'a dry run on the server checks and changes nothing': async ({ ok, refused }) => {
    const input = booster('chat')
    assert.equal(await ok('apply --dry-run=server -f -', { input }), `${full} created (server dry run)\n`)
    assert.equal(await ok('apply --dry-run=client -f -', { input }), `${full} created (dry run)\n`)
    assert.equal(
      await ok('apply --server-side --dry-run=server -f -', { input }),
      `${full} serverside-applied (server dry run)\n`,
    )
    const shown = await ok('create --dry-run=server -o yaml -f -', { input })
    assert.match(shown, /routeWeight: 100/) // the server's default
    assert.match(
      await refused('apply --dry-run=server -f -', { input: booster('chat', { type: 'Sorcery' }) }),
      /Sorcery/,
    )
    assert.equal(await ok('get modelbooster'), '')
  },

  'server-side apply owns what it wrote, and says who else does': async ({ ok, refused }) => {
    const replicas = (count: number): AnyResource => booster('chat', { minReplicas: count, maxReplicas: count })
    const apply = 'apply --server-side -f -'
    assert.equal(await ok(apply, { input: replicas(1) }), `${full} serverside-applied\n`)
    assert.equal(await ok(apply, { input: replicas(2) }), `${full} serverside-applied\n`)
    const conflict = await refused(`${apply} --field-manager=other`, { input: replicas(3) })
    assert.match(conflict, /Apply failed with 2 conflicts: conflicts with "kubectl":/)
    assert.match(conflict, /\.spec\.backends\[name="vllm"\]\.minReplicas/)
    assert.equal(
      await ok(`${apply} --field-manager=other --force-conflicts`, { input: replicas(3) }),
      `${full} serverside-applied\n`,
    )
    const path = 'jsonpath={.spec.backends[0].minReplicas} {.metadata.managedFields[*].manager}'
    const [count, ...managers] = (await ok(['get', 'modelbooster', 'chat', '-o', path])).split(' ')
    assert.equal(count, '3')
    assert.ok(managers.includes('other') && managers.includes('kubectl'))
    assert.match(await refused(apply, { input: replicas(2) }), /conflicts with "other"/)
  },

  'fields that one manager gives up go, and those of others stay': async ({ ok }) => {
    const data = 'get cm one -o jsonpath={.data}'
    await ok('apply --server-side -f -', { input: configMap('one', { a: '1', b: '2' }) })
    await ok('apply --server-side --field-manager=other -f -', { input: configMap('one', { c: '3' }) })
    await ok('apply --server-side -f -', { input: configMap('one', { b: '2' }) })
    assert.equal(await ok(data), '{"b":"2","c":"3"}')
  },

  'what was applied by kubectl can be applied server-side from then on': async ({ ok }) => {
    await ok('apply -f -', { input: configMap('one', { a: '1', b: '2' }) })
    await ok('apply --server-side -f -', { input: configMap('one', { a: '1', b: '2' }) })
    await ok('apply --server-side -f -', { input: configMap('one', { a: '1' }) })
    assert.equal(await ok('get cm one -o jsonpath={.data}'), '{"a":"1"}')
  },

  'an invalid object is refused by field and mend': async ({ ok, refused }) => {
    const wrong: [object: AnyResource, message: RegExp][] = [
      [
        booster('chat', { type: 'Sorcery' }),
        /The ModelBooster "chat" is invalid:[^]*spec\.backends\[0\]\.type: Unsupported value: "Sorcery": supported values: "vLLM"/,
      ],
      [booster('chat', { modelURI: 'ftp://x' }), /spec\.backends\[0\]\.modelURI: Invalid value: "ftp:\/\/x"/],
      [
        booster('chat', { maxReplicas: undefined }),
        /spec\.backends\[0\]\.minReplicas: .*minReplicas and maxReplicas go together; for a fixed number give replicas alone/,
      ],
      [booster('chat', { workers: undefined }), /spec\.backends\[0\]\.workers: Required value/],
      [booster('Chat'), /metadata\.name: Invalid value: "Chat": a lowercase RFC 1123 subdomain/],
    ]
    for (const [input, message] of wrong) {
      assert.match(await refused('apply -f -', { input }), message)
      assert.match(await refused('apply --server-side -f -', { input }), message)
    }
    assert.equal(await ok('get modelbooster'), '')
  },

  'a field that nobody knows is an error, a warning or nothing, as asked': async ({ run, refused }) => {
    const input = booster('chat', { replica: 1 })
    const unknown = /unknown field "spec\.backends\[0\]\.replica"/
    assert.match(await refused('apply -f -', { input }), /strict decoding error: unknown field/)
    assert.match(await refused('create --validate=strict -f -', { input }), unknown)
    const warned = await run('apply --validate=warn -f -', { input })
    assert.deepEqual([warned.code, warned.out], [0, `${full} created\n`])
    assert.match(warned.err, /^Warning: unknown field "spec\.backends\[0\]\.replica"$/m)
    const ignored = await run('apply --validate=ignore -f -', { input })
    assert.equal(ignored.code, 0)
    assert.doesNotMatch(ignored.err, unknown)
  },

  'diff shows what apply would change, and ends with 1 when there is something': async ({ ok, run }) => {
    const input = booster('chat')
    await ok('apply --server-side -f -', { input })
    await ok('wait --for=condition=Active modelbooster/chat --timeout=20s') // its status is written no more
    assert.equal(await ok('diff --server-side -f -', { input }), '')
    const changed = booster('chat', { modelURI: 'hf://acme/other' })
    const differs = await run('diff --server-side -f -', { input: changed })
    assert.equal(differs.code, 1)
    const lines = linesOf(differs.out).filter((line) => /^[-+] .*modelURI/.test(line))
    assert.deepEqual(lines, ['-    modelURI: hf://acme/tiny-chat', '+    modelURI: hf://acme/other'])
    assert.equal((await run('diff -f -', { input: changed })).code, 1)
    const wrong = await run('diff --server-side -f -', { input: booster('new', { type: 'Sorcery' }) })
    assert.ok(wrong.code > 0)
    assert.match(wrong.err, /Unsupported value: "Sorcery"/)
  },
}
