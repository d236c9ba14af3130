import assert from 'node:assert/strict'
import type { AnyResource } from '#machinery/meta.ts'
import { booster, configMap, enginePod, serving } from './kubectl-objects.ts'
import type { KubectlCases } from './kubectl-suite.ts'

const chat = 'modelbooster.workload.serving.volcano.sh/chat'

export const writeCases: KubectlCases = {
  'create makes what is not there, and only that': async ({ ok, refused }) => {
    assert.equal(await ok('create -f -', { input: booster('chat') }), `${chat} created\n`)
    assert.match(
      await refused('create -f -', { input: booster('chat') }),
      /\(AlreadyExists\).*modelboosters\.\S+ "chat" already exists/,
    )
    const generated = { ...configMap(''), metadata: { generateName: 'gen-' } }
    assert.match(await ok('create -f -', { input: generated }), /^configmap\/gen-\w{5} created\n$/)
  },

  'create and run of what kubectl itself puts together': async ({ ok }) => {
    await ok('create secret generic token --from-literal=HF_TOKEN=x')
    assert.equal(await ok('get secret token -o jsonpath={.data.HF_TOKEN}'), 'eA==')
    await ok('create configmap settings --from-literal=a=b')
    await ok('create serviceaccount engine')
    await ok('run solo --image=vllm/vllm-openai:latest --command -- vllm serve tiny')
    await ok('wait --for=condition=Ready pod/solo --timeout=20s')
    assert.equal(await ok('expose pod solo --port=8000'), 'service/solo exposed\n')
    assert.match(await ok('get service solo'), /8000\/TCP/)
  },

  'replace needs the version that it was made from': async ({ ok, refused }) => {
    await ok('create -f -', { input: configMap('one', { a: '1' }) })
    const read = async (): Promise<AnyResource> => JSON.parse(await ok('get cm one -o json')) as AnyResource
    const stale = await read()
    assert.equal(await ok('replace -f -', { input: { ...stale, data: { a: '2' } } }), 'configmap/one replaced\n')
    assert.match(
      await refused('replace -f -', { input: { ...stale, data: { a: '3' } } }),
      /\(Conflict\).*Operation cannot be fulfilled on configmaps "one": the object has been modified/,
    )
    assert.match(await refused('replace -f -', { input: configMap('two') }), /configmaps "two" not found/)
    await ok('replace --force -f -', { input: configMap('one', { a: '4' }) })
    const { metadata, data } = (await read()) as AnyResource & { data: unknown }
    assert.deepEqual(data, { a: '4' })
    assert.notEqual(metadata.uid, stale.metadata.uid)
  },

  'edit changes what the editor wrote, and shows what is wrong with it': async ({ ok, run }) => {
    await ok('create -f -', { input: booster('chat') })
    const edit = (script: string) => run('edit modelbooster chat', { env: { KUBE_EDITOR: `sed -i ${script}` } })
    assert.equal((await edit('s/tiny-chat/other/')).out, `${chat} edited\n`)
    assert.equal(await ok('get modelbooster chat -o jsonpath={.spec.backends[0].modelURI}'), 'hf://acme/other')
    assert.equal((await edit('s/nothing/nothing/')).err, 'Edit cancelled, no changes made.\n')
    const wrong = await edit('s/vLLM/Sorcery/')
    assert.equal(wrong.code, 1)
    assert.match(wrong.err, /modelboosters\.\S+ "chat" is invalid/)
  },

  'patch in all types': async ({ ok, refused }) => {
    await ok('create -f -', { input: [booster('chat'), enginePod('engine')] })
    await ok('wait --for=condition=Active modelbooster/chat --timeout=20s') // so that only we change it
    const patch = (kind: string, type: string, body: unknown): string[] => [
      'patch',
      kind,
      '--type',
      type,
      '-p',
      JSON.stringify(body),
    ]
    const note = (value: string | null) => ({ metadata: { annotations: { note: value } } })
    const seen = (): Promise<string> => ok('get modelbooster chat -o jsonpath={.metadata.annotations.note}')

    assert.equal(await ok(patch('modelbooster/chat', 'merge', note('a'))), `${chat} patched\n`)
    assert.equal(await ok(patch('modelbooster/chat', 'merge', note('a'))), `${chat} patched (no change)\n`)
    assert.equal(await seen(), 'a')
    const path = '/metadata/annotations/note'
    const replaceIf = (value: string) => [
      { op: 'test', path, value },
      { op: 'replace', path, value: 'b' },
    ]
    await ok(patch('modelbooster/chat', 'json', replaceIf('a')))
    assert.equal(await seen(), 'b')
    assert.match(await refused(patch('modelbooster/chat', 'json', replaceIf('a'))), /The request is invalid/)
    assert.match(
      await refused(patch('modelbooster/chat', 'strategic', note('c'))),
      /accepted media types include: application\/json-patch\+json, application\/merge-patch\+json/,
    )
    await ok(patch('modelbooster/chat', 'merge', note(null)))
    assert.equal(await seen(), '')

    const added = {
      metadata: { labels: { a: 'b' } },
      spec: { containers: [{ name: 'engine', image: 'vllm/vllm-openai:v2' }] },
    }
    await ok(patch('pod/engine', 'strategic', added))
    const container = JSON.parse(await ok('get pod engine -o jsonpath={.spec.containers}')) as unknown[]
    assert.equal(container.length, 1)
    assert.match(JSON.stringify(container), /serve.*v2/) // joined by name: the command stays

    await ok([...patch('modelbooster/chat', 'merge', { status: { observedGeneration: 1 } }), '--subresource=status'])
    assert.match(
      await refused(patch('modelbooster/chat', 'merge', { spec: { backends: [] } })),
      /spec\.backends|spec: Invalid value/,
    )
  },

  'scale of a ModelServing makes and removes pods': async ({ ok, refused }) => {
    await ok('create -f -', { input: serving('engine') })
    const scaled = 'modelserving.workload.serving.volcano.sh/engine scaled\n'
    const available = (count: number) =>
      ok(['wait', `--for=jsonpath={.status.availableReplicas}=${count}`, 'modelserving/engine', '--timeout=20s'])
    await available(1)
    assert.equal(await ok('scale modelserving/engine --replicas=2'), scaled)
    await available(2)
    assert.equal(await ok('scale modelserving/engine --replicas=1 --current-replicas=2'), scaled)
    await available(1)
    assert.match(
      await refused('scale modelserving/engine --replicas=3 --current-replicas=5'),
      /Expected replicas to be 5, was 1/,
    )
    const scale = await ok('get modelserving engine --subresource=scale -o jsonpath={.kind}:{.spec.replicas}')
    assert.equal(scale, 'Scale:1')
    assert.match(await refused('scale node/local --replicas=1'), /could not find the requested resource/)
  },

  'label and annotate set, replace and remove': async ({ ok, refused }) => {
    await ok('create -f -', { input: configMap('one') })
    assert.equal(await ok('label cm one tier=gold'), 'configmap/one labeled\n')
    assert.match(
      await refused('label cm one tier=tin'),
      /'tier' already has a value \(gold\), and --overwrite is false/,
    )
    await ok('label cm one tier=tin --overwrite')
    assert.equal(await ok('get cm -l tier=tin -o name'), 'configmap/one\n')
    assert.equal(await ok('label cm one tier-'), 'configmap/one unlabeled\n')
    assert.match(await refused(['label', 'cm', 'one', 'tier=not valid']), /a valid label must be|Invalid value/)
    const noted = await ok(['annotate', 'cm', '--all', 'note=as long as one likes'])
    assert.match(noted, /^configmap\/one annotated$/m)
    assert.equal(await ok('annotate cm one note-'), 'configmap/one annotated\n')
    assert.equal(await ok('get cm one -o jsonpath={.metadata.labels}{.metadata.annotations}'), '')
  },

  'wait: for a condition, a value, the making of an object; and its patience ends': async ({ ok, refused }) => {
    const made = ok('wait --for=create modelserving/chat-vllm --timeout=20s')
    await ok('create -f -', { input: booster('chat') })
    await made
    assert.equal(await ok('wait --for=condition=Active modelbooster/chat --timeout=20s'), `${chat} condition met\n`)
    await ok(['wait', '--for=jsonpath={.status.availableReplicas}=1', 'modelserving', '--all', '--timeout=20s'])
    assert.match(
      await refused('wait --for=condition=Failed modelbooster/chat --timeout=100ms'),
      /timed out waiting for the condition on modelboosters\/chat/,
    )
  },
}
