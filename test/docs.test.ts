/** What the documentation says about files, YAML, flags and output is so. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { recordingIo } from '#cli/io.testkit.ts'
import { parseDocuments } from '#cli/documents.ts'
import { inspect } from '#cli/inspect.ts'
import { commandLine } from '#cli/main.ts'
import { renderTrees, treesOf } from '#cli/object-tree.ts'
import type { AnyResource } from '#machinery/meta.ts'

const root = join(import.meta.dirname, '..')
const pages = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: root }).sort()
const textOf = (page: string): string => readFileSync(join(root, page), 'utf8')

/** Without code, in which brackets mean something else. */
const proseOf = (page: string): string => textOf(page).replaceAll(/^```[^]*?^```|`[^`\n]*`/gm, '`')

/** As GitHub makes it of a heading. */
function anchorsIn(text: string): Set<string> {
  const headings = text.replaceAll(/^```[^]*?^```/gm, '').matchAll(/^#+ +(.*)$/gm)
  const anchorOf = (heading: string): string =>
    heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-')
  return new Set([...headings].map(([, heading = '']) => anchorOf(heading)))
}

test('every link within the repository leads somewhere', () => {
  let links = 0
  for (const page of pages) {
    for (const [, target = ''] of proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue
      links++
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : join(dirname(page), path)
      assert.ok(existsSync(join(root, file)), `${page}: ${target}`)
      if (anchor !== undefined) assert.ok(anchorsIn(textOf(file)).has(anchor), `${page}: ${target}`)
    }
  }
  assert.ok(links > 20, String(links))
})

test('every page is reached from the README', () => {
  const reached = new Set<string>()
  function visit(page: string): void {
    if (reached.has(page)) return
    reached.add(page)
    for (const [, target = ''] of textOf(page).matchAll(/\]\(([^)#\s]+)/g)) {
      const path = join(dirname(page), target)
      for (const other of pages) if (other === path || join(dirname(other), '/') === join(path, '/')) visit(other)
    }
  }
  visit('README.md')
  assert.deepEqual(
    pages.filter((page) => !reached.has(page) && page !== 'CHANGELOG.md'),
    [],
  )
})

/** Of Kubernetes or others, and beyond what we can check. */
const notOurs: ReadonlySet<string> = new Set(['NetworkPolicy', 'PrometheusRule'])

test('every object in the pages is valid, without an unknown field', () => {
  const kinds: string[] = []
  for (const page of pages) {
    // Fenced YAML, and what a command is given on its standard input.
    const blocks = textOf(page).matchAll(/^```yaml\n([^]*?)^```|<<'EOF'\n([^]*?)^EOF$/gm)
    for (const [, fenced, piped] of blocks) {
      const text = fenced ?? piped ?? ''
      if (!/^apiVersion:/m.test(text)) continue
      for (const document of parseDocuments(text, page)) {
        if (notOurs.has(document.object.kind)) continue
        assert.deepEqual(inspect(document).findings, [], page)
        kinds.push(document.object.kind)
      }
    }
  }
  for (const kind of ['ModelBooster', 'ModelServing', 'ModelServer', 'ModelRoute', 'Pod'])
    assert.ok(kinds.includes(kind), kind)
})

test('YAML that names its file says what is in it', () => {
  let files = 0
  for (const page of pages) {
    for (const [, file = '', text = ''] of textOf(page).matchAll(/^```yaml\n# (\S+\.yaml)\n([^]*?)^```/gm)) {
      files++
      const data = (source: string): string => source.replaceAll(/^#.*\n/gm, '').trim()
      assert.equal(data(text), data(readFileSync(join(root, file), 'utf8')), `${page}: ${file}`)
    }
  }
  assert.ok(files > 0)
})

test('every file and folder of the repository that a page names is there', () => {
  for (const page of pages.filter((each) => !each.startsWith('docs/adr/'))) {
    const named = textOf(page).matchAll(
      /(?<![\w./-])((?:src|test|docs|examples|config|bench|scripts|bin)\/[\w./-]*\w)/g,
    )
    for (const [, path = ''] of named) assert.ok(existsSync(join(root, path)), `${page}: ${path}`)
  }
})

/** Command → its flags, each in its forms. */
const flags = new Map(
  commandLine(recordingIo()).commands.map((command) => [
    command.name(),
    [command, ...command.commands]
      .flatMap(({ options }) => options)
      .filter(({ hidden }) => !hidden)
      .map(({ long, short }) => [long, short].filter((form) => form !== undefined)),
  ]),
)
const cli = textOf('docs/cli.md')
const flagPattern = /(?<![\w-])(--[a-z][a-z-]+|-[a-zA-Z])(?![\w-])/g

test('docs/cli.md names every command and every flag', () => {
  for (const [command, own] of flags) {
    assert.match(cli, new RegExp(`\`${command}[ \`]`), command)
    const said = saidOf(command)
    for (const forms of own)
      assert.ok(
        forms.some((form) => said.includes(form)),
        `${command} ${forms.join(' ')}`,
      )
  }
})

/** What docs/cli.md says of a command: its row in the table, its section, and the paragraphs about all of a sort. */
function saidOf(command: string): string[] {
  const lines = cli.split('\n')
  const rows = lines.filter((line) => line.startsWith(`| \`${command}`))
  const common =
    lines
      .filter((line) => !line.startsWith('|'))
      .join('\n')
      .split(/^## /m)[0] ?? ''
  return [...`${rows.join('\n')}\n${sectionOf(command)}\n${common}`.matchAll(flagPattern)].map(([flag]) => flag)
}

test('every flag in docs/cli.md is one of the command line', () => {
  const own = new Set([...[...flags.values()].flat(2), '--help'])
  // Another program's.
  const text = cli.replaceAll(/\bhead -1\b/g, '')
  for (const [flag] of text.matchAll(flagPattern)) assert.ok(own.has(flag), flag)
})

test('every fairlead command in a page has the flags that it is given there', () => {
  let commands = 0
  for (const page of pages) {
    const text = textOf(page).replaceAll('\\\n', ' ')
    for (const [, command = '', rest = ''] of text.matchAll(/(?:^|[`$ ])(?:npx )?fairlead (\w+)((?: +[^\n`|#]+)?)/gm)) {
      const own = flags.get(command)
      if (own === undefined) continue
      commands++
      for (const [flag] of rest.matchAll(flagPattern))
        assert.ok([...own.flat(), '--help'].includes(flag), `${page}: fairlead ${command} ${flag}`)
    }
  }
  assert.ok(commands >= 8, String(commands))
})

test('the defaults that docs/cli.md gives are those of the command line', () => {
  for (const name of ['up', 'manager', 'router']) {
    const command = commandLine(recordingIo()).commands.find((each) => each.name() === name)
    for (const { long, defaultValue, hidden } of command?.options ?? []) {
      if (hidden) continue
      const row = sectionOf(name)
        .split('\n')
        .find((line) => line.startsWith('|') && line.split('|')[1]?.includes(`${long}`))
      const [, said = ''] = /\|([^|]*)\|$/.exec(row ?? '') ?? []
      assert.equal(
        said.replaceAll('`', '').trim(),
        defaultValue === undefined ? '' : String(defaultValue),
        `${name} ${long}`,
      )
    }
  }
})

const sectionOf = (command: string): string =>
  cli.split(/^## /m).find((each) => each.startsWith(`\`fairlead ${command}\``)) ?? ''

test('the tree in the README is what is printed of the quickstart', () => {
  const nowMs = Date.parse('2030-01-01T00:00:12Z')
  const object = (kind: string, name: string, owner: string | undefined, types: readonly string[]): AnyResource => ({
    apiVersion: 'v1',
    kind,
    metadata: {
      name,
      uid: `${kind}/${name}`,
      creationTimestamp: '2030-01-01T00:00:00Z',
      ...(owner !== undefined && {
        ownerReferences: [{ apiVersion: 'v1', kind: '', name: '', uid: owner, controller: true }],
      }),
    },
    status: { conditions: types.map((type) => ({ type, status: 'True', reason: '', message: '' })) },
  })
  const booster = 'ModelBooster/quickstart'
  const serving = 'ModelServing/quickstart-vllm'
  const trees = treesOf([
    object('ModelBooster', 'quickstart', undefined, ['Active']),
    object('ModelServing', 'quickstart-vllm', booster, ['Available']),
    object('ModelServer', 'quickstart-vllm', booster, ['Ready']),
    object('ModelRoute', 'quickstart', booster, ['Accepted']),
    object('Pod', 'quickstart-vllm-0-leader-0-0', serving, ['Ready', 'fairlead.dev/Simulated']),
    object('Service', 'quickstart-vllm-0-leader-0-0', serving, []),
  ])
  const [, shown = ''] = /^\$ fairlead tree\n([^]*?)^```/m.exec(textOf('README.md')) ?? []
  assert.deepEqual(shown.trimEnd().split('\n'), renderTrees(trees, { colors: false, columns: 200, nowMs }))
})
