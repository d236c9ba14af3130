import { type FieldError, duplicateField, invalidField, requiredField, unlessOneOf } from '#machinery/field-error.ts'
import { operatorErrors, requirementErrors } from '#machinery/label-selector.ts'
import { dns1123LabelErrors, labelValueErrors, qualifiedNameErrors } from '#machinery/names.ts'
import type {
  Affinity,
  NodeSelectorTerm,
  PodAffinity,
  PodAffinityTerm,
  PodSchedulingGate,
  Taint,
  Toleration,
  TopologySpreadConstraint,
} from './types.generated.ts'

/** What must hold of where a pod may run. Pure. Source: Kubernetes, pkg/apis/core/validation/validation.go. */
export function tolerationsErrors(field: string, tolerations: readonly Toleration[]): FieldError[] {
  return tolerations.flatMap((toleration, i) => tolerationErrors(`${field}[${i}]`, toleration))
}

const taintEffects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

function tolerationErrors(
  at: string,
  { key = '', operator = '', value = '', effect = '', tolerationSeconds }: Toleration,
): FieldError[] {
  const errors: FieldError[] = []
  if (key !== '') errors.push(...invalidField(`${at}.key`, key, ...qualifiedNameErrors(key)))
  if (key === '' && operator !== 'Exists') {
    const detail = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
    errors.push(...invalidField(`${at}.operator`, operator, detail))
  }
  if (tolerationSeconds !== undefined && effect !== 'NoExecute') {
    errors.push(...invalidField(`${at}.effect`, effect, "effect must be 'NoExecute' when `tolerationSeconds` is set"))
  }
  if (operator === '' || operator === 'Equal') {
    const wrong = labelValueErrors(value)
    if (wrong.length > 0) errors.push(...invalidField(`${at}.operator`, value, wrong.join(';')))
  } else if (operator === 'Exists') {
    if (value !== '')
      errors.push(...invalidField(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"))
  } else {
    const known = ['Equal', 'Exists', ...(['Lt', 'Gt'].includes(operator) ? ['Lt', 'Gt'] : [])]
    errors.push(...unlessOneOf(`${at}.operator`, operator, known))
  }
  if (effect !== '') errors.push(...unlessOneOf(`${at}.effect`, effect, taintEffects))
  return errors
}

export function taintsErrors(field: string, taints: readonly Taint[] = []): FieldError[] {
  return taints.flatMap(({ key, value = '', effect }, i) => {
    const at = `${field}[${i}]`
    return [
      ...invalidField(`${at}.key`, key, ...qualifiedNameErrors(key)),
      ...invalidField(`${at}.value`, value, ...labelValueErrors(value)),
      ...(effect === '' ? [requiredField(`${at}.effect`)] : unlessOneOf(`${at}.effect`, effect, taintEffects)),
    ]
  })
}

export function affinityErrors(field: string, { nodeAffinity, podAffinity, podAntiAffinity }: Affinity): FieldError[] {
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const preferred = nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []
  const node = `${field}.nodeAffinity`
  const terms = `${node}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms`
  return [
    ...(required === undefined
      ? []
      : (required.nodeSelectorTerms ?? []).length === 0
        ? [requiredField(terms, 'must have at least one node selector term')]
        : required.nodeSelectorTerms.flatMap((term, i) => termErrors(`${terms}[${i}]`, term))),
    ...preferred.flatMap(({ weight, preference }, i) => {
      const at = `${node}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`
      return [...weightErrors(`${at}.weight`, weight), ...termErrors(`${at}.preference`, preference)]
    }),
    ...(podAffinity === undefined ? [] : podAffinityErrors(`${field}.podAffinity`, podAffinity)),
    ...(podAntiAffinity === undefined ? [] : podAffinityErrors(`${field}.podAntiAffinity`, podAntiAffinity)),
  ]
}

function weightErrors(field: string, weight: number): FieldError[] {
  return weight > 0 && weight <= 100 ? [] : invalidField(field, weight, 'must be in the range 1-100')
}

function termErrors(at: string, { matchExpressions = [] }: NodeSelectorTerm): FieldError[] {
  return matchExpressions.flatMap((requirement, i) =>
    requirementErrors(`${at}.matchExpressions[${i}]`, requirement, nodeOperatorErrors),
  )
}

/** Of a node selector, which compares numbers too. */
function nodeOperatorErrors(at: string, operator: string, values: readonly string[]): FieldError[] {
  if (operator !== 'Gt' && operator !== 'Lt') return operatorErrors(at, operator, values)
  if (values.length === 1) return []
  return [requiredField(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'")]
}

function podAffinityErrors(field: string, affinity: PodAffinity): FieldError[] {
  const required = affinity.requiredDuringSchedulingIgnoredDuringExecution ?? []
  const preferred = affinity.preferredDuringSchedulingIgnoredDuringExecution ?? []
  return [
    ...required.flatMap((term, i) =>
      podTermErrors(`${field}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, term),
    ),
    ...preferred.flatMap(({ weight, podAffinityTerm }, i) => {
      const at = `${field}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`
      return [...weightErrors(`${at}.weight`, weight), ...podTermErrors(`${at}.podAffinityTerm`, podAffinityTerm)]
    }),
  ]
}

function podTermErrors(at: string, { namespaces = [], topologyKey }: PodAffinityTerm): FieldError[] {
  return [
    ...namespaces.flatMap((name) => invalidField(`${at}.namespace`, name, ...dns1123LabelErrors(name))),
    ...(topologyKey === '' ? [requiredField(`${at}.topologyKey`, 'can not be empty')] : []),
    ...invalidField(`${at}.topologyKey`, topologyKey, ...qualifiedNameErrors(topologyKey)),
  ]
}

export function spreadErrors(field: string, constraints: readonly TopologySpreadConstraint[]): FieldError[] {
  const known = ['DoNotSchedule', 'ScheduleAnyway']
  return constraints.flatMap(({ maxSkew, topologyKey, whenUnsatisfiable }, i) => {
    const at = `${field}[${i}]`
    return [
      ...(maxSkew > 0 ? [] : invalidField(`${at}.maxSkew`, maxSkew, 'must be greater than zero')),
      ...(topologyKey === '' ? [requiredField(`${at}.topologyKey`, 'can not be empty')] : []),
      ...unlessOneOf(`${at}.whenUnsatisfiable`, whenUnsatisfiable, known),
    ]
  })
}

export function gatesErrors(field: string, gates: readonly PodSchedulingGate[]): FieldError[] {
  const names = new Set<string>()
  return gates.flatMap(({ name }, i) => {
    const errors = invalidField(`${field}[${i}]`, name, ...qualifiedNameErrors(name))
    if (names.has(name)) errors.push(duplicateField(`${field}[${i}]`, name))
    names.add(name)
    return errors
  })
}
