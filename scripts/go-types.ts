/**
 * Takes the fields of Kubernetes' own types from its Go modules, for the kinds that the embedded server answers: their
 * numbers, since kubectl's typed commands (`create secret`, `auth can-i`) send protobuf and nothing else, and what Go's
 * JSON makes of them, since a cluster reads and writes every object of these kinds through these types. For maintainers:
 *
 *     node scripts/go-types.ts
 */
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const version = 'v0.37.2'
const modules = ['k8s.io/api', 'k8s.io/apimachinery', 'k8s.io/apiextensions-apiserver']
const target = join(import.meta.dirname, '../src/embedded/apiserver/go-types.generated.json')

const core = 'k8s.io.api.core.v1'
const roots = [
  ...[
    'Binding',
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
  'k8s.io.api.apps.v1.ControllerRevision',
  'k8s.io.api.authentication.v1.SelfSubjectReview',
  'k8s.io.api.authentication.v1.TokenReview',
  'k8s.io.api.authorization.v1.SelfSubjectAccessReview',
  'k8s.io.api.authorization.v1.SelfSubjectRulesReview',
  'k8s.io.api.authorization.v1.SubjectAccessReview',
  'k8s.io.api.autoscaling.v1.Scale',
  'k8s.io.api.batch.v1.Job',
  'k8s.io.api.coordination.v1.Lease',
  'k8s.io.api.discovery.v1.EndpointSlice',
  'k8s.io.api.events.v1.Event',
  'k8s.io.api.policy.v1.Eviction',
  'k8s.io.api.rbac.v1.ClusterRole',
  'k8s.io.api.rbac.v1.ClusterRoleBinding',
  'k8s.io.api.rbac.v1.Role',
  'k8s.io.api.rbac.v1.RoleBinding',
  'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition',
  'k8s.io.apimachinery.pkg.apis.meta.v1.DeleteOptions',
]

interface Field {
  readonly number: number
  readonly name: string
  readonly type: string
  readonly repeated: boolean
  readonly map: boolean
}
interface GoField {
  readonly json: string
  readonly flags: string
  /** As Go prints it, without the star of a pointer. */
  readonly type: string
}

const messages = new Map<string, Field[]>()
const goFields = new Map<string, GoField>()
/** Slices that protobuf must wrap in a message, such as `ExtraValue`. */
const wrapped = new Set<string>()

for (const module of modules) {
  const answer = execFileSync('go', ['mod', 'download', '-json', `${module}@${version}`], {
    cwd: tmpdir(),
    encoding: 'utf8',
  })
  const { Dir: dir } = JSON.parse(answer) as { readonly Dir: string }
  for (const file of globSync('**/generated.proto', { cwd: dir })) {
    const name = readProto(readFileSync(join(dir, file), 'utf8'))
    for (const source of globSync('*.go', {
      cwd: join(dir, dirname(file)),
      exclude: ['*_test.go', 'generated*.go', 'zz_*.go'],
    })) {
      readGo(name, readFileSync(join(dir, dirname(file), source), 'utf8'))
    }
  }
}

function readProto(text: string): string {
  const name = /^package (.*);$/m.exec(text)?.[1] ?? ''
  for (const [, message = '', body = ''] of text.matchAll(/^message (\w+) \{\n(.*?)^\}/gms)) {
    const fields = body.matchAll(
      /^ {2}(?:(optional|repeated|required) ([\w.]+)|map<string, ([\w.]+)>) (\w+) = (\d+);/gm,
    )
    messages.set(
      `${name}.${message}`,
      Array.from(fields, ([, label, plain, ofMap, field = '', number]) => ({
        number: Number(number),
        name: field,
        type: typeName(plain ?? ofMap ?? '', name),
        repeated: label === 'repeated',
        map: ofMap !== undefined,
      })),
    )
  }
  return name
}

function typeName(type: string, inPackage: string): string {
  if (type.startsWith('.')) return type.slice(1)
  return /^[A-Z]/.test(type) ? `${inPackage}.${type}` : type
}

function readGo(name: string, text: string): void {
  for (const [, type] of text.matchAll(/^type (\w+) \[\]/gm)) wrapped.add(`${name}.${type}`)
  for (const [, type, body = ''] of text.matchAll(/^type (\w+) struct \{\n(.*?)^\}/gms)) {
    for (const line of body.matchAll(
      /^\s+(\w+\s+)?([*[\]\w.]+)\s+`json:"([^"]*)"(?: \w+:"[^"]*")* protobuf:"\w+,(\d+)/gm,
    )) {
      const [, field, goType = '', json = '', number] = line
      const [jsonName = '', ...options] = json.split(',')
      // Go's JSON puts the members of an embedded struct without a name beside its own.
      const inline = options.includes('inline') || (field === undefined && jsonName === '')
      const pointer = goType.startsWith('*')
      const omit = options.includes('omitzero') ? '0' : options.includes('omitempty') && !pointer ? '?' : ''
      goFields.set(`${name}.${type}.${number}`, {
        json: jsonName,
        flags: `${inline ? '~' : ''}${omit}${pointer ? '^' : ''}`,
        type: printedType(goType, name),
      })
    }
  }
}

/** `[]Container` in core/v1 is `[]v1.Container` to Go's reflection. */
function printedType(type: string, inPackage: string): string {
  const own = inPackage.split('.').at(-1) ?? ''
  return type
    .replace(/^\*/, '')
    .replaceAll(/(?<![\w.])(?:(\w+)\.)?([A-Z]\w*)/g, (_, alias: string | undefined, name) => {
      const from = alias === undefined ? own : /^(?:meta|core)?v1$/.test(alias) ? 'v1' : alias
      return `${from}.${name}`
    })
}

const scalars: Readonly<Record<string, string>> = {
  string: 's',
  bytes: 'b',
  bool: 't',
  int32: 'j',
  int64: 'i',
  uint32: 'j',
  uint64: 'i',
  double: 'd',
}

/** What a type without a name of its own is to Go. */
const plain: Readonly<Record<string, string>> = {
  s: 'string',
  b: 'uint8',
  t: 'bool',
  j: 'int32',
  i: 'int64',
  d: 'float64',
}

/**
 * `[name, type, flags, Go's type]`; the type is a letter or a message. Flags: `*` list, `%` map, `~` inline, `?` dropped if
 * it is zero, `0` the same for a struct, `^` a pointer. Go's type is left out where it follows from the rest.
 */
function entryOf(message: string, field: Field): string[] {
  const go = goFields.get(`${message}.${field.number}`)
  const type = scalars[field.type] ?? field.type
  const flags = `${field.repeated ? '*' : ''}${field.map ? '%' : ''}${go?.flags ?? ''}`
  const element = plain[type] ?? type.split('.').slice(-2).join('.')
  const follows = `${field.repeated || type === 'b' ? '[]' : ''}${field.map ? 'map[string]' : ''}${element}`
  const entry = [go?.json || field.name, type, flags]
  return go === undefined || go.type === follows ? entry : [...entry, go.type]
}

const found = new Map<string, object>()
const queue = [...roots]
for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
  const fields = messages.get(name)
  if (fields === undefined) throw new Error(`no message ${name}`)
  if (found.has(name)) continue
  const entries = fields.map((field) => [field.number, entryOf(name, field)] as const)
  found.set(
    name,
    wrapped.has(name)
      ? { list: fields[0] && (scalars[fields[0].type] ?? fields[0].type) }
      : Object.fromEntries(entries),
  )
  queue.push(...fields.map((field) => field.type).filter((type) => scalars[type] === undefined))
}
const sorted = [...found].sort(([a], [b]) => (a < b ? -1 : 1))
const lines = sorted.map(([name, fields]) => `${JSON.stringify(name)}:${JSON.stringify(fields)}`)
writeFileSync(target, `{\n${lines.join(',\n')}\n}\n`)
