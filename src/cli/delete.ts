import { Fault, isFault } from '#base/fault.ts'
import type { Kind } from '#machinery/kind.ts'
import type { Place } from '#machinery/meta.ts'
import { type ConnectOptions, connect } from './connect.ts'
import { readDocuments } from './documents.ts'
import { usage } from './exit.ts'
import type { Io } from './io.ts'
import { kindOfObject, parseTarget, typeOf } from './known-kinds.ts'

export interface DeleteCommandOptions extends ConnectOptions {
  readonly what?: string
  readonly names: readonly string[]
  readonly filename?: readonly string[]
  readonly cascade: 'background' | 'foreground' | 'orphan'
  readonly ignoreNotFound?: boolean
}

const policies = { background: 'Background', foreground: 'Foreground', orphan: 'Orphan' } as const

export async function remove(options: DeleteCommandOptions, io: Io): Promise<void> {
  if ((options.what === undefined) === (options.filename === undefined))
    throw usage('write KIND/NAME or -f FILE, one of them')
  const targetsIn = options.filename === undefined ? named(options) : inFiles(options.filename)
  await using cluster = connect(options, io)
  const targets = targetsIn(cluster.namespace)
  let failed = false
  for (const { kind, place } of targets) {
    const name = `${typeOf(kind)} "${place.name}"`
    try {
      await cluster.client.delete(kind, place, { propagationPolicy: policies[options.cascade] })
      io.write(`${name} deleted\n`)
    } catch (error) {
      if (isFault(error, 'missing') && options.ignoreNotFound === true) continue
      if (!isFault(error)) throw error
      failed = true
      io.error(`error: ${error.message}`)
    }
  }
  if (failed) io.exit(1)
}

interface Target {
  readonly kind: Kind
  readonly place: Place
}

function named({ what = '', names }: DeleteCommandOptions): (namespace: string) => Target[] {
  const target = parseTarget(what, names)
  if (target.names.length === 0) throw usage(`say which: fairlead delete ${target.kind.singular}/NAME`)
  return (namespace) =>
    target.names.map((name) => ({
      kind: target.kind,
      place: { namespace: target.kind.namespaced ? namespace : undefined, name },
    }))
}

function inFiles(files: readonly string[]): (namespace: string) => Target[] {
  const objects = readDocuments(files).map(({ object, at }) => {
    const kind = kindOfObject(object)
    if (kind === undefined)
      throw new Fault(
        'invalid',
        'UnknownKind',
        `${at('kind')}: fairlead does not know ${object.kind} of ${object.apiVersion}`,
      )
    return { kind, metadata: object.metadata }
  })
  return (namespace) =>
    objects.map(({ kind, metadata }) => ({
      kind,
      place: { namespace: kind.namespaced ? (metadata.namespace ?? namespace) : undefined, name: metadata.name ?? '' },
    }))
}
