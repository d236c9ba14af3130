import type { CustomResourceDefinition } from '#api/core/kinds.ts'
import { equalJson } from '#base/json.ts'
import {
  type FieldError,
  forbiddenField,
  immutable,
  invalidField,
  requiredField,
  unlessKept,
  unlessOneOf,
} from '#machinery/field-error.ts'
import { dns1035LabelErrors, dns1123SubdomainErrors } from '#machinery/names.ts'
import { definitionSchemaErrors } from '#machinery/schema-rules.ts'

type Spec = CustomResourceDefinition['spec']
type Names = Spec['names']
type Version = Spec['versions'][number]

/** What must hold of a definition. Pure. Source: apiextensions-apiserver, `pkg/apis/apiextensions/validation/validation.go`. */
export function checkDefinition(definition: CustomResourceDefinition, old?: CustomResourceDefinition): FieldError[] {
  const { spec, status } = definition
  return [
    ...(old === undefined ? definitionNameErrors(definition) : []),
    ...specErrors(spec),
    ...(old === undefined ? [] : keptErrors(spec, old)),
    ...(status?.acceptedNames === undefined ? [] : namesErrors('status.acceptedNames', status.acceptedNames)),
    ...storedErrors(status?.storedVersions ?? [], spec.versions ?? []),
  ]
}

function definitionNameErrors({
  metadata: { name = '' },
  spec: { names, group },
}: CustomResourceDefinition): FieldError[] {
  if (name === `${names.plural}.${group}`) return []
  return invalidField('metadata.name', name, 'must be spec.names.plural+"."+spec.group')
}

/** Parts that all versions say alike belong to the whole: so do their errors. */
function shared<K extends 'schema' | 'subresources' | 'additionalPrinterColumns'>(
  versions: readonly Version[],
  member: K,
): NonNullable<Version[K]> | undefined {
  const [first, ...others] = versions
  const value = first?.[member]
  if (value === undefined) return undefined
  return others.every((other) => equalJson(other[member], value)) ? value : undefined
}

function specErrors(spec: Spec): FieldError[] {
  const { group, scope, names } = spec
  const versions = spec.versions ?? []
  const schema = shared(versions, 'schema')
  const subresources = shared(versions, 'subresources')
  const columns = shared(versions, 'additionalPrinterColumns')
  return [
    ...groupErrors(group),
    ...(scope === '' ? [requiredField('spec.scope')] : unlessOneOf('spec.scope', scope, ['Cluster', 'Namespaced'])),
    ...versions.flatMap(({ schema: own }, i) =>
      own?.openAPIV3Schema === undefined ? [requiredField(`spec.versions[${i}].schema.openAPIV3Schema`)] : [],
    ),
    ...versions.flatMap((version, i) =>
      versionErrors(`spec.versions[${i}]`, version, { schema, subresources, columns }),
    ),
    ...versionsErrors(spec),
    ...(['plural', 'singular', 'kind', 'listKind'] as const).flatMap((member) =>
      names[member] ? [] : [requiredField(`spec.names.${member}`)],
    ),
    ...namesErrors('spec.names', names),
    ...schemaErrors('spec.validation', schema),
    ...subresourceErrors('spec.subresources', subresources),
    ...columnErrors('spec.additionalPrinterColumns', columns),
    ...conversionErrors(spec.conversion),
  ]
}

function groupErrors(group: string): FieldError[] {
  const field = 'spec.group'
  if (group === '') return [requiredField(field)]
  const wrong = dns1123SubdomainErrors(group)
  if (wrong.length > 0) return invalidField(field, group, wrong.join(','))
  return group.includes('.') ? [] : invalidField(field, group, 'should be a domain with at least one dot')
}

interface Shared {
  readonly schema: Version['schema']
  readonly subresources: Version['subresources']
  readonly columns: Version['additionalPrinterColumns']
}

function versionErrors(at: string, version: Version, { schema, subresources, columns }: Shared): FieldError[] {
  const { name, deprecated, deprecationWarning } = version
  const wrong = dns1035LabelErrors(name)
  return [
    ...(wrong.length > 0 ? invalidField(`${at}.name`, name, wrong.join(',')) : []),
    ...(deprecationWarning !== undefined && deprecated !== true
      ? invalidField(`${at}.deprecationWarning`, deprecationWarning, 'can only be set for deprecated versions')
      : []),
    ...(schema === undefined ? schemaErrors(`${at}.schema`, version.schema) : []),
    ...(subresources === undefined ? subresourceErrors(`${at}.subresources`, version.subresources) : []),
    ...(columns === undefined ? columnErrors(`${at}.additionalPrinterColumns`, version.additionalPrinterColumns) : []),
  ]
}

function versionsErrors({ versions }: Spec): FieldError[] {
  const field = 'spec.versions'
  const names = (versions ?? []).map(({ name }) => name)
  const printed = versions === undefined || versions === null ? null : versions.map(asGoPrints)
  const wrong = [
    ...(new Set(names).size < names.length ? ['must contain unique version names'] : []),
    ...((versions ?? []).filter(({ storage }) => storage).length === 1
      ? []
      : ['must have exactly one version marked as storage version']),
  ]
  const [first] = names
  const wrongFirst = first === undefined ? [] : dns1035LabelErrors(first)
  return [
    ...invalidField(field, printed, ...wrong),
    ...(wrongFirst.length > 0 ? invalidField('spec.version', first, wrongFirst.join(',')) : []),
  ]
}

