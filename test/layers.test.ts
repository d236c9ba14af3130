import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'

/** Folder below `src/` → the folders it may import besides itself. Longest name wins. Changing it is an ADR. */
const folders: Record<string, readonly string[]> = {
  base: [],
  machinery: ['base'],
  oci: ['base'],
  api: ['base', 'machinery'],
  kube: ['base', 'machinery'],
  engines: ['base', 'api'],
  controller: ['base', 'machinery', 'kube', 'api/core'],
  booster: ['base', 'machinery', 'api', 'engines', 'kube', 'controller'],
  serving: ['base', 'machinery', 'api', 'engines', 'kube', 'controller'],
  autoscaler: ['base', 'machinery', 'api', 'engines', 'kube', 'controller'],
  catalog: ['base', 'machinery', 'api', 'engines', 'kube', 'controller', 'oci'],
  routing: ['base', 'machinery', 'api', 'kube', 'controller'],
  router: ['base', 'machinery', 'api', 'engines', 'kube', 'routing'],
  simulator: ['base', 'engines'],
  'embedded/store': ['base', 'machinery'],
  'embedded/apiserver': ['base', 'machinery', 'api', 'embedded/store'],
  'embedded/builtin': ['base', 'machinery', 'api/core', 'kube', 'controller'],
  'embedded/node': ['base', 'machinery', 'api', 'kube', 'controller', 'simulator'],
  cli: ['*'],
}

/** npm package that is needed at run time → the folders that may import it; docs/adr/0003-dependencies.md says why. */
const packages: Record<string, readonly string[]> = {
  undici: ['kube', 'oci', 'router'],
  // kubectl sends what it applies on the server's side as YAML.
  yaml: ['kube', 'embedded/apiserver', 'cli'],
  zod: ['api', 'cli', 'router', 'simulator', 'embedded/node'],
  '@marcbachmann/cel-js': ['machinery'],
  pino: ['cli'],
  // Versions in tags of images.
  semver: ['catalog'],
  'prom-client': ['autoscaler', 'controller', 'router', 'simulator'],
  commander: ['cli'],
  '@peculiar/x509': ['cli'],
  'reflect-metadata': ['cli'],
}

/** Files whose point is to be pure, in folders that otherwise may do I/O. */
const pure: readonly { readonly file: RegExp; readonly never: readonly string[] }[] = [
  { file: /^routing\/(?!controller|observe)[^/]+\.ts$/, never: ['kube', 'controller'] },
]

interface Import {
  readonly file: string
  readonly target: string
  readonly typeOnly: boolean
}

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = []
  for (const match of text.matchAll(
    /^\s*(?:import|export)\s+(type\s)?(?:[^'"]*?\sfrom\s)?['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]/gm,
  )) {
    found.push({ file, target: match[2] ?? match[3] ?? '', typeOnly: match[1] !== undefined })
  }
  return found
}

function folderOf(path: string): string {
  const named = Object.keys(folders).filter((folder) => path === folder || path.startsWith(`${folder}/`))
  return named.sort((a, b) => b.length - a.length)[0] ?? path.split('/')[0] ?? ''
}

function complaint({ file, target, typeOnly }: Import): string | undefined {
  const from = folderOf(file)
  if (target.startsWith('node:')) return undefined
  if (target.startsWith('.')) {
    const path = join(file, '..', target)
    return folderOf(path) === from ? undefined : `${file} reaches into another folder by a relative path: ${target}`
  }
  if (target.startsWith('#')) {
    const path = target.slice(1)
    const to = folderOf(path)
    if (to === from) return `${file} imports its own folder as ${target}; write ./`
    const allowed = folders[from]
    if (allowed === undefined) return `${file}: folder ${from} is not in the table`
    if (!allowed.includes('*') && !allowed.some((folder) => path.startsWith(`${folder}/`))) {
      return `${file} may not import ${target}`
    }
    const rule = pure.find((entry) => entry.file.test(file) && !file.endsWith('.test.ts') && entry.never.includes(to))
    return rule !== undefined && !typeOnly ? `${file} is pure and may not import ${target}` : undefined
  }
  const name = target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? '')
  if (file.endsWith('.test.ts')) return undefined
  return packages[name]?.includes(from) ? undefined : `${file} may not import the package ${name}`
}

function sources(root: string): string[] {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
}

const src = join(import.meta.dirname, '../src')

test('each folder imports only what the table allows', () => {
  const files = sources(src)
  assert.ok(files.length > 50, `saw only ${files.length} files`)
  const imports = files.flatMap((file) => importsOf(relative(src, file), readFileSync(file, 'utf8')))
  assert.ok(imports.length > files.length, `saw only ${imports.length} imports`)
  assert.deepEqual(
    imports.map(complaint).filter((text) => text !== undefined),
    [],
  )
})

test('the table names the dependencies of the package, and no others', () => {
  const { dependencies } = JSON.parse(readFileSync(join(src, '../package.json'), 'utf8')) as Record<string, object>
  assert.deepEqual(Object.keys(packages).sort(), Object.keys(dependencies ?? {}).sort())
})

const rows: Record<string, { line: string; file: string; want: RegExp | undefined }> = {
  'a domain may not import another domain': {
    file: 'booster/plan.ts',
    line: `import { x } from '#serving/plan.ts'`,
    want: /may not import #serving/,
  },
  'a domain may import the API': {
    file: 'booster/plan.ts',
    line: `import { x } from '#api/model.ts'`,
    want: undefined,
  },
  'a foreign package needs a row': {
    file: 'booster/plan.ts',
    line: `import x from 'left-pad'`,
    want: /package left-pad/,
  },
  'a relative path may not leave its folder': {
    file: 'booster/plan.ts',
    line: `import { x } from '../serving/plan.ts'`,
    want: /relative path/,
  },
  'a lazy import counts': {
    file: 'base/a.ts',
    line: `const x = await import('#kube/client.ts')`,
    want: /may not import/,
  },
  'api/core is not all of api': {
    file: 'controller/a.ts',
    line: `import { x } from '#api/model-booster.ts'`,
    want: /may not import/,
  },
  'the pure part of routing does no I/O': {
    file: 'routing/match.ts',
    line: `import { x } from '#kube/client.ts'`,
    want: /is pure/,
  },
}
for (const [name, { line, file, want }] of Object.entries(rows)) {
  test(name, () => {
    const found = importsOf(file, line).map(complaint)
    assert.equal(found.length, 1)
    if (want === undefined) assert.equal(found[0], undefined)
    else assert.match(found[0] ?? '', want)
  })
}
