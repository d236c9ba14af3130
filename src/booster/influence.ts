/**
 * Which field of a booster which field of its children comes from. Nowhere written down: two boosters that differ in one
 * field are planned, and the children compared.
 */
import { equalJson, isObject } from '#base/json.ts'
import type { ModelBooster } from '#api/model-booster.ts'
import { normalBooster } from '#api/model-booster-normal.ts'
import { type FieldChange, fieldChanges, leavesOf } from '#machinery/field-changes.ts'
import { formatPath, getAt, type PathSegment, withValueAt } from '#machinery/field-path.ts'
import type { AnyResource, Resource } from '#machinery/meta.ts'
import { absentMembers, otherValue, schemaAt } from '#machinery/schema-sample.ts'
import type { StructuralSchema } from '#machinery/structural-schema.ts'
import { childrenOf, desiredBy } from './convert.ts'
import type { PlatformImages } from './render-container.ts'

/** A field of the booster, and whether it is written there or has its default. */
export interface Source {
  readonly field: string
  readonly given: boolean
  /** Whether it says what the field is, or only that there is one. */
  readonly decides: 'value' | 'presence'
}

export interface ExplainedField {
  readonly field: string
  readonly value: unknown
  /** Empty where the planner sets it whatever the booster says. */
  readonly sources: readonly Source[]
}

export interface ExplainRequest {
  readonly booster: ModelBooster
  /** Of ModelBoosters: says what else a field could be. */
  readonly schema: StructuralSchema
  readonly images: PlatformImages
  /** The child, by kind and name; `undefined` when the booster has none of that name. */
  readonly kind: string
  readonly name: string
}

/** Every field of a child with where it comes from. */
export function explainChild({ booster, schema, images, kind, name }: ExplainRequest): ExplainedField[] | undefined {
  const children = planned(booster, images)
  const at = children.findIndex((each) => each.kind === kind && each.metadata.name === name)
  const child = children[at]
  if (child === undefined) return undefined
  const sources = new Map<string, Source[]>()
  for (const { path, value, given } of variations(booster, schema)) {
    const others = planned(withValueAt(booster, path, value) as Resource, images)
    const other = counterpart(child, at, children, others)
    // Without the child, or any backend, there is nothing to compare: both forms of a spec at once make none.
    if (other === undefined || others.length === 1) continue
    for (const { field, before, after } of fieldChanges(other, child)) {
      if (after === undefined) continue
      const decides = before === undefined ? 'presence' : 'value'
      sources.set(field, [...(sources.get(field) ?? []), { field: formatPath(path), given, decides }])
    }
  }
  return leavesOf(child).map(({ path, value }) => {
    const field = formatPath(path)
    return { field, value, sources: sources.get(field) ?? [] }
  })
}

/** The fields of each child that come out otherwise from `former` than from `later`, in the order of writing. */
export function influence(
  former: Resource,
  later: Resource,
  images: PlatformImages,
): { readonly child: AnyResource; readonly fields: readonly FieldChange[] }[] {
  const before = planned(former, images)
  const after = planned(later, images)
  return after.flatMap((child, at) => {
    const fields = fieldChanges(counterpart(child, at, after, before), child)
    return fields.length === 0 ? [] : [{ child, fields }]
  })
}

/** Which changed field of the booster changes which field of which child: each is put back by itself. */
export function causes(former: ModelBooster, later: ModelBooster, images: PlatformImages): Cause[] {
  return changedParts(former.spec, later.spec, ['spec']).flatMap(({ path, before }) =>
    influence(withValueAt(later, path, before) as Resource, later, images).map(({ child, fields }) => ({
      field: formatPath(path),
      kind: child.kind,
      name: child.metadata.name ?? '',
      fields: new Set(fields.map(({ field }) => field)),
    })),
  )
}

export interface Cause {
  /** Of the booster. */
  readonly field: string
  readonly kind: string
  readonly name: string
  /** Of the child. */
  readonly fields: ReadonlySet<string>
}

interface ChangedPart {
  readonly path: readonly PathSegment[]
  readonly before: unknown
}

/** As far down as one can be put back without the others: a list that has got longer or shorter is one part. */
function changedParts(before: unknown, after: unknown, path: readonly PathSegment[]): ChangedPart[] {
  if (equalJson(before, after)) return []
  const below = (segments: Iterable<PathSegment>): ChangedPart[] =>
    [...segments].flatMap((one) => changedParts(getAt(before, [one]), getAt(after, [one]), [...path, one]))
  if (isObject(before) && isObject(after)) return below(new Set([...Object.keys(before), ...Object.keys(after)]))
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) return below(after.keys())
  return [{ path, before }]
}

export interface Variation {
  readonly path: readonly PathSegment[]
  readonly value: unknown
  readonly given: boolean
}

/** Every way to change one field: those that are given to another value, those that are not to any. */
export function variations(booster: ModelBooster, schema: StructuralSchema): Variation[] {
  const { name, namespace, uid } = booster.metadata
  const whole = { metadata: { name, namespace, uid }, spec: booster.spec }
  const given = leavesOf(whole).map(({ path, value }) => ({
    path,
    value: otherValue(value, schemaAt(schema, path)),
    given: true,
  }))
  const absent = absentMembers(booster.spec, schemaAt(schema, ['spec']), ['spec'])
  return [...given, ...absent.map(({ path, value }) => ({ path, value, given: false }))].filter(({ path, value }) => {
    return value !== getAt(booster, path)
  })
}

function planned(booster: Resource, images: PlatformImages): AnyResource[] {
  return childrenOf(desiredBy(normalBooster(booster), images))
}

/** The child of the same name or, where names have changed, at the same place among those of its kind. */
function counterpart(
  child: AnyResource,
  at: number,
  children: readonly AnyResource[],
  others: readonly AnyResource[],
): AnyResource | undefined {
  const sameKind = others.filter(({ kind }) => kind === child.kind)
  const sameName = sameKind.find(({ metadata }) => metadata.name === child.metadata.name)
  if (sameName !== undefined) return sameName
  const before = children.slice(0, at).filter(({ kind }) => kind === child.kind).length
  const names = new Set(children.map(({ kind, metadata }) => `${kind}/${metadata.name}`))
  const candidate = sameKind[before]
  return candidate !== undefined && !names.has(`${candidate.kind}/${candidate.metadata.name}`) ? candidate : undefined
}
