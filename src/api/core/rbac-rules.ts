import {
  type FieldError,
  immutable,
  invalidField,
  requiredField,
  unlessOneOf,
  unsupportedField,
} from '#machinery/field-error.ts'
import { equalJson } from '#base/json.ts'
import { selectorErrors } from '#machinery/label-selector.ts'
import { dns1123SubdomainErrors, pathSegmentErrors } from '#machinery/names.ts'
import type {
  ClusterRole,
  ClusterRoleBinding,
  PolicyRule,
  Role,
  RoleBinding,
  RoleRef,
  Subject,
} from './types.generated.ts'

/** What must hold of roles and bindings. Pure. Source: Kubernetes, pkg/apis/rbac/validation/validation.go. */
export function checkRole({ rules }: Role): FieldError[] {
  return rulesErrors(rules, true)
}

export function checkClusterRole({ rules, aggregationRule }: ClusterRole): FieldError[] {
  const field = 'aggregationRule.clusterRoleSelectors'
  const selectors = aggregationRule?.clusterRoleSelectors ?? []
  const none = 'at least one clusterRoleSelector required if aggregationRule is non-nil'
  return [
    ...rulesErrors(rules, false),
    ...(aggregationRule !== undefined && selectors.length === 0 ? [requiredField(field, none)] : []),
    ...selectors.flatMap((selector, i) => selectorErrors(`${field}[${i}]`, selector)),
  ]
}

export function checkRoleBinding(binding: RoleBinding, old?: RoleBinding): FieldError[] {
  return bindingErrors(binding, old, ['Role', 'ClusterRole'])
}

export function checkClusterRoleBinding(binding: ClusterRoleBinding, old?: ClusterRoleBinding): FieldError[] {
  return bindingErrors(binding, old, ['ClusterRole'])
}

const group = 'rbac.authorization.k8s.io'

function rulesErrors(rules: readonly PolicyRule[] | null | undefined, isNamespaced: boolean): FieldError[] {
  return (rules ?? []).flatMap((rule, i) => ruleErrors(`rules[${i}]`, rule, isNamespaced))
}

function ruleErrors(at: string, rule: PolicyRule, isNamespaced: boolean): FieldError[] {
  const { nonResourceURLs: urls = [], apiGroups = [], resources = [], resourceNames = [] } = rule
  const verbless = (rule.verbs ?? []).length === 0 ? [requiredField(`${at}.verbs`)] : []
  if (urls.length > 0) {
    const wrong = [
      ...(isNamespaced ? ['namespaced rules cannot apply to non-resource URLs'] : []),
      ...(apiGroups.length + resources.length + resourceNames.length > 0
        ? ['rules cannot apply to both regular resources and non-resource URLs']
        : []),
    ]
    return [...verbless, ...invalidField(`${at}.nonResourceURLs`, urls, ...wrong)]
  }
  const missing = (member: string, what: string): FieldError =>
    requiredField(`${at}.${member}`, `resource rules must supply at least one ${what}`)
  return [
    ...verbless,
    ...(apiGroups.length === 0 ? [missing('apiGroups', 'api group')] : []),
    ...(resources.length === 0 ? [missing('resources', 'resource')] : []),
  ]
}

function bindingErrors(binding: RoleBinding, old: RoleBinding | undefined, kinds: readonly string[]): FieldError[] {
  const { roleRef, subjects = [] } = binding
  const { apiGroup, kind, name } = roleRef
  return [
    ...unlessOneOf('roleRef.apiGroup', apiGroup, [group]),
    ...unlessOneOf('roleRef.kind', kind, kinds),
    ...(name === '' ? [requiredField('roleRef.name')] : invalidField('roleRef.name', name, ...pathSegmentErrors(name))),
    ...subjects.flatMap((subject, i) => subjectErrors(`subjects[${i}]`, subject, kinds.includes('Role'))),
    ...(old === undefined || equalJson(roleRef, old.roleRef)
      ? []
      : invalidField('roleRef', asGoPrints(roleRef), immutable)),
  ]
}

/** By the names of Go's own type. */
function asGoPrints({ apiGroup, kind, name }: RoleRef): unknown {
  return { APIGroup: apiGroup, Kind: kind, Name: name }
}

function subjectErrors(
  at: string,
  { kind, name, namespace = '', apiGroup = '' }: Subject,
  isNamespaced: boolean,
): FieldError[] {
  const nameless = name === '' ? [requiredField(`${at}.name`)] : []
  switch (kind) {
    case 'ServiceAccount':
      return [
        ...nameless,
        ...(name === '' ? [] : invalidField(`${at}.name`, name, ...dns1123SubdomainErrors(name))),
        ...unlessOneOf(`${at}.apiGroup`, apiGroup, ['']),
        ...(isNamespaced || namespace !== '' ? [] : [requiredField(`${at}.namespace`)]),
      ]
    case 'User':
    case 'Group':
      return [...nameless, ...unlessOneOf(`${at}.apiGroup`, apiGroup, [group])]
    default:
      return [...nameless, unsupportedField(`${at}.kind`, kind, ['ServiceAccount', 'User', 'Group'])]
  }
}
