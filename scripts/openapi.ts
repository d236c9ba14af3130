/**
 * Takes the definitions that we use out of Kubernetes' published OpenAPI document, as its Go module ships it.
 * For maintainers, when the pinned version moves; everybody else works from the file that this writes.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CoreDefinition, CoreDocument } from '#api/core/document.ts'

const module = 'k8s.io/kubernetes'
const version = 'v1.37.2'

const core = 'io.k8s.api.core.v1'
const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const extensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

/** What we want; what these refer to comes along. */
const roots = [
  ...[
    'ConfigMap',
    'Event',
    'Namespace',
    'Node',
    'PersistentVolume',
    'PersistentVolumeClaim',
    'Pod',
    'Secret',
    'Service',
    'ServiceAccount',
  ].map((name) => `${core}.${name}`),
  ...['DeleteOptions', 'ListMeta', 'ObjectMeta', 'Status'].map((name) => `${meta}.${name}`),
  `${extensions}.CustomResourceDefinition`,
  'io.k8s.api.apps.v1.ControllerRevision',
  'io.k8s.api.authentication.v1.TokenReview',
  'io.k8s.api.authorization.v1.SelfSubjectAccessReview',
  'io.k8s.api.authorization.v1.SelfSubjectRulesReview',
  'io.k8s.api.authorization.v1.SubjectAccessReview',
  'io.k8s.api.autoscaling.v1.Scale',
  'io.k8s.api.batch.v1.Job',
  'io.k8s.api.coordination.v1.Lease',
  'io.k8s.api.discovery.v1.EndpointSlice',
  'io.k8s.api.events.v1.Event',
  'io.k8s.api.policy.v1.Eviction',
  'io.k8s.api.rbac.v1.ClusterRole',
  'io.k8s.api.rbac.v1.ClusterRoleBinding',
  'io.k8s.api.rbac.v1.Role',
  'io.k8s.api.rbac.v1.RoleBinding',
]

/** Free-form or recursive, so that no structural schema can spell them out. */
const opaque = new Set([
  `${meta}.FieldsV1`,
  'io.k8s.apimachinery.pkg.runtime.RawExtension',
  `${extensions}.JSONSchemaProps`,
])

/** The trimmed document. Downloads the Go module on first use. */
export function fetchCoreDocument(): CoreDocument {
  const answer = execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], {
    cwd: tmpdir(),
    encoding: 'utf8',
  })
  const { Dir: dir } = JSON.parse(answer) as { Dir: string }
  const source = JSON.parse(readFileSync(join(dir, 'api/openapi-spec/swagger.json'), 'utf8')) as {
    definitions: Record<string, CoreDefinition>
  }
  const wanted = new Map<string, CoreDefinition>()
  const queue = [...roots]
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (wanted.has(name)) continue
    const found = source.definitions[name]
    if (found === undefined) throw new Error(`${version} has no definition ${name}`)
    const definition = opaque.has(name) ? opaqueDefinition(found) : found
    wanted.set(name, definition)
    queue.push(...referencesIn(definition))
  }
  const definitions = Object.fromEntries([...wanted].sort(([a], [b]) => (a < b ? -1 : 1)))
  return {
    source: `${module} ${version}, api/openapi-spec/swagger.json, Apache License 2.0`,
    kubernetesVersion: version,
    definitions,
  }
}

function opaqueDefinition(definition: CoreDefinition): CoreDefinition {
  return {
    ...(definition.description === undefined ? {} : { description: definition.description }),
    type: 'object',
    'x-kubernetes-preserve-unknown-fields': true,
  }
}

function referencesIn(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, member]) =>
    key === '$ref' && typeof member === 'string' ? [member.replace('#/definitions/', '')] : referencesIn(member),
  )
}
