import { type FieldError, formatFieldError, invalidField } from '#machinery/field-error.ts'
import type { Kind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { dns1123LabelErrors, dns1123SubdomainErrors, pathSegmentErrors } from '#machinery/names.ts'
import { type MetaRules, objectMetaErrors, objectMetaUpdateErrors } from '#machinery/object-meta-rules.ts'
import { compileSchema } from '#machinery/schema.ts'
import { invalid } from '#machinery/status.ts'
import { definitionsResource } from './custom-kinds.ts'
import { checkCustom } from './custom-rules.ts'
import { checkDefinition } from './definition-rules.ts'
import type { ServedKind } from './served-kind.ts'

/** All that is wrong with an object to be created. Faults: 422 with a cause for each error. */
export function validateNew(served: ServedKind, object: AnyResource): void {
  const { kind } = served
  const errors = otherKind(served, object, undefined) ?? [
    ...objectMetaErrors(object.metadata, metaRules(served)),
    ...(kind.builtin ? (checkOf(served)?.(object) ?? []) : checkCustom(served, object, undefined)),
  ]
  refuse(served, object, errors)
}

/** All that is wrong with an object as it shall be; a write of the status has rules of its own. Faults: 422. */
export function validateUpdate(served: ServedKind, object: AnyResource, old: AnyResource, subresource: string): void {
  const { kind } = served
  const rules = metaRules(served)
  const check = subresource === 'status' ? kind.checkStatus : checkOf(served)
  const errors = otherKind(served, object, old) ?? [
    ...objectMetaErrors(object.metadata, { ...rules, nameErrors: pathSegmentErrors, standardFinalizers: false }),
    ...objectMetaUpdateErrors(object.metadata, old.metadata, rules),
    ...(kind.builtin ? (check?.(object, old) ?? []) : checkCustom(served, object, old, subresource)),
  ]
  refuse(served, object, errors)
}

/** Definitions are judged by what serves them. */
function checkOf({ kind, resource }: ServedKind): Kind['check'] {
  return resource === definitionsResource ? checkDefinition : kind.check?.bind(kind)
}

/** A custom object that says that it is of another kind is judged by nothing else but rules. */
function otherKind({ kind }: ServedKind, object: AnyResource, old: AnyResource | undefined): FieldError[] | undefined {
  if (object.kind === kind.kind) return undefined
  const errors = invalidField('kind', object.kind, `must be ${kind.kind}`)
  return [...errors, ...compileSchema(kind.schema()).rules(object, old, errors)]
}

function refuse(
  { kind, resource }: ServedKind,
  { metadata, kind: named }: AnyResource,
  errors: readonly FieldError[],
): void {
  if (errors.length === 0) return
  const different = [...new Map(errors.map((error) => [formatFieldError(error), error])).values()]
  // Kubernetes judges both views of an event alike.
  const judged = { group: resource === 'events' ? '' : kind.group, kind: named }
  throw invalid(judged, metadata.name ?? '', different)
}

function metaRules({ kind, resource }: ServedKind): MetaRules {
  return {
    namespaced: kind.namespaced,
    nameErrors: nameErrors(kind.group, resource),
    standardFinalizers: kind.builtin && kind.group !== 'apiextensions.k8s.io',
  }
}

function nameErrors(group: string, resource: string): (name: string) => string[] {
  if (resource === 'namespaces' || resource === 'services') return dns1123LabelErrors
  return group === 'rbac.authorization.k8s.io' ? pathSegmentErrors : dns1123SubdomainErrors
}
