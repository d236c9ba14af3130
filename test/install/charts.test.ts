/** The charts against the plain manifests and against what their values say, each read by the program it is made for. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, test } from 'node:test'
import { promisify } from 'node:util'
import { applyMergePatch } from '#machinery/merge-patch.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { findHelm } from '../../scripts/control-plane.ts'
import { forThePrograms } from '../../scripts/install/installation.ts'
import { resolve } from '../../scripts/install/resolve.ts'
import { defaultValues, Values } from '../../scripts/install/values.ts'
import { findKubectl } from '../../scripts/kubectl.ts'
import { byName, objectsIn, objectsOf, root } from './objects.ts'

const run = promisify(execFile)
const scratch = mkdtempSync(join(tmpdir(), 'fairlead-charts-'))
after(() => rmSync(scratch, { recursive: true }))

const kubectl = await findKubectl(process.env)
const helm = await findHelm(process.env)
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

/** What operators write → what is asked here. */
type Given = Readonly<Record<string, unknown>>

const cases: Record<string, Given> = {
  'as it comes': {},
  'two namespaces only': { namespaces: ['team-a', 'team-b'] },
  'everything set': {
    image: {
      repository: 'registry.example.com/ai/fairlead',
      tag: `1.2.3@sha256:${'ab'.repeat(32)}`,
      pullPolicy: 'Always',
      pullSecrets: [{ name: 'registry' }],
    },
    logLevel: 'debug',
    manager: {
      replicas: 3,
      controllers: ['model-serving', 'routing'],
      registriesConfigMap: 'registries',
      resources: { limits: { cpu: '2' } },
      nodeSelector: { 'kubernetes.io/arch': 'arm64' },
      tolerations: [{ key: 'a', operator: 'Exists' }],
      affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [] } },
      priorityClassName: 'high',
    },
    router: {
      replicas: 12,
      drainSeconds: 2_000_000,
      service: { type: 'LoadBalancer', port: 8000, annotations: { 'a/b': '{"c":"d: #e"}' } },
    },
    networkPolicy: {
      apiServerPorts: [{ protocol: 'TCP', port: 7443 }],
      metricsFrom: [],
      clientsFrom: [{ podSelector: {} }],
    },
    serviceMonitor: { enabled: true, interval: '1m', labels: { release: 'prometheus' } },
  },
  'everything off': {
    manager: { replicas: 0 },
    networkPolicy: { enabled: false },
    podDisruptionBudget: { enabled: false },
  },
}

/** What operators write → what Helm must say of it. */
const wrong: Record<string, { given: Given; says: RegExp }> = {
  'a text for a number': {
    given: { router: { replicas: 'two' } },
    says: /\/router\/replicas': got string, want integer/,
  },
  'a name that nobody knows': {
    given: { manager: { replica: 1 } },
    says: /\/manager': additional properties 'replica' not allowed/,
  },
  'none of the choices': {
    given: { router: { service: { type: 'Ingress' } } },
    says: /must be one of 'ClusterIP', 'NodePort'/,
  },
  'no name of a namespace': {
    given: { namespaces: ['Team A'] },
    says: /\/namespaces\/0': 'Team A' does not match pattern/,
  },
}

