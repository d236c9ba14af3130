import { type FieldError, forbiddenField, invalidField, requiredField } from './field-error.ts'
import { labelValueErrors, qualifiedNameErrors } from './names.ts'
import { labelErrors } from './object-meta-rules.ts'
import { type LabelSelector, labelRequirements, type Labels, matchesLabels } from './selector.ts'

/** What is wrong with a selector in an object. Source: apimachinery, `pkg/apis/meta/v1/validation`. */
export function selectorErrors(field: string, { matchLabels, matchExpressions = [] }: LabelSelector): FieldError[] {
  return [
    ...labelErrors(`${field}.matchLabels`, matchLabels),
    ...matchExpressions.flatMap(({ key, operator, values = [] }, i) => {
      const at = `${field}.matchExpressions[${i}]`
      return [
        ...operatorErrors(at, operator, values),
        ...invalidField(`${at}.key`, key, ...qualifiedNameErrors(key)),
        ...values.flatMap((value, j) => invalidField(`${at}.values[${j}]`, value, ...labelValueErrors(value))),
      ]
    }),
  ]
}

function operatorErrors(at: string, operator: string, values: readonly string[]): FieldError[] {
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
