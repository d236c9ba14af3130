/**
 * Builds `dist/`, the JavaScript that is published: Node strips no types below `node_modules`.
 * `#folder/file.ts` becomes a relative path to a `.js`, so that what is published needs no import map.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

rmSync(dist, { recursive: true, force: true })
if (!process.argv.includes('--clean')) build()

function build(): void {
  const tsc = spawnSync(
    process.execPath,
    [join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.build.json'],
    {
      cwd: root,
      stdio: 'inherit',
    },
  )
  if (tsc.status !== 0) process.exit(tsc.status ?? 1)
  for (const file of globSync('**/*.js', { cwd: dist })) {
    const path = join(dist, file)
    const text = readFileSync(path, 'utf8').replaceAll(
      /(['"])#([\w./-]+)\.ts\1/g,
      (_, quote: string, target: string) => {
        const to = relative(dirname(path), join(dist, `${target}.js`))
        return `${quote}${to.startsWith('.') ? to : `./${to}`}${quote}`
      },
    )
    writeFileSync(path, text)
  }
  for (const file of globSync('**/*.json', { cwd: join(root, 'src'), exclude: ['**/testdata'] }))
    cpSync(join(root, 'src', file), join(dist, file))
}
