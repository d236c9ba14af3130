/**
 * Carries out a Dockerfile as far as ours goes, without an engine: stages become folders, `COPY` copies into them and
 * `RUN` runs in them. What images bring along is not there, but for the Node that runs this.
 */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, statSync } from 'node:fs'
import { basename, delimiter, dirname, join, matchesGlob, relative } from 'node:path'
import { promisify } from 'node:util'

export interface Image {
  /** The folder that stands for `/`. */
  readonly root: string
  /** Within it. */
  readonly workdir: string
  readonly user: string
  readonly env: Readonly<Record<string, string>>
  readonly entrypoint: readonly string[]
  readonly labels: string
}

interface Stage extends Image {
  readonly name: string
}

/** The last stage. Throws at an instruction that this does not know. */
export async function buildImage(context: string, folder: string): Promise<Image> {
  const stages: Stage[] = []
  const args: Record<string, string> = {}
  for (const [instruction, rest] of instructionsIn(readFileSync(join(context, 'Dockerfile'), 'utf8'))) {
    const value = rest.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => args[name] ?? '')
    const stage = stages.at(-1)
    if (instruction === 'ARG') Object.assign(args, pairIn(value))
    else if (instruction === 'FROM') stages.push(begun(value, join(folder, String(stages.length))))
    else if (stage === undefined) throw new Error(`${instruction} before the first FROM`)
    else stages[stages.length - 1] = await carriedOut({ stage, instruction, value, stages, context })
  }
  const last = stages.at(-1)
  if (last === undefined) throw new Error('no stage')
  return last
}

function instructionsIn(text: string): [instruction: string, rest: string][] {
  return text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)])
}

function begun(value: string, root: string): Stage {
  const [, name = ''] = value.split(' AS ')
  mkdirSync(join(root, 'usr/local/bin'), { recursive: true })
  if (value.startsWith('node:')) cpSync(process.execPath, join(root, 'usr/local/bin/node'))
  return { name, root, workdir: '/', user: 'root', env: {}, entrypoint: [], labels: '' }
}

interface Work {
  readonly stage: Stage
  readonly instruction: string
  readonly value: string
  readonly stages: readonly Stage[]
  readonly context: string
}

async function carriedOut({ stage, instruction, value, stages, context }: Work): Promise<Stage> {
  switch (instruction) {
    case 'WORKDIR':
      mkdirSync(join(stage.root, value), { recursive: true })
      return { ...stage, workdir: value }
    case 'COPY':
      copy(stage, value, stages, context)
      return stage
    case 'RUN':
      await run(stage, value)
      return stage
    case 'ENV':
      return { ...stage, env: { ...stage.env, ...pairIn(value) } }
    case 'USER':
      return { ...stage, user: value }
    case 'LABEL':
      return { ...stage, labels: value }
    case 'ENTRYPOINT':
      return { ...stage, entrypoint: JSON.parse(value) as string[] }
    case 'EXPOSE':
      return stage
    default:
      throw new Error(`unknown instruction ${instruction}`)
  }
}

function copy(stage: Stage, value: string, stages: readonly Stage[], context: string): void {
  const words = value.split(' ')
  const from = /^--from=(.+)/.exec(words[0] ?? '')?.[1]
  const target = words.at(-1) ?? ''
  const base = from === undefined ? context : (stages.findLast(({ name }) => name === from)?.root ?? '')
  const ignored = from === undefined ? ignoredIn(context) : () => false
  for (const source of words.slice(from === undefined ? 0 : 1, -1)) {
    const path = join(base, source)
    if (ignored(path)) throw new Error(`.dockerignore leaves out ${source}`)
    const into = target.startsWith('/') ? join(stage.root, target) : join(stage.root, stage.workdir, target)
    // The content of a folder, or a file by its own name in a folder.
    const to = statSync(path).isFile() && target.endsWith('/') ? join(into, basename(source)) : into
    cpSync(path, to, { recursive: true, filter: (each) => !ignored(each) })
  }
}

/** The last pattern that fits decides, and one for a folder is for all in it. */
function ignoredIn(context: string): (path: string) => boolean {
  const patterns = readFileSync(join(context, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  return (path) => {
    const file = relative(context, path)
    const fits = (pattern: string) => matchesGlob(file, pattern) || matchesGlob(file, `${pattern}/**`)
    return patterns.findLast((each) => fits(each.replace(/^!/, '')))?.startsWith('!') === false
  }
}

async function run(stage: Stage, command: string): Promise<void> {
  const PATH = [dirname(process.execPath), process.env['PATH']].join(delimiter)
  const env = {
    ...process.env,
    PATH,
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
  }
  await promisify(execFile)('sh', ['-c', command], { cwd: join(stage.root, stage.workdir), env, maxBuffer: 2 ** 24 })
}

function pairIn(text: string): Record<string, string> {
  const at = text.indexOf('=')
  return { [text.slice(0, at)]: text.slice(at + 1) }
}