/** By the names of Go's own type, without what versions may have each. */
function asGoPrints({ name, served, storage, deprecated = false, deprecationWarning }: Version): unknown {
  return {
    Name: name,
    Served: served,
    Storage: storage,
    Deprecated: deprecated,
    DeprecationWarning: deprecationWarning ?? null,
    Schema: null,
    Subresources: null,
    AdditionalPrinterColumns: null,
    SelectableFields: null,
  }
}

function namesErrors(field: string, names: Partial<Names>): FieldError[] {
  const { plural = '', singular = '', kind = '', listKind = '', shortNames = [], categories = [] } = names
  const label = (at: string, name: string, why = ''): FieldError[] => {
    const wrong = dns1035LabelErrors(why === '' ? name : name.toLowerCase())
    return name === '' || wrong.length === 0 ? [] : invalidField(at, name, why + wrong.join(','))
  }
  const mixed = 'may have mixed case, but should otherwise match: '
  return [
    ...label(`${field}.plural`, plural),
    ...label(`${field}.singular`, singular),
    ...label(`${field}.kind`, kind, mixed),
    ...label(`${field}.listKind`, listKind, mixed),
    ...shortNames.flatMap((name, i) => label(`${field}.shortNames[${i}]`, name)),
    ...(kind !== '' && kind === listKind
      ? invalidField(`${field}.listKind`, listKind, 'kind and listKind may not be the same')
      : []),
    ...categories.flatMap((name, i) => label(`${field}.categories[${i}]`, name)),
  ]
}

function schemaErrors(field: string, schema: Version['schema']): FieldError[] {
  const root = schema?.openAPIV3Schema
  return root === undefined ? [] : definitionSchemaErrors(`${field}.openAPIV3Schema`, root)
}

function subresourceErrors(field: string, subresources: Version['subresources']): FieldError[] {
  const { scale } = subresources ?? {}
  if (scale === undefined) return []
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = '' } = scale
  const path = (name: string, value: string, below: readonly string[], words: string): FieldError[] => {
    const at = `${field}.scale.${name}`
    if (!value.startsWith('.')) return invalidField(at, value, 'must be a simple json path starting with .')
    return below.some((start) => value.startsWith(start))
      ? []
      : invalidField(at, value, `should be a json path under ${words}`)
  }
  return [
    ...(specReplicasPath === ''
      ? [requiredField(`${field}.scale.specReplicasPath`)]
      : path('specReplicasPath', specReplicasPath, ['.spec.'], '.spec')),
    ...(statusReplicasPath === ''
      ? [requiredField(`${field}.scale.statusReplicasPath`)]
      : path('statusReplicasPath', statusReplicasPath, ['.status.'], '.status')),
    ...(labelSelectorPath === ''
      ? []
      : path('labelSelectorPath', labelSelectorPath, ['.spec.', '.status.'], 'either .spec or .status')),
  ]
}

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password']

function columnErrors(field: string, columns: Version['additionalPrinterColumns'] = []): FieldError[] {
  return columns.flatMap(({ name, type, format = '', jsonPath }, i) => {
    const at = `${field}[${i}]`
    const known = `must be one of ${columnTypes.join(',')}`
    return [
      ...(name === '' ? [requiredField(`${at}.name`)] : []),
      ...(type === ''
        ? [requiredField(`${at}.type`, known)]
        : columnTypes.includes(type)
          ? []
          : invalidField(`${at}.type`, type, known)),
      ...(format === '' || columnFormats.includes(format)
        ? []
        : invalidField(`${at}.format`, format, `must be one of ${columnFormats.join(',')}`)),
      ...(jsonPath === ''
        ? [requiredField(`${at}.JSONPath`)]
        : jsonPath.startsWith('.')
          ? []
          : invalidField(`${at}.JSONPath`, jsonPath, 'must be a simple json path starting with .')),
    ]
  })
}

/** We convert nothing, so that no webhook is asked: a definition that wants one is refused. */
function conversionErrors(conversion: Spec['conversion']): FieldError[] {
  if (conversion === undefined) return []
  const { strategy, webhook } = conversion
  return [
    ...unlessOneOf('spec.conversion.strategy', strategy, ['None']),
    ...(strategy === 'None' && webhook !== undefined
      ? [forbiddenField('spec.conversion.webhookClientConfig', 'should not be set when strategy is not set to Webhook')]
      : []),
  ]
}

function keptErrors(spec: Spec, { spec: old, status }: CustomResourceDefinition): FieldError[] {
  const isEstablished = status?.conditions?.some(
    (condition) => condition.type === 'Established' && condition.status === 'True',
  )
  const held =
    isEstablished === true
      ? [
          ...unlessKept('spec.scope', spec.scope, old.scope),
          ...unlessKept('spec.names.kind', spec.names.kind, old.names.kind),
        ]
      : []
  return [
    ...held,
    ...unlessKept('spec.group', spec.group, old.group),
    ...(spec.names.plural === old.names.plural ? [] : invalidField('spec.names.plural', spec.names.plural, immutable)),
  ]
}

function storedErrors(stored: readonly string[], versions: readonly Version[]): FieldError[] {
  const field = 'status.storedVersions'
  if (stored.length === 0) return invalidField(field, null, 'must have at least one stored version')
  const names = new Set(versions.map(({ name }) => name))
  return [
    ...versions.flatMap(({ name, storage }) =>
      storage && !stored.includes(name) ? invalidField(field, stored, `must have the storage version ${name}`) : [],
    ),
    ...stored.flatMap((name, i) =>
      names.has(name)
        ? []
        : invalidField(
            `${field}[${i}]`,
            name,
            `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`,
          ),
    ),
  ]
}
