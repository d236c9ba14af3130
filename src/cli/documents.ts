/** YAML and JSON that users wrote: objects, and where each field of them stands. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isNode, LineCounter, parseAllDocuments, type Document } from 'yaml'
import { isObject } from '#base/json.ts'
import { Fault, messageOf } from '#base/fault.ts'
import type { AnyResource } from '#machinery/meta.ts'

export interface UserDocument {
  readonly object: AnyResource
  readonly file: string
  /** `file:line:column` of a field such as `spec.backends[0].name`, or of the nearest field above it that is there. */
  readonly at: (field: string) => string
}

/** Objects of files, of the YAML and JSON files in directories, or of standard input (`-`), in their order. */
export function readDocuments(paths: readonly string[]): UserDocument[] {
  const files = paths.flatMap((path) => (path === '-' ? ['-'] : filesAt(path)))
  const documents = files.flatMap((file) => parseDocuments(textOf(file), file === '-' ? '<stdin>' : file))
  if (documents.length === 0)
    throw new Fault(
      'invalid',
      'NoObjects',
      `no objects in ${paths.map((path) => (path === '-' ? 'standard input' : path)).join(', ')}`,
    )
  return documents
}

function filesAt(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
    return readdirSync(path)
      .filter((name) => /\.(ya?ml|json)$/.test(name))
      .sort()
      .map((name) => join(path, name))
  } catch (error) {
    throw new Fault('missing', 'FileNotFound', `cannot read ${path}: ${reasonOf(error)}`, { cause: error })
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (error) {
    throw new Fault('missing', 'FileNotFound', `cannot read ${file}: ${reasonOf(error)}`, { cause: error })
  }
}

function reasonOf(error: unknown): string {
  const code = isObject(error) ? error['code'] : undefined
  return code === 'ENOENT' ? 'no such file' : code === 'EACCES' ? 'permission denied' : messageOf(error)
}

/** Reads YAML as kubectl does: version 1.1, in which `yes` and `on` are booleans. `List` objects are opened. */
export function parseDocuments(text: string, file: string): UserDocument[] {
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { version: '1.1', lineCounter: lines, strict: true, uniqueKeys: true })
  if ('empty' in documents) return []
  return documents.flatMap((document) => {
    const place = (offset: number): string => {
      const { line, col } = lines.linePos(offset)
      return `${file}:${line}:${col}`
    }
    const problem = document.errors[0]
    if (problem !== undefined) {
      const said = problem.message.split(/ at line \d+/)[0] ?? problem.message
      throw new Fault('invalid', 'BadYaml', `${place(problem.pos[0])}: not valid YAML: ${said}`)
    }
    const value = toJs(document, file)
    if (value === null || value === undefined) return []
    const start = document.contents?.range?.[0] ?? 0
    return objectsIn(value, (reason) => new Fault('invalid', 'NotAnObject', `${place(start)}: ${reason}`)).map(
      ({ object, path }) => ({
        object,
        file,
        at: (field: string) => place(offsetOf(document, [...path, ...segmentsOf(field)]) ?? start),
      }),
    )
  })
}

function toJs(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 }) as unknown
  } catch (error) {
    throw new Fault('invalid', 'BadYaml', `${file}: not valid YAML: ${messageOf(error)}`, { cause: error })
  }
}

type Path = readonly (string | number)[]

function objectsIn(
  value: unknown,
  refuse: (reason: string) => Fault,
  path: Path = [],
): { object: AnyResource; path: Path }[] {
  if (!isObject(value)) throw refuse('not a Kubernetes object: write a mapping with apiVersion, kind and metadata')
  if (typeof value['apiVersion'] !== 'string')
    throw refuse('apiVersion is missing: write for instance apiVersion: workload.serving.volcano.sh/v1alpha1')
  if (typeof value['kind'] !== 'string') throw refuse('kind is missing: write for instance kind: ModelBooster')
  if (value['kind'] === 'List' && Array.isArray(value['items'])) {
    return value['items'].flatMap((item, index) => objectsIn(item, refuse, [...path, 'items', index]))
  }
  if (!isObject(value['metadata'])) throw refuse('metadata is missing: write at least metadata: {name: …}')
  return [{ object: value as unknown as AnyResource, path }]
}

/** `spec.a[0]["x.y"]` as its steps. */
function segmentsOf(field: string): (string | number)[] {
  return [...field.matchAll(/\["?([^\]"]*)"?\]|([^.[\]]+)/g)].map(([, bracketed, plain]) => {
    if (plain !== undefined) return plain
    return bracketed !== undefined && /^\d+$/.test(bracketed) ? Number(bracketed) : (bracketed ?? '')
  })
}

function offsetOf(document: Document, path: Path): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return undefined
}
