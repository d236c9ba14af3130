/** The definitions of our kinds as they were before their last change, with the examples of that time, from git. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './objects.ts'

const definitions = ':(glob)config/crd/*.yaml'

const git = (...args: readonly string[]): string =>
  execFileSync('git', ['-C', root, ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
    stdio: ['ignore', 'pipe', 'pipe'],
  })

/** The last commit whose definitions are not those of the working tree; undefined where git knows of none. */
export function earlierCommit(): string | undefined {
  try {
    const [newest, before] = git('log', '-2', '--format=%H', '--', definitions).trim().split('\n')
    return git('diff', '--name-only', 'HEAD', '--', definitions) === '' ? before : newest
  } catch {
    return undefined // no clone, or no git
  }
}

/** Writes `config/crd` and `examples` of `commit` into `folder`. */
export function writeEarlier(commit: string, folder: string): void {
  const files = git('ls-tree', '-r', '--name-only', commit, '--', 'config/crd', 'examples').trim().split('\n')
  for (const file of files.filter((each) => each.endsWith('.yaml'))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), git('show', `${commit}:${file}`))
  }
}
