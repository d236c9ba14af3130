/**
 * Takes the definition of the PodGroup out of Volcano's Go module (Apache-2.0), without its prose, for the tests to install.
 * For maintainers, when the pinned version moves: `node scripts/volcano.ts`.
 */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const version = 'v1.15.0'
const path = 'config/crd/volcano/bases/scheduling.volcano.sh_podgroups.yaml'

const answer = execFileSync('go', ['mod', 'download', '-json', `volcano.sh/volcano@${version}`], { encoding: 'utf8' })
const { Dir } = JSON.parse(answer) as { Dir: string }
const definition = parse(readFileSync(join(Dir, path), 'utf8')) as unknown
const text = JSON.stringify(
  definition,
  (key, value: unknown) => (key === 'description' && typeof value === 'string' ? undefined : value),
  1,
)
writeFileSync(join(import.meta.dirname, '../test/volcano/podgroups.generated.json'), `${text}\n`)