function suite(kubectl: string, helm: string): void {
  /** A Helm that was built without a release's stamps takes the cluster for an ancient one. */
  const minor = '--kube-version=1.37'

  async function rendered(chart: string, given: Given = {}, namespace = 'fairlead-system'): Promise<AnyResource[]> {
    const values = join(scratch, `${process.hrtime.bigint()}.json`)
    writeFileSync(values, JSON.stringify(given))
    const args = ['template', 'any', `charts/${chart}`, '--namespace', namespace, minor, '--values', values]
    return objectsOf((await run(helm, args, { cwd: root, maxBuffer: 2 ** 26 })).stdout)
  }

  async function kustomized(folder: string): Promise<AnyResource[]> {
    return objectsOf((await run(kubectl, ['kustomize', folder], { cwd: root, maxBuffer: 2 ** 26 })).stdout)
  }

  for (const [name, given] of Object.entries(cases)) {
    test(`the chart says what its values say: ${name}`, async () => {
      const scope = {
        values: Values.parse(applyMergePatch(defaultValues, given)),
        namespace: 'fairlead-system',
        version,
      }
      const documents = Object.values(forThePrograms).flatMap((parts) => Object.values(parts).flat())
      assert.deepEqual(byName(await rendered('fairlead', given)), byName(resolve(documents, scope)))
    })
  }

  test('config/programs and the chart are the same objects, but for the namespace, which Helm makes', async () => {
    const plain = await kustomized('config/programs')
    const others = plain.filter(({ kind }) => kind !== 'Namespace')
    assert.equal(others.length, plain.length - 1)
    assert.deepEqual(byName(await rendered('fairlead')), byName(others))
  })

  test('config/crd, config/user-roles and config/aim-system are the chart of definitions, which adds that Helm leaves those be', async () => {
    const kept = { 'helm.sh/resource-policy': 'keep' }
    const folders = ['config/crd', 'config/user-roles', 'config/aim-system']
    const plain = (await Promise.all(folders.map(kustomized)))
      .flat()
      .map((object) =>
        object.kind === 'CustomResourceDefinition'
          ? { ...object, metadata: { ...object.metadata, annotations: kept } }
          : object,
      )
    assert.ok(plain.length > 6)
    assert.deepEqual(byName(await rendered('fairlead-crds')), byName(plain))
  })

  test('config/default is all of it, and each folder is all files in it', async () => {
    const folders = ['crd', 'user-roles', 'aim-system', 'rbac', 'manager', 'router', 'network-policy', 'programs']
    assert.deepEqual(byName(await kustomized('config/default')), byName(objectsIn(...folders)))
  })

  test('config/namespaced is what the chart makes for one namespace, its own or that of whoever builds on it', async () => {
    const theirs = join(scratch, 'theirs')
    mkdirSync(theirs)
    const base = relative(realpathSync(theirs), join(root, 'config/namespaced'))
    writeFileSync(join(theirs, 'kustomization.yaml'), JSON.stringify({ namespace: 'team-a', resources: [base] }))
    for (const [folder, namespace] of [
      [join(root, 'config/namespaced'), 'fairlead'],
      [theirs, 'team-a'],
    ] as const) {
      const plain = JSON.stringify(await kustomized(folder))
      const told = plain.replaceAll('--namespaces=$(POD_NAMESPACE)', `--namespaces=${namespace}`)
      const chart = await rendered('fairlead', { namespaces: [namespace] }, namespace)
      assert.deepEqual(withSortedArgs(JSON.parse(told) as AnyResource[]), withSortedArgs(chart))
    }
  })

  for (const [name, { given, says }] of Object.entries(wrong)) {
    test(`wrong values get a clear answer: ${name}`, async () => {
      await assert.rejects(rendered('fairlead', given), ({ stderr }: { stderr: string }) => says.test(stderr))
    })
  }

  test('helm lint finds nothing', async () => {
    const { stdout } = await run(helm, ['lint', '--strict', 'charts/fairlead', 'charts/fairlead-crds'], { cwd: root })
    assert.match(stdout, /2 chart\(s\) linted, 0 chart\(s\) failed/)
    assert.doesNotMatch(stdout, /WARNING|ERROR/)
  })
}

/** A patch can only add an argument at the end. */
function withSortedArgs(objects: readonly AnyResource[]): Record<string, AnyResource> {
  const sorted = JSON.stringify(objects, (name, value: unknown) =>
    name === 'args' ? (value as string[]).sort() : value,
  )
  return byName(JSON.parse(sorted) as AnyResource[])
}

if ('path' in kubectl && 'path' in helm) suite(kubectl.path, helm.path)
else {
  const missing = [kubectl, helm].flatMap((place) => ('missing' in place ? [place.missing] : [])).join(', ')
  if (process.env['CI'] === 'true') test('kubectl and Helm are there', () => assert.fail(missing))
  else console.error(`the tests of the charts are left out: ${missing}`)
}
