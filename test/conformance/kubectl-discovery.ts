import assert from 'node:assert/strict'
import { ownKinds } from '#api/kinds.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { StructuralSchema } from '#machinery/structural-schema.ts'
import type { KubectlCases } from './kubectl-suite.ts'
import { linesOf, rowsOf } from './kubectl.ts'

export const discoveryCases: KubectlCases = {
  'api-resources lists every kind, by group, scope and verb too': async ({ ok }) => {
    const [header, ...rows] = rowsOf(await ok('api-resources'))
    assert.deepEqual(header, ['NAME', 'SHORTNAMES', 'APIVERSION', 'NAMESPACED', 'KIND'])
    const has = (...row: string[]): void =>
      assert.ok(
        rows.some((each) => String(each) === String(row)),
        String(row),
      )
    for (const kind of ownKinds)
      has(kind.plural, ...kind.shortNames, apiVersionOf(kind), String(kind.namespaced), kind.kind)
    has('pods', 'po', 'v1', 'true', 'Pod')
    has('customresourcedefinitions', 'crd,crds', 'apiextensions.k8s.io/v1', 'false', 'CustomResourceDefinition')

    const ofGroup = linesOf(await ok('api-resources -o name --api-group=networking.serving.volcano.sh'))
    assert.deepEqual(ofGroup, [
      'modelroutes.networking.serving.volcano.sh',
      'modelservers.networking.serving.volcano.sh',
    ])
    const ofCluster = linesOf(await ok('api-resources -o name --namespaced=false --verbs=list,watch'))
    assert.ok(ofCluster.includes('nodes') && ofCluster.includes('namespaces') && !ofCluster.includes('pods'))
    assert.ok(linesOf(await ok('api-versions')).includes('workload.serving.volcano.sh/v1alpha1'))
  },

  'explain says of each field what our definitions say': async ({ ok }) => {
    const paths = [
      'modelbooster',
      'modelbooster.spec',
      'modelbooster.spec.backends',
      'modelbooster.spec.backends.workers',
      'modelserving.spec.template.roles',
      'modelroute.spec.rules.targetModels',
    ]
    await Promise.all(
      paths.map(async (path) => {
        const [resource = '', ...fields] = path.split('.')
        const kind = kindNamed(resource)
        const schema = fields.reduce(below, kind.schema())
        const explained = await ok(`explain ${path}`)
        assert.match(explained, new RegExp(`KIND: +${kind.kind}\nVERSION: +${kind.version}\n`))
        // What all objects have, a server describes in its own words.
        const { apiVersion: _, kind: __, metadata: ___, ...properties } = schema.properties ?? {}
        const wanted = [schema, ...Object.values(properties)].flatMap(({ description = [] }) => description)
        assert.ok(wanted.length > 1, path)
        for (const description of wanted) {
          assert.ok(withoutBlanks(explained).includes(withoutBlanks(description)), `${path}: ${description}`)
        }
      }),
    )
  },

  'explain --recursive shows every field of a kind, with its place': async ({ ok }) => {
    for (const name of ['modelbooster', 'modelroute']) {
      const lines = linesOf(await ok(`explain ${name}.spec --recursive`))
      const shown = lines.flatMap((line) => {
        const [, blanks = '', field] = /^( +)(\S+)\t</.exec(line) ?? []
        return field === undefined ? [] : [`${blanks}${field}`]
      })
      assert.deepEqual(shown, fieldsBelow(below(kindNamed(name).schema(), 'spec'), 1))
    }
  },

  'explain refuses a field that is not there': async ({ refused }) => {
    assert.match(await refused('explain modelbooster.spec.nothing'), /field "nothing" does not exist/)
  },

  'version, cluster-info and the server’s own paths': async ({ ok, refused }) => {
    assert.match(await ok('version'), /^Server Version: v1\.\d+\.\d+(\+fairlead)?$/m)
    assert.match(await ok('cluster-info'), /is running at .*https:\/\/127\.0\.0\.1:\d+/)
    assert.equal(await ok('get --raw /readyz'), 'ok')
    const version = JSON.parse(await ok('get --raw /version')) as { major: string }
    assert.equal(version.major, '1')
    const groups = JSON.parse(await ok('get --raw /apis')) as { kind: string }
    assert.equal(groups.kind, 'APIGroupList')
    assert.match(await refused('get --raw /nothing'), /could not find the requested resource/)
  },

  'get crd shows our definitions; get of a kind nobody knows names it': async ({ ok, refused }) => {
    const names = linesOf(await ok('get crd -o name'))
    for (const { plural, group } of ownKinds) {
      assert.ok(names.includes(`customresourcedefinition.apiextensions.k8s.io/${plural}.${group}`))
    }
    await ok('wait --for=condition=Established crd/modelboosters.workload.serving.volcano.sh')
    assert.match(await refused('get unicorns'), /the server doesn't have a resource type "unicorns"/)
  },

  'auth: who one is, and that one may': async ({ ok, refused }) => {
    assert.match(await ok('auth whoami'), /^Groups +\[system:masters system:authenticated\]$/m)
    assert.equal(await ok('auth can-i create modelboosters'), 'yes\n')
    assert.equal(await ok('auth can-i get pods --subresource=log'), 'yes\n')
    assert.match(await ok('auth can-i --list'), /^\*\.\* .*\[\*\]$/m)
    assert.match(await refused('get pods --as=joe'), /Forbidden/)
    assert.match(await refused('get pods --token=wrong'), /You must be logged in to the server/)
  },

  'the definitions in config/crd can be applied, as plain apply and server-side': async ({ ok }) => {
    for (const how of ['', ' --server-side --force-conflicts']) {
      const lines = linesOf(await ok(`apply --dry-run=server${how} -f ${import.meta.dirname}/../../config/crd`))
      assert.equal(lines.length, ownKinds.length)
      for (const line of lines) assert.match(line, /^customresourcedefinition\S+ \S+ \(server dry run\)$/)
    }
  },
}

function kindNamed(singular: string): Kind {
  const kind = ownKinds.find((each) => each.singular === singular)
  assert.ok(kind, singular)
  return kind
}

function below(schema: StructuralSchema, field: string): StructuralSchema {
  const found = schema.properties?.[field]
  assert.ok(found, field)
  return found.items ?? found
}

/** Names of all fields in the order of kubectl, each after two blanks for each level. */
function fieldsBelow(schema: StructuralSchema, depth: number): string[] {
  return Object.entries(schema.properties ?? {})
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, field]) => ['  '.repeat(depth) + name, ...fieldsBelow(valuesOf(field), depth + 1)])
}

function valuesOf(field: StructuralSchema): StructuralSchema {
  const { additionalProperties } = field
  return field.items ?? (typeof additionalProperties === 'object' ? additionalProperties : field)
}

const withoutBlanks = (text: string): string => text.replace(/\s+/g, '')
