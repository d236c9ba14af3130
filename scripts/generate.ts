/**
 * Writes everything that follows from the definitions in `src/api/`: types of Kubernetes' own kinds, the schemas of
 * ours, their CustomResourceDefinitions, the reference pages; and, from `scripts/install/`, the manifests and charts.
 *
 *     npm run generate                  writes them
 *     npm run generate -- --check       writes nothing; fails with a list where files differ
 *     npm run generate -- --openapi     first takes Kubernetes' OpenAPI document anew (needs Go and the network)
 */
import { globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { coreDocument } from '#api/core/document.ts'
import { crdOf } from '#api/crd.ts'
import { legacyKinds } from '#api/family-kinds.ts'
import { ownKinds } from '#api/kinds.ts'
import { allSchemas } from '#api/schemas/all.ts'
import type { Kind } from '#machinery/kind.ts'
import { lintSchema } from '#api/schema-lint.ts'
import { coreTypes } from './core-types.ts'
import { chartFiles } from './install/chart-files.ts'
import { type Definitions, plainFiles } from './install/plain-files.ts'
import { fetchCoreDocument } from './openapi.ts'
import { referencePage } from './reference.ts'

const root = join(import.meta.dirname, '..')
const openapi = 'src/api/core/openapi.generated.json'
const schemas = 'src/api/schemas.generated.json'

/** Small enough for the annotation in which `kubectl apply` keeps the whole object, with room to spare. */
const maxCrdBytes = 250_000

const isCheck = process.argv.includes('--check')
if (process.argv.includes('--openapi')) write(openapi, json(fetchCoreDocument()))
const schemaText = json(allSchemas())
// First of all: what the kinds know of their schemas is read from there.
if (!isCheck) write(schemas, schemaText)

const complaints = [...ownKinds, ...legacyKinds].flatMap((kind) =>
  lintSchema(kind.schema()).map((text) => `${kind.kind} ${text}`),
)
const files = generated()
for (const [path, text] of files) {
  if (path.startsWith('config/crd/') && text.length > maxCrdBytes) complaints.push(`${path}: ${text.length} bytes`)
}
if (complaints.length > 0) fail('the definitions are not fit to be published', complaints)

const folders = ['config/**/*', 'charts/**/*', 'docs/reference/*.md']
// Others may lie there; ours say what they are.
const isGenerated = (path: string): boolean => read(path)?.includes('by `npm run generate`') === true
const strays = globSync(folders, { cwd: root }).filter((path) => !files.has(path) && isGenerated(path))
if (isCheck) {
  const stale = [...files].filter(([path, text]) => read(path) !== text).map(([path]) => path)
  if (stale.length + strays.length > 0) fail('out of date; run `npm run generate`', [...stale, ...strays])
} else {
  for (const [path, text] of files) if (read(path) !== text) write(path, text)
  for (const path of strays) rmSync(join(root, path))
}

/** Every generated file by its path. */
function generated(): Map<string, string> {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const pages = ownKinds.map((kind) => [`docs/reference/${fileName(kind.kind)}.md`, referencePage(kind)] as const)
  const crds = definitionsOf(ownKinds)
  const legacy = definitionsOf(legacyKinds)
  return new Map([
    ['src/api/core/types.generated.ts', coreTypes(coreDocument())],
    [schemas, schemaText],
    ...plainFiles(version, crds, legacy),
    ...chartFiles(version, crds, legacy),
    ...pages,
  ])
}

function definitionsOf(kinds: readonly Kind[]): Definitions {
  return new Map(kinds.map((kind) => [`${kind.group}_${kind.plural}.yaml`, crdOf(kind)]))
}

function fileName(kind: string): string {
  return kind.replaceAll(/(?<=[a-z]|AIM)[A-Z]/g, (letter) => `-${letter}`).toLowerCase()
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`
}

function read(path: string): string | undefined {
  const file = join(root, path)
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true ? readFileSync(file, 'utf8') : undefined
}

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

function fail(what: string, lines: readonly string[]): never {
  console.error([`${what}:`, ...lines.map((line) => `  ${line}`)].join('\n'))
  process.exit(1)
}
