/**
 * Writes everything that follows from the definitions in `src/api/`.
 * `--check` writes nothing and fails where a file differs; `--openapi` first takes Kubernetes' document anew.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { coreDocument } from '#api/core/document.ts'
import { coreTypes } from './core-types.ts'
import { fetchCoreDocument } from './openapi.ts'

const root = join(import.meta.dirname, '..')
const check = process.argv.includes('--check')

if (process.argv.includes('--openapi')) {
  write('src/api/core/openapi.generated.json', `${JSON.stringify(fetchCoreDocument(), null, 1)}\n`)
}
write('src/api/core/types.generated.ts', coreTypes(coreDocument()))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}
