import { isObject } from '#base/json.ts'
import { apiVersionOf, type Kind, type PrinterColumn, resourceName, type ScalePaths } from '#machinery/kind.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import type { StructuralSchema } from '#machinery/structural-schema.ts'
import type { Conversion, ServedKind } from './served-kind.ts'

export const definitionsResource = 'customresourcedefinitions.apiextensions.k8s.io'

/** Held by a definition until the objects of its kind are gone. */
export const customResourceCleanup = 'customresourcecleanup.apiextensions.k8s.io'

interface Names {
  readonly plural: string
  readonly singular?: string
  readonly kind: string
  readonly listKind?: string
  readonly shortNames?: readonly string[]
  readonly categories?: readonly string[]
}

interface Version {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly deprecated?: boolean
  readonly deprecationWarning?: string
  readonly schema?: { readonly openAPIV3Schema?: StructuralSchema }
  readonly subresources?: { readonly status?: unknown; readonly scale?: ScalePaths }
  readonly additionalPrinterColumns?: readonly PrinterColumn[]
  readonly selectableFields?: readonly { readonly jsonPath: string }[]
}

interface Definition extends AnyResource {
  readonly spec: {
    readonly group: string
    readonly scope: 'Namespaced' | 'Cluster'
    readonly names: Names
    readonly versions: readonly Version[]
  }
  status?: { conditions?: Condition[] | null }
}

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

/** The served versions of a CustomResourceDefinition that has passed validation; none until it is established. */
export function servedVersions(object: AnyResource): ServedKind[] {
  const definition = object as Definition
  const isEstablished = definition.status?.conditions?.some(
    ({ type, status }) => type === 'Established' && status === 'True',
  )
  if (isEstablished !== true) return []
  const { group, scope, names, versions } = definition.spec
  const storage = versions.find((version) => version.storage) ?? versions[0]
  const served = versions.filter((version) => version.served)
  return served.map((version) => {
    const kind = customKind(definition, version)
    return {
      kind,
      apiVersion: apiVersionOf(kind),
      resource: resourceName({ group, plural: names.plural }),
      storedApiVersion: `${group}/${storage?.name ?? version.name}`,
      use: 'store',
      subresources: [...(kind.status ? ['status'] : []), ...(kind.scale === undefined ? [] : ['scale'])],
      selectableFields: new Map(
        (version.selectableFields ?? []).map(({ jsonPath }) => [
          jsonPath.replace(/^\./, ''),
          jsonPath.replace(/^\./, ''),
        ]),
      ),
      counted: true,
      ...(version.deprecated === true
        ? { deprecation: version.deprecationWarning ?? deprecation(definition, version) }
        : {}),
      versioned: true,
      createdByUpdate: false,
      shownWhenDeleted: false,
      ...(storage === undefined || storage === version ? {} : { convert: throughStorage(storage) }),
      priority: versionPriority(version.name),
      closing: definition.metadata.deletionTimestamp !== undefined,
    }
  })

  function customKind({ spec }: Definition, version: Version): Kind {
    const scale = version.subresources?.scale
    return {
      group: spec.group,
      version: version.name,
      kind: names.kind,
      plural: names.plural,
      singular: names.singular ?? names.kind.toLowerCase(),
      listKind: names.listKind ?? `${names.kind}List`,
      shortNames: names.shortNames ?? [],
      categories: names.categories ?? [],
      namespaced: scope === 'Namespaced',
      status: isObject(version.subresources?.status),
      ...(scale === undefined ? {} : { scale }),
      columns: version.additionalPrinterColumns ?? [age],
      builtin: false,
      schema: () => version.schema?.openAPIV3Schema ?? anything,
    }
  }
}

/** What is stored has the fields and the defaults of the version that is stored. */
function throughStorage({ schema }: Version): Conversion {
  const compiled = compileSchema(schema?.openAPIV3Schema ?? anything)
  const toStored = ({ apiVersion, kind, metadata, ...rest }: AnyResource): AnyResource => ({
    apiVersion,
    kind,
    metadata,
    ...compiled.default(compiled.prune(rest).value),
  }) // still of the kind
  return { toStored, toServed: (stored) => stored }
}

const anything: StructuralSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/** Names the newest version to go to, if there is one. */
function deprecation({ spec }: Definition, { name }: Version): string {
  const { group, names } = spec
  const [newest] = spec.versions
    .filter((other) => other.served && other.deprecated !== true && versionPriority(other.name) > versionPriority(name))
    .sort((a, b) => versionPriority(b.name) - versionPriority(a.name))
  const instead = newest === undefined ? '' : `; use ${group}/${newest.name} ${names.kind}`
  return `${group}/${name} ${names.kind} is deprecated${instead}`
}

/** GA before beta before alpha, then greater numbers: `v2` > `v1` > `v2beta1` > `v1alpha1`; anything else last. */
export function versionPriority(version: string): number {
  const match = /^v(\d+)(?:(alpha|beta)(\d+))?$/.exec(version)
  if (match === null) return 0
  const stage = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1
  return stage * 1_000_000 + Number(match[1]) * 1_000 + Number(match[3] ?? 0)
}
