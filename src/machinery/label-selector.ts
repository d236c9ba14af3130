import { type FieldError, forbiddenField, invalidField, requiredField } from './field-error.ts'
import { labelValueErrors, qualifiedNameErrors } from './names.ts'
import { labelErrors } from './object-meta-rules.ts'
import { type LabelSelector, labelRequirements, type Labels, matchesLabels } from './selector.ts'

/** What is wrong with a selector in an object. Source: apimachinery, `pkg/apis/meta/v1/validation`. */
export function selectorErrors(field: string, { matchLabels, matchExpressions = [] }: LabelSelector): FieldError[] {
  return [
    ...labelErrors(`${field}.matchLabels`, matchLabels),
    ...matchExpressions.flatMap((requirement, i) => requirementErrors(`${field}.matchExpressions[${i}]`, requirement)),
  ]
}

interface Requirement {
  readonly key: string
  readonly operator: string
  readonly values?: readonly string[] | undefined
}

/** `ofOperator` tells what is wrong with an operator and the number of its values, where there are further ones. */
export function requirementErrors(
  at: string,
  { key, operator, values = [] }: Requirement,
  ofOperator = operatorErrors,
): FieldError[] {
  return [
    ...ofOperator(at, operator, values),
    ...invalidField(`${at}.key`, key, ...qualifiedNameErrors(key)),
    ...values.flatMap((value, i) => invalidField(`${at}.values[${i}]`, value, ...labelValueErrors(value))),
  ]
}

export function operatorErrors(at: string, operator: string, values: readonly string[]): FieldError[] {
  switch (operator) {
    case 'In':
    case 'NotIn':
      return values.length > 0
        ? []
        : [requiredField(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'")]
    case 'Exists':
    case 'DoesNotExist':
      return values.length === 0
        ? []
        : [forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'")]
    default:
      return invalidField(`${at}.operator`, operator, 'not a valid selector operator')
  }
}

/** Whether a selector with nothing wrong selects what has these labels. */
export function selects(selector: LabelSelector, labels: Labels): boolean {
  return matchesLabels(labelRequirements(selector), labels)
}
