/** A reference page for a kind: every field of ours, and where it ends in one of Kubernetes' own types. */
import { definitionOf } from '#api/core/schemas.ts'
import { apiVersionOf, type Kind } from '#machinery/kind.ts'
import type { StructuralSchema } from '#machinery/structural-schema.ts'

interface Row {
  readonly path: string
  readonly schema: StructuralSchema
  readonly required: boolean
}

export function referencePage(kind: Kind): string {
  const schema = kind.schema()
  const { spec, status } = schema.properties ?? {}
  return [
    `# ${kind.kind}`,
    schema.description ?? '',
    `\`apiVersion: ${apiVersionOf(kind)}\` · \`kubectl get ${kind.plural}\` · ${kind.scale ? 'scales · ' : ''}made by \`npm run generate\``,
    ...section('spec', spec),
    ...rulesSection(rulesOf({ path: '', schema: { ...schema, properties: { spec: spec ?? {} } }, required: true })),
    ...section('status', status),
  ]
    .join('\n\n')
    .concat('\n')
}

function section(name: string, schema: StructuralSchema | undefined): string[] {
  if (schema === undefined) return []
  const rows = membersOf(name, schema).map(({ path, schema: field, required }) => {
    const facts = [typeOf(field), required ? '**required**' : defaultOf(field), limitsOf(field)].filter(
      (fact) => fact !== '',
    )
    return `| \`${path}\` | ${facts.join('<br>')} | ${cell(field.description ?? '')} |`
  })
  return [`## ${name}`, ['| Field | Type | Description |', '| --- | --- | --- |', ...rows].join('\n')]
}

function membersOf(path: string, schema: StructuralSchema): Row[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, member]) => {
    const at = `${path}.${name}`
    const required = schema.required?.includes(name) === true
    return [{ path: at, schema: member, required }, ...below(at, member)]
  })
}

function below(path: string, schema: StructuralSchema): Row[] {
  if (definitionOf(schema) !== undefined) return []
  if (schema.items !== undefined) return below(`${path}[]`, schema.items)
  if (typeof schema.additionalProperties === 'object') return below(`${path}.*`, schema.additionalProperties)
  return membersOf(path, schema)
}

function rulesOf({ path, schema }: Row): string[] {
  if (definitionOf(schema) !== undefined) return []
  const own = (schema['x-kubernetes-validations'] ?? []).map(
    ({ fieldPath = '', message = '' }) => `- \`${(path + fieldPath).replace(/^\./, '')}\`: ${message}`,
  )
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]) =>
    rulesOf({ path: `${path}.${name}`, schema: member, required: false }),
  )
  const items = schema.items === undefined ? [] : rulesOf({ path: `${path}[]`, schema: schema.items, required: false })
  const values =
    typeof schema.additionalProperties === 'object'
      ? rulesOf({ path: `${path}.*`, schema: schema.additionalProperties, required: false })
      : []
  return [...own, ...members, ...items, ...values]
}

function rulesSection(rules: readonly string[]): string[] {
  return rules.length === 0 ? [] : ['### Rules', rules.join('\n')]
}

function typeOf(schema: StructuralSchema): string {
  const definition = definitionOf(schema)
  if (definition !== undefined) return `${definition.slice(definition.lastIndexOf('.') + 1)} (Kubernetes)`
  if (schema['x-kubernetes-int-or-string'] === true)
    return schema.pattern === undefined ? 'integer or text' : 'quantity'
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`
  if (typeof schema.additionalProperties === 'object') return `map of ${typeOf(schema.additionalProperties)}`
  return schema.type ?? 'anything'
}

function defaultOf(schema: StructuralSchema): string {
  return schema.default === undefined ? '' : `default \`${JSON.stringify(schema.default)}\``
}

function limitsOf(schema: StructuralSchema): string {
  const range = [
    schema.minimum === undefined ? '' : `≥ ${schema.minimum}`,
    schema.maximum === undefined ? '' : `≤ ${schema.maximum}`,
    schema.minItems === undefined ? '' : `at least ${schema.minItems}`,
    schema.maxItems === undefined ? '' : `at most ${schema.maxItems}`,
    schema.minProperties === undefined ? '' : `at least ${schema.minProperties}`,
    schema.maxProperties === undefined ? '' : `at most ${schema.maxProperties}`,
    schema.maxLength === undefined || schema['x-kubernetes-int-or-string'] ? '' : `≤ ${schema.maxLength} characters`,
    schema.pattern === undefined || schema['x-kubernetes-int-or-string'] ? '' : cell(`\`${schema.pattern}\``),
  ]
  return range.filter((part) => part !== '').join(', ')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
