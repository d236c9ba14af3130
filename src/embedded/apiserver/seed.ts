import type { AnyResource } from '#machinery/meta.ts'
import type { Call, Context } from './context.ts'
import type { ServedKind } from './served-kind.ts'
import { keyIn } from './stored-object.ts'
import { create } from './create.ts'
import { readObject } from './read-object.ts'
import type { WriteOptions } from './request-options.ts'
import { hold } from './service-addresses.ts'
import { current, replace } from './write.ts'

const ownNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease']

const options: WriteOptions = { dryRun: false, manager: 'fairlead-apiserver', fieldValidation: 'Strict' }

/** Brings what must be there before the first request: the default namespaces, the custom kinds, taken addresses. */
export async function seed(
  context: Context,
  { definitions, namespaces }: { readonly definitions: readonly AnyResource[]; readonly namespaces: readonly string[] },
): Promise<void> {
  const { store, kinds } = context
  for (const { text } of store.list({ resource: 'services' })) hold(context, JSON.parse(text) as AnyResource)
  const namespaceKind = kinds.find('', 'v1', 'namespaces')
  const definitionKind = kinds.find('apiextensions.k8s.io', 'v1', 'customresourcedefinitions')
  const writes: Promise<unknown>[] = []
  for (const name of namespaceKind === undefined ? [] : [...ownNamespaces, ...namespaces]) {
    writes.push(
      ensure(context, namespaceKind as ServedKind, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
    )
  }
  for (const definition of definitions) {
    if (definitionKind === undefined) throw new Error('custom kinds need the kind CustomResourceDefinition')
    writes.push(ensure(context, definitionKind, definition))
  }
  await Promise.all(writes)
}

async function ensure(context: Context, served: ServedKind, object: AnyResource): Promise<void> {
  const name = object.metadata.name ?? ''
  const call: Call = {
    request: new Request('http://localhost/'),
    query: new URLSearchParams(),
    user: { username: 'system:apiserver', groups: ['system:masters'] },
    target: { served, verb: 'update', namespace: '', name, subresource: '', rest: '' },
    warnings: [],
  }
  if (context.store.latest(keyIn(served, '', name)) === undefined) {
    await create(context, call, { object: readObject(call, object, { mode: 'Strict', problems: [] }) }, options)
    return
  }
  if (object.spec === undefined) return
  const before = current(context, call)
  if (before.object.metadata.deletionTimestamp !== undefined) return
  const proposed = readObject(call, { ...before.object, spec: object.spec }, { mode: 'Strict', problems: [] })
  await replace(context, call, before, { proposed }, options)
}
