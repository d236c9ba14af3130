import { readFileSync } from 'node:fs'
import { coreDocument } from '#api/core/document.ts'
import type { Io } from './io.ts'

/** The package's own version; its package.json lies above both `src/` and `dist/`. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

export function version({ output }: { output?: 'json' }, io: Io): void {
  const versions = {
    fairlead: packageVersion(),
    node: process.versions.node,
    kubernetes: coreDocument().kubernetesVersion,
  }
  if (output === 'json') io.write(`${JSON.stringify(versions)}\n`)
  else
    io.write(
      Object.entries(versions)
        .map(([name, value]) => `${name} ${value}\n`)
        .join(''),
    )
}
