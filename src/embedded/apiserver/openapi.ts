import { apiVersionOf, collectionPath, type Kind } from '#machinery/kind.ts'
import { coreSchema } from '#api/core/schemas.ts'
import type { LiveRegistry } from './registry.ts'
import type { ServedKind } from './served-kind.ts'

/** `/openapi/v3`: one document for each group version; the hash changes with the definitions. */
export function openApiIndex(registry: LiveRegistry): object {
  const names = new Set(registry.all().map(({ kind }) => documentName(kind)))
  const paths = [...names].map((name) => [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${registry.tag}` }])
  return { paths: Object.fromEntries(paths) }
}

const v2Protobuf = 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf'

/**
 * `/openapi/v2`, without any definition: all is said in version 3. It is there because kubectl asks for it, in protobuf
 * alone, before it sends a `List`, and takes what has no definition as it is.
 */
export function openApiV2(accept: string | null, gitVersion: string): Response {
  if (accept?.includes(v2Protobuf) === true) {
    const swagger = '\n\u00032.0' // field 1 of the message, a text of three bytes
    return new Response(swagger, { headers: { 'content-type': v2Protobuf.replace('@', '.') } })
  }
  const info = { title: 'Kubernetes', version: gitVersion }
  return Response.json({ swagger: '2.0', info, paths: {}, definitions: {} })
}

function documentName({ group, version }: Pick<Kind, 'group' | 'version'>): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`
}

/** The document of `api/v1` or `apis/GROUP/VERSION`: schemas, and the paths that tell kubectl what a verb takes. */
export function openApiGroup(registry: LiveRegistry, gitVersion: string, name: string): object | undefined {
  const kinds = registry.all().filter(({ kind }) => documentName(kind) === name)
  if (kinds.length === 0) return undefined
  const schemas = kinds.flatMap(({ kind }) => [
    [schemaName(kind), schemaOf(kind)],
    [`${schemaName(kind)}List`, listSchemaOf(kind)],
  ])
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: gitVersion },
    paths: Object.fromEntries(kinds.flatMap(pathsOf)),
    components: {
      schemas: { ...Object.fromEntries(schemas), [metaName]: coreSchema(metaName) },
      securitySchemes: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
    },
  }
}

const metaName = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'

/** Kubernetes' own by the package of their type, all others by their group. */
function schemaName({ builtin, group, version, kind }: Kind): string {
  const own =
    group === 'apiextensions.k8s.io'
      ? 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions'
      : `io.k8s.api.${group.split('.', 1)[0] || 'core'}`
  return `${builtin ? own : group.split('.').reverse().join('.')}.${version}.${kind}`
}

function gvk({ group, version }: Kind, kind: string) {
  return [{ group, version, kind }]
}

function schemaOf(kind: Kind): object {
  const schema = kind.schema()
  return {
    ...schema,
    properties: {
      apiVersion: { type: 'string', description: 'Group and version of the schema that the object follows.' },
      kind: { type: 'string', description: 'Kind of the object.' },
      ...schema.properties,
      metadata: {
        description: 'Name, namespace, labels and the like.',
        allOf: [{ $ref: `#/components/schemas/${metaName}` }],
        default: {},
      },
    },
    'x-kubernetes-group-version-kind': gvk(kind, kind.kind),
  }
}

function listSchemaOf(kind: Kind): object {
  return {
    type: 'object',
    required: ['items'],
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object' },
      items: { type: 'array', items: { $ref: `#/components/schemas/${schemaName(kind)}` } },
    },
    'x-kubernetes-group-version-kind': gvk(kind, kind.listKind),
  }
}

const queryNames = ['dryRun', 'fieldManager', 'fieldValidation']

function parameters(names: readonly string[]): object[] {
  return names.map((name) => ({ name, in: 'query', schema: { type: 'string', uniqueItems: true } }))
}

function pathsOf(served: ServedKind): [string, object][] {
  const { kind } = served
  const inNamespace = kind.namespaced
    ? collectionPath(kind, '{namespace}').replace('%7Bnamespace%7D', '{namespace}')
    : collectionPath(kind)
  const action = (verb: string, names: readonly string[] = []) => ({
    'x-kubernetes-action': verb,
    'x-kubernetes-group-version-kind': { group: kind.group, version: kind.version, kind: kind.kind },
    operationId: `${verb}${apiVersionOf(kind)}${kind.kind}`.replace(/[^A-Za-z0-9]/g, ''),
    parameters: parameters(names),
    responses: {
      200: {
        description: 'OK',
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${schemaName(kind)}` } } },
      },
    },
  })
  const collection =
    served.use === 'review'
      ? { post: action('post', queryNames) }
      : { get: action('list'), post: action('post', queryNames), delete: action('deletecollection') }
  if (served.use === 'review') return [[inNamespace, collection]]
  const object = {
    get: action('get'),
    put: action('put', queryNames),
    patch: action('patch', [...queryNames, 'force']),
    delete: action('delete'),
  }
  return [
    [inNamespace, collection],
    [`${inNamespace}/{name}`, object],
    ...served.subresources.map((name): [string, object] => [`${inNamespace}/{name}/${name}`, object]),
  ]
}
