/** The commands that people are told to look for trouble with, as they are told them. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { recordingIo } from '#cli/io.testkit.ts'
import { main } from '#cli/main.ts'
import { findKubectl } from '../scripts/kubectl.ts'
import { aimModel, dockerConfigType, mi300x, recommending, secret } from './aim.ts'
import { type Kubectl, kubectlIn } from './conformance/kubectl.ts'
import { type ListeningWorld, serverName, startListeningWorld } from './listening-world.ts'
import { dockerConfig, startRegistry } from './registry.ts'

const found = await findKubectl(process.env)
if (!('path' in found)) {
  if (process.env['CI'] === 'true') test('kubectl is there', () => assert.fail(found.missing))
  else console.error(`the commands of the catalog are left out: ${found.missing}`)
} else {
  describe(`kubectl and the catalog against ${serverName}`, () => {
    let world: ListeningWorld
    let kubectl: Kubectl
    before(async () => {
      world = await startListeningWorld()
      kubectl = kubectlIn('ml-team', { path: found.path, kubeconfig: world.kubeconfig, home: world.home })
      await kubectl.ok('create namespace ml-team')
    })
    after(() => world[Symbol.asyncDispose]())

    const ready = (kind: string, name: string) => kubectl.ok(`wait ${kind}/${name} --for=condition=Ready --timeout=20s`)

    test('the conditions of a model are JSON that jq reads', async () => {
      await kubectl.ok('apply -f -', {
        input: aimModel(
          'given',
          { imageMetadata: recommending(mi300x), discovery: { createTemplates: true } },
          { namespace: 'ml-team' },
        ),
      })
      await ready('aimmodel', 'given')
      const printed = await kubectl.ok('get aimmodel given -o jsonpath={.status.conditions}')
      const conditions = JSON.parse(printed) as { type: string; status: string; reason: string }[]
      const extracted = conditions.find(({ type }) => type === 'MetadataExtracted')
      assert.deepEqual([extracted?.status, extracted?.reason], ['True', 'MetadataProvided'])
    })

    test('what a model says of discovery is printed as it was written, and nothing where it says nothing', async () => {
      assert.deepEqual(JSON.parse(await kubectl.ok('get aimmodel given -o jsonpath={.spec.discovery}')), {
        createTemplates: true,
      })
      for (const discovery of [{ createServiceTemplates: false }, { createTemplates: false }, undefined]) {
        const spec = { imageMetadata: recommending(mi300x), ...(discovery && { discovery }) }
        await kubectl.ok('apply -f -', { input: aimModel('says', spec, { namespace: 'ml-team' }) })
        const printed = await kubectl.ok('get aimmodel says -o jsonpath={.spec.discovery}')
        assert.deepEqual(printed === '' ? undefined : JSON.parse(printed), discovery)
        await kubectl.ok('delete aimmodel says')
      }
    })

    test('the recommended deployments are printed', async () => {
      const printed = await kubectl.ok(
        'get aimmodel given -o jsonpath={.status.imageMetadata.model.recommendedDeployments}',
      )
      assert.deepEqual(JSON.parse(printed), [mi300x])
    })

    test('the templates of a model are found by its name, and described', async () => {
      const listed = await kubectl.ok('get aimservicetemplates -l aim.eai.amd.com/model=given')
      const [header = '', ...rows] = listed.trim().split('\n')
      assert.match(header, /^NAME +MODEL +STATUS +HARDWARE +METRIC +PRECISION +AGE$/)
      assert.equal(rows.length, 1)
      assert.match(rows[0] ?? '', /given +Ready +4 x MI300X +throughput +fp16/)
      const [name = ''] = (rows[0] ?? '').split(' ')
      const described = await kubectl.ok(`describe aimservicetemplate ${name}`)
      assert.match(described, /Reason: +DiscoveryComplete/)
      assert.match(described, /DiscoveryJobCreated/)
      assert.match(await kubectl.ok('get aimmodels'), /^NAME +STATUS +SOURCE +IMAGE +MODEL +AGE/)
      assert.match(await kubectl.ok(`get job -l aim.eai.amd.com/template=${name}`), /Complete/)
      assert.match(await kubectl.ok('get aim'), /aimmodel\.aim\.eai\.amd\.com\/given/)
      assert.match(await kubectl.ok('get aimmdl,aimtpl'), /aimservicetemplate/)
      assert.match(
        await kubectl.ok('get aimservicetemplates -l aim.eai.amd.com/origin=auto-generated -A'),
        /ml-team +\S+/,
      )
    })

    test('why says of a model which templates it has, and of one that is not there that it is not', async () => {
      const why = async (what: string) => {
        const io = recordingIo({ env: { KUBECONFIG: world.kubeconfig } })
        await main(['why', what, '-n', 'ml-team'], io)
        return { out: io.out(), err: io.errors(), code: io.code() }
      }
      const { out, code } = await why('aimmodel/given')
      assert.match(out, /^AIMModel\/given is Ready\n/)
      assert.match(out, /there because the image recommends 4 x MI300X, fp16, throughput\n {4}Ready on 4 x MI300X\n/)
      assert.equal(code, 0)
      assert.match((await why('aimmodel/none')).err, /^error: .*"none" not found/)
    })

    test('a secret that is copied to aim-system heals a model of the cluster', async () => {
      await using registry = await startRegistry({ auth: 'basic' })
      await registry.push('amd/llama:1', {})
      const image = `${registry.host}/amd/llama:1`
      const model = {
        apiVersion: 'aim.eai.amd.com/v1alpha1',
        kind: 'AIMClusterModel',
        metadata: { name: 'shared' },
        spec: { image, imagePullSecrets: [{ name: 'registry-credentials' }] },
      }
      await kubectl.ok('apply -f -', { input: model })
      await kubectl.ok('wait aimclustermodel/shared --for=jsonpath={.status.status}=Failed --timeout=20s')
      const message = await kubectl.ok(
        'get aimclustermodel shared -o jsonpath={.status.conditions[?(@.type=="ImageMetadataReady")].message}',
      )
      assert.match(message, /registry-credentials .* aim-system/)
      await kubectl.refused('get secret registry-credentials -n aim-system')
      const config = dockerConfig(registry.host)
      await kubectl.ok('apply -f -', {
        input: secret('registry-credentials', config, { namespace: 'ml-team', type: dockerConfigType }),
      })
      const written = await kubectl.ok('get secret registry-credentials -n ml-team -o yaml')
      await kubectl.ok('apply -n aim-system -f -', {
        input: written.replaceAll('namespace: ml-team', 'namespace: aim-system'),
      })
      await ready('aimclustermodel', 'shared')
      assert.match(await kubectl.ok('get secret registry-credentials -n aim-system'), /registry-credentials/)
    })
  })
}
