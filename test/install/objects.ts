/** The objects of the installation, as they lie in the repository. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import type { AnyResource } from '#machinery/meta.ts'

export const root = join(import.meta.dirname, '../..')

/** Of these folders below `config/`. */
export function objectsIn(...folders: readonly string[]): AnyResource[] {
  const files = folders.flatMap((folder) => globSync(`config/${folder}/*.yaml`, { cwd: root }).sort())
  return files.flatMap((file) => objectsOf(readFileSync(join(root, file), 'utf8')))
}

/** YAML as kubectl and Helm print it. */
export function objectsOf(text: string): AnyResource[] {
  return parseAllDocuments(text, { version: '1.1' })
    .map((document) => document.toJS() as AnyResource | null)
    .filter((object) => object !== null)
}

/** By kind, namespace and name, so that their order does not count. */
export function byName(objects: readonly AnyResource[]): Record<string, AnyResource> {
  return Object.fromEntries(
    objects.map((object) => [`${object.kind} ${object.metadata.namespace ?? ''}/${object.metadata.name}`, object]),
  )
}
