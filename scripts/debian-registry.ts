/**
 * The registry that the tests judge our client by: `FAIRLEAD_REGISTRY`, else `docker-registry` of the PATH, else Debian's
 * package of it, unpacked into the user's cache folder without being installed. That is one download of 5 MB.
 */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Found, runs } from './go-tool.ts'

const name = 'docker-registry'

export async function findRegistry(env: NodeJS.ProcessEnv): Promise<Found> {
  const given = env['FAIRLEAD_REGISTRY']
  if (given !== undefined) {
    return (await runs(given, ['--version']))
      ? { path: given }
      : { missing: `FAIRLEAD_REGISTRY=${given} does not start` }
  }
  if (await runs(name, ['--version'])) return { path: name }
  const folder = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'fairlead')
  const path = join(folder, `${name}-${process.arch}`, 'usr/bin', name)
  if (existsSync(path)) return { path }
  await unpackPackage(folder).catch(() => {}) // another process may have been first; what follows tells
  if (await runs(path, ['--version'])) return { path }
  return { missing: `there is no ${name}, and no Debian whose package of it could be fetched` }
}

/** For who has no network. */
const impatiently = ['Acquire::Retries=0', 'Acquire::http::Timeout=5'].flatMap((option) => ['-o', option])

async function unpackPackage(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true })
  const draft = mkdtempSync(join(folder, `${name}-`))
  try {
    await promisify(execFile)('apt-get', [...impatiently, 'download', name], { cwd: draft, timeout: 30_000 })
    const [file = ''] = readdirSync(draft)
    await promisify(execFile)('dpkg', ['-x', join(draft, file), join(draft, 'root')])
    renameSync(join(draft, 'root'), join(folder, `${name}-${process.arch}`))
  } finally {
    rmSync(draft, { recursive: true })
  }
}

if (import.meta.main) {
  const found = await findRegistry(process.env)
  if ('path' in found) console.log(found.path)
  else {
    console.error(found.missing)
    process.exitCode = 1
  }
}
