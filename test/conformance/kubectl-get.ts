import assert from 'node:assert/strict'
import type { AnyResource } from '#machinery/meta.ts'
import { booster, configMap, enginePod, strangePod, notTheClusters } from './kubectl-objects.ts'
import type { KubectlCases } from './kubectl-suite.ts'
import { linesOf, rowsOf } from './kubectl.ts'

const age = /^\d+s$/

export const getCases: KubectlCases = {
  'get prints tables with the columns of each kind': async ({ ok, namespace }) => {
    await ok('apply -f -', { input: booster('chat') })
    await ok('wait --for=condition=Active modelbooster/chat --timeout=20s')
    const table = async (line: string): Promise<string[][]> => {
      const rows = rowsOf(await ok(line))
      return rows.map((row) => row.map((cell) => (age.test(cell) ? '<age>' : cell)))
    }
    assert.deepEqual(await table('get modelbooster'), [
      ['NAME', 'ACTIVE', 'FAILED', 'BACKENDS', 'STATUS', 'AGE'],
      ['chat', 'True', '1', 'ModelBooster is ready', '<age>'],
    ])
    assert.deepEqual(await table('get modelserving/chat-vllm'), [
      ['NAME', 'REPLICAS', 'AVAILABLE', 'UPDATED', 'AGE'],
      ['chat-vllm', '1', '1', '1', '<age>'],
    ])
    assert.deepEqual(await table('get modelroutes,modelservers --show-kind --no-headers'), [
      ['modelroute.networking.serving.volcano.sh/chat', 'chat', '<age>'],
      ['modelserver.networking.serving.volcano.sh/chat-vllm', 'vLLM', '8000', 'http', '<age>'],
    ])
    const [header, pod] = await table('get pods -o wide')
    assert.deepEqual(header?.slice(0, 7), ['NAME', 'READY', 'STATUS', 'RESTARTS', 'AGE', 'IP', 'NODE'])
    assert.deepEqual(pod?.slice(0, 5), ['chat-vllm-0-leader-0-0', '2/2', 'Running', '0', '<age>'])
    assert.match(pod?.[5] ?? '', /^127\./)
    assert.equal(pod?.[6], 'local')
    const everywhere = await table('get modelboosters -A')
    assert.deepEqual(everywhere[0], ['NAMESPACE', 'NAME', 'ACTIVE', 'FAILED', 'BACKENDS', 'STATUS', 'AGE'])
    assert.deepEqual(
      everywhere.filter(([owner]) => owner === namespace),
      [[namespace, 'chat', 'True', '1', 'ModelBooster is ready', '<age>']],
    )
    assert.deepEqual((await table('get modelbooster -L tier --show-labels'))[0]?.slice(-2), ['TIER', 'LABELS'])
    assert.deepEqual(rowsOf(await ok('get modelbooster -o custom-columns=N:.metadata.name,T:.spec.backends[*].type')), [
      ['N', 'T'],
      ['chat', 'vLLM'],
    ])
  },

  'get prints objects as YAML, JSON, names and by template': async ({ ok, refused, namespace }) => {
    await ok('apply -f -', { input: configMap('one', { colour: 'red' }) })
    assert.equal(await ok('get configmap one -o name'), 'configmap/one\n')
    assert.equal(await ok(['get', 'cm', 'one', '-o', 'jsonpath={.kind} {.data.colour}{"\\n"}']), 'ConfigMap red\n')
    assert.equal(
      await ok(['get', 'cm', '-o', 'jsonpath={range .items[?(@.data.colour=="red")]}{.metadata.name}{end}']),
      'one',
    )
    assert.equal(await ok(['get', 'cm', 'one', '-o', 'go-template={{.data.colour}}']), 'red')
    const yaml = linesOf(await ok('get configmap one -o yaml'))
    for (const line of ['apiVersion: v1', 'kind: ConfigMap', '  colour: red', `  namespace: ${namespace}`]) {
      assert.ok(yaml.includes(line), line)
    }
    assert.ok(!yaml.includes('  managedFields:'))
    assert.match(await ok('get cm one -o yaml --show-managed-fields'), /manager: kubectl-client-side-apply/)
    const list = JSON.parse(await ok(`get cm -o json ${notTheClusters}`)) as { kind: string; items: AnyResource[] }
    assert.deepEqual([list.kind, list.items.map((item) => item.metadata.name)], ['List', ['one']])
    assert.equal(await refused('get configmap two'), 'Error from server (NotFound): configmaps "two" not found\n')
    assert.equal(await ok('get configmap two --ignore-not-found'), '')
  },

  'get selects by label and by field, sorts, and reads in pages': async ({ ok, run, refused, namespace }) => {
    const sizes = { a: '3', b: '1', c: '2', d: '5', e: '4' }
    const input = Object.entries(sizes).map(([name, size]) => {
      const object = configMap(name, { size })
      return { ...object, metadata: { name, labels: { odd: String(Number(size) % 2 === 1), [name]: '' } } }
    })
    await ok('create -f -', { input })
    const names = async (...line: string[]): Promise<string> =>
      linesOf(await ok(['get', 'cm', '-o', 'name', ...line]))
        .map((name) => name.replace('configmap/', ''))
        .join('')
    assert.equal(await names('-l', 'odd=true'), 'abd')
    assert.equal(await names('-l', 'odd in (true,false),!a,odd!=true'), 'ce')
    assert.equal(await names('--field-selector', 'metadata.name=c'), 'c')
    assert.equal(await names('--field-selector', 'metadata.name!=c', '-l', 'b'), 'b')
    assert.equal(await names('--sort-by=.data.size', notTheClusters), 'bcaed')

    const paged = await run(`get cm -o name --chunk-size=2 -v=6 ${notTheClusters}`)
    assert.equal(linesOf(paged.out).length, 5)
    const asked = paged.err.split('\n').filter((line) => line.includes(`namespaces/${namespace}/configmaps?`))
    assert.equal(asked.length, 3)
    assert.equal(asked.filter((line) => line.includes('continue=')).length, 2)
    assert.match(
      await refused('get cm --field-selector data.size=1'),
      /field label not supported|not a known field selector/,
    )
  },

  'get pods selects by phase and node': async ({ ok }) => {
    await ok('create -f -', { input: [enginePod('good'), strangePod('bad')] })
    await ok('wait --for=condition=Ready pod/good --timeout=20s')
    const names = async (selector: string): Promise<string[]> =>
      linesOf(await ok(`get pods -o name --sort-by=.metadata.name --field-selector ${selector}`))
    assert.deepEqual(await names('spec.nodeName=local,metadata.name=good,status.phase=Running'), ['pod/good'])
    assert.deepEqual(await names('status.phase!=Running'), ['pod/bad'])
    assert.deepEqual(await names('spec.nodeName=local'), ['pod/bad', 'pod/good'])
  },

  'get -w follows what happens, with the words ADDED, MODIFIED and DELETED if asked': async ({ ok, follow }) => {
    await ok('create -f -', { input: strangePod('earlier') })
    await using rows = follow('get pods -w')
    await using words = follow('get pods -w --output-watch-events')
    for (const pattern of [/^NAME +READY +STATUS/, /^earlier +0\/1 /]) await rows.line(pattern)
    for (const pattern of [/^EVENT +NAME/, /^ADDED +earlier/]) await words.line(pattern)
    await ok('create -f -', { input: enginePod('engine') })
    for (const pattern of [/^engine +0\/1 +Pending/, /^engine +1\/1 +Running/]) await rows.line(pattern)
    for (const pattern of [/^ADDED +engine/, /^MODIFIED +engine/]) await words.line(pattern)
    await ok('delete pod engine')
    await rows.line(/^engine +1\/1 +Terminating/)
    await words.line(/^DELETED +engine/)
  },

  'get -w of our kinds prints our columns, or whole objects': async ({ ok, follow }) => {
    await ok('apply -f -', { input: booster('chat') })
    await using rows = follow('get modelbooster -w') // of one by name, kubectl leaves out what happens as it begins
    await using objects = follow([
      'get',
      'modelbooster',
      '-w',
      '-o',
      'jsonpath={.metadata.name} {.metadata.annotations.seen}{"\\n"}',
    ])
    await rows.line(/^chat +True +1 /)
    await ok('annotate modelbooster chat seen=yes')
    await objects.line(/^chat yes$/)
  },

  'describe shows an object with its conditions and events': async ({ ok, namespace }) => {
    await ok('apply -f -', { input: booster('chat') })
    await ok('wait --for=condition=Active modelbooster/chat --timeout=20s')
    const described = await ok('describe modelbooster chat')
    for (const pattern of [
      /^Name: +chat$/m,
      new RegExp(`^Namespace: +${namespace}$`, 'm'),
      /^Kind: +ModelBooster$/m,
      /^ +Model URI: +hf:\/\/acme\/tiny-chat$/m,
      /^ +Type: +Active$/m,
      /^ +Normal +ServingApplied .*created ModelServing chat-vllm$/m,
    ]) {
      assert.match(described, pattern)
    }
    const pod = await ok('describe pod chat-vllm-0-leader-0-0')
    assert.match(pod, /^Controlled By: +ModelServing\/chat-vllm$/m)
    assert.match(pod, /^ +Ready +True *$/m)
    assert.match(pod, /^ +Normal +Started .*Started container engine/m)
    assert.match(await ok('describe node local'), /^ +Ready +True /m)
    assert.match(await ok('describe modelserving'), /^Name: +chat-vllm$/m)
  },

  'events are listed, of one object and by type': async ({ ok, follow }) => {
    await ok('apply -f -', { input: [booster('chat'), strangePod('bad')] })
    await ok('wait --for=condition=Active modelbooster/chat --timeout=20s')
    const [header, ...rows] = rowsOf(await ok('events --for modelbooster/chat'))
    assert.deepEqual(header, ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'])
    assert.ok(
      rows.some(([, ...row]) => String(row) === 'Normal,ModelAvailable,ModelBooster/chat,ModelBooster is ready'),
    )
    assert.ok(rows.every((row) => row[3] === 'ModelBooster/chat'))
    await using warnings = follow('events --types=Warning --for pod/bad --watch')
    await warnings.line(/^\S+ +.*Warning +\S+ +Pod\/bad/)

    const table = rowsOf(await ok('get events --sort-by=.lastTimestamp'))
    assert.deepEqual(table[0], ['LAST SEEN', 'TYPE', 'REASON', 'OBJECT', 'MESSAGE'])
    assert.ok(table.some((row) => row[3] === 'modelbooster/chat'))
  },
}
