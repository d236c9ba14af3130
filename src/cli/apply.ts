import type { Client } from '#kube/client.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { Fault, isFault } from '#base/fault.ts'
import { type ConnectOptions, connect } from './connect.ts'
import { readDocuments, type UserDocument } from './documents.ts'
import { fieldManager } from './field-manager.ts'
import { errorsOf, inspect, lineOf } from './inspect.ts'
import type { Io } from './io.ts'
import { kindOfObject, typeOf } from './known-kinds.ts'

export interface ApplyOptions extends ConnectOptions {
  readonly filename: readonly string[]
  readonly dryRun?: boolean
  readonly forceConflicts?: boolean
}

export async function apply(options: ApplyOptions, io: Io): Promise<void> {
  const documents = readDocuments(options.filename)
  await using cluster = connect(options, io)
  const suffix = options.dryRun === true ? ' (server dry run)' : ''
  let failed = false
  for (const document of documents) {
    try {
      const { name, outcome } = await applyDocument(cluster.client, document, {
        ...options,
        namespace: cluster.namespace,
      })
      io.write(`${name} ${outcome}${suffix}\n`)
    } catch (error) {
      // Of these the server itself is the matter, not the document, and the next would fare no better.
      if (!isFault(error) || error.kind === 'unavailable' || error.kind === 'denied') throw error
      failed = true
      for (const line of explainRefusal(document, error)) io.error(`error: ${line}`)
    }
  }
  if (failed) io.exit(1)
}

/** The server decides; what is wrong by our own copy of its rules is told field by field, with its place in the file. */
export function explainRefusal(document: UserDocument, { kind, message }: Fault): string[] {
  const errors = kind === 'invalid' ? errorsOf(inspect(document).findings) : []
  if (errors.length === 0) return [`${document.at('')}: ${message}`]
  return errors.map(lineOf)
}

export interface ApplyChoices {
  readonly namespace: string
  readonly dryRun?: boolean
  readonly forceConflicts?: boolean
}

/** Applies one object; says what it is called and whether that changed anything. */
export async function applyDocument(
  client: Client,
  { object }: UserDocument,
  { namespace, dryRun = false, forceConflicts = false }: ApplyChoices,
): Promise<{ name: string; outcome: string; before: Resource | undefined; applied: AnyResource }> {
  const kind = kindOfObject(object)
  if (kind === undefined) {
    throw new Fault(
      'invalid',
      'UnknownKind',
      `fairlead does not know ${object.kind} of ${object.apiVersion}; use kubectl apply`,
    )
  }
  const placed = kind.namespaced
    ? { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace ?? namespace } }
    : object
  const name = `${typeOf(kind)}/${object.metadata.name ?? ''}`
  if (object.metadata.name === undefined)
    throw new Fault('invalid', 'NameMissing', 'metadata.name is missing: apply needs a name')
  const place = { namespace: placed.metadata.namespace, name: object.metadata.name }
  const before = await client.get(kind, place).catch((error: unknown) => {
    if (isFault(error, 'missing')) return undefined
    throw error
  })
  const applied = await client.apply(kind, placed, {
    fieldManager,
    fieldValidation: 'Strict',
    dryRun,
    force: forceConflicts,
  })
  const outcome =
    before === undefined
      ? 'created'
      : before.metadata.resourceVersion === applied.metadata.resourceVersion
        ? 'unchanged'
        : 'configured'
  return { name, outcome, before, applied: applied as AnyResource }
}
