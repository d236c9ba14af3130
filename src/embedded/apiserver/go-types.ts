import { readFileSync } from 'node:fs'

/**
 * The Go types of Kubernetes' own kinds, as scripts/protobuf.ts takes them from its sources: what its protobuf and its JSON
 * are made of.
 */
export type Message = { readonly [number: string]: Field } | { readonly list: string }

/**
 * JSON name; a letter for a scalar, else a message; `*` list, `%` map, `~` inlined, `?` dropped when zero, `0` the same for
 * a struct, `^` a pointer; how Go prints the type, where that does not follow from the rest.
 */
export type Field = readonly [name: string, type: string, flags: string, printed?: string]

export const metaPackage = 'k8s.io.apimachinery.pkg.apis.meta.v1'

let known: Readonly<Record<string, Message>> | undefined

/** Read at first use. */
export function messages(): Readonly<Record<string, Message>> {
  known ??= JSON.parse(readFileSync(new URL('./go-types.generated.json', import.meta.url), 'utf8')) as typeof known
  return known ?? {}
}

/** The name of the message of a kind; undefined where there is none. */
export function messageName(apiVersion: string, kind: string): string | undefined {
  const [version = '', group = ''] = apiVersion.split('/').reverse()
  const packages =
    group === 'apiextensions.k8s.io'
      ? `k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.${version}`
      : `k8s.io.api.${group === '' ? 'core' : group.split('.')[0]}.${version}`
  const name = `${packages}.${kind}`
  if (Object.hasOwn(messages(), name)) return name
  return kind === 'DeleteOptions' ? `${metaPackage}.DeleteOptions` : undefined
}
