import { chmodSync, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Fault, messageOf } from '#base/fault.ts'

/** What lies in a data directory of ours, or in any new file system. */
const own = /^(fairlead\..*|identity\.json.*|kubeconfig.*|node|lost\+found)$/

/**
 * Makes a directory ours: there, and closed to other users. Throws `invalid` for one that cannot be used and for one
 * that holds something else, whose rights we would change.
 */
export function claimDataDir(path: string): string {
  const dataDir = resolve(path)
  const refuse = (why: string): Fault =>
    new Fault('invalid', 'BadDataDir', `cannot use ${dataDir}: ${why}; name another directory with --data-dir`)
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const stranger = existsSync(join(dataDir, 'identity.json'))
      ? undefined
      : readdirSync(dataDir).find((name) => !own.test(name))
    if (stranger !== undefined) throw refuse(`it holds ${stranger}, which is not ours`)
    chmodSync(dataDir, 0o700)
  } catch (error) {
    throw error instanceof Fault ? error : refuse(messageOf(error))
  }
  return dataDir
}
