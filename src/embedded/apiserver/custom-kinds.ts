import { isObject } from '#base/json.ts'
import { timestamp } from '#base/clock.ts'
import type { FieldError } from '#machinery/field-error.ts'
import { apiVersionOf, type Kind, type PrinterColumn, type ScalePaths } from '#machinery/kind.ts'
import type { AnyResource, Condition } from '#machinery/meta.ts'
import { compileSchema } from '#machinery/schema.ts'
import type { StructuralSchema } from '#machinery/structural-schema.ts'
import { type Conversion, resourceName, type ServedKind } from './served-kind.ts'

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
  status?: { conditions?: Condition[] }
}

const age: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

/** The served versions of a CustomResourceDefinition that has passed validation. */
export function servedVersions(object: AnyResource): ServedKind[] {
  const definition = object as Definition
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
      selectableFields: new Map((version.selectableFields ?? []).map(({ jsonPath }) => [jsonPath.replace(/^\./, ''), jsonPath.replace(/^\./, '')])),
      counted: true,
      ...(version.deprecated === true ? { deprecation: version.deprecationWarning ?? deprecation(definition, version) } : {}),
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
  const toStored = ({ apiVersion, kind, metadata, ...rest }: AnyResource): AnyResource =>
    ({ apiVersion, kind, metadata, ...compiled.default(compiled.prune(rest).value) }) as AnyResource // still of the kind
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

/** The definition with its names accepted and defaults in place: both hold from the write on. Pure. */
export function established(object: AnyResource, nowMs: number): AnyResource {
  const definition = object as Definition
  const { names, versions } = definition.spec
  const accepted = {
    singular: names.kind.toLowerCase(),
    listKind: `${names.kind}List`,
    ...names,
  }
  const before = definition.status?.conditions ?? []
  const storedVersions = versions.filter((version) => version.storage).map((version) => version.name)
  return {
    ...definition,
    spec: { conversion: { strategy: 'None' }, ...definition.spec, names: accepted },
    status: {
      ...definition.status,
      acceptedNames: accepted,
      storedVersions,
      conditions: [
        condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
        condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
        ...before.filter(({ type }) => type !== 'NamesAccepted' && type !== 'Established'),
      ],
    },
  }

  function condition(type: string, reason: string, message: string): Condition {
    const held = before.find((old) => old.type === type && old.status === 'True')
    return held ?? { type, status: 'True', lastTransitionTime: timestamp(nowMs), reason, message }
  }
}

/** What a definition must satisfy beyond its schema for us to serve it. */
export function checkDefinition(object: AnyResource): FieldError[] {
  const { metadata, spec } = object as Definition
  const { group, names, versions } = spec
  const errors: FieldError[] = []
  const refuse = (field: string, value: unknown, detail: string): void => {
    errors.push({ field, type: 'FieldValueInvalid', value, detail })
  }
  if (metadata.name !== `${names.plural}.${group}`) {
    refuse('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`)
  }
  if (!group.includes('.')) refuse('spec.group', group, 'should be a domain with at least one dot')
  if (versions.filter((version) => version.storage).length !== 1) {
    refuse(
      'spec.versions',
      versions.map(({ name }) => name),
      'must have exactly one version marked as storage version',
    )
  }
  for (const [i, version] of versions.entries()) {
    const root = version.schema?.openAPIV3Schema
    const field = `spec.versions[${i}].schema.openAPIV3Schema`
    if (root === undefined) errors.push({ field, type: 'FieldValueRequired', detail: 'schemas are required' })
    else if (root.type !== 'object') refuse(`${field}.type`, root.type, 'must be object at the root')
  }
  return errors
}
