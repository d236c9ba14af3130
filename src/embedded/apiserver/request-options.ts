import {
  type FieldError,
  forbiddenField,
  invalidField,
  requiredField,
  tooLongField,
  unsupportedField,
} from '#machinery/field-error.ts'
import { invalid } from '#machinery/status.ts'
import type { Call } from './context.ts'
import { type FieldValidation, fieldValidations } from './read-object.ts'

/** The options that every write takes. */
export interface WriteOptions {
  readonly dryRun: boolean
  readonly manager: string
  readonly fieldValidation: FieldValidation
}

/** As Kubernetes names them, by the verb. */
const kinds = { create: 'CreateOptions', update: 'UpdateOptions', patch: 'PatchOptions' } as const

/** Faults: 422 for options that no server knows. `isApply` tells a server-side apply from the other patches. */
export function writeOptions({ query, request, target }: Call, isApply = false): WriteOptions {
  const manager = query.get('fieldManager') ?? ''
  const dryRun = query.getAll('dryRun').filter((value) => value !== '')
  const fieldValidation = query.get('fieldValidation') ?? ''
  const kind = kinds[target.verb as keyof typeof kinds]
  const errors = [
    ...(kind === 'PatchOptions' ? patchErrors(query, isApply) : []),
    ...managerErrors(manager),
    ...(dryRun.every((value) => value === 'All') ? [] : [unsupportedField('dryRun', dryRun, ['All'])]),
    ...(isFieldValidation(fieldValidation)
      ? []
      : [unsupportedField('fieldValidation', fieldValidation, fieldValidations)]),
  ]
  if (errors.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', errors)
  return {
    dryRun: dryRun.length > 0,
    manager: manager === '' ? agentName(request) : manager,
    fieldValidation: isFieldValidation(fieldValidation) ? fieldValidation : '',
  }
}

function isFieldValidation(text: string): text is FieldValidation {
  return fieldValidations.some((known) => known === text)
}

function patchErrors(query: URLSearchParams, isApply: boolean): FieldError[] {
  if (isApply) {
    if (query.get('fieldManager')) return []
    return [requiredField('fieldManager', 'is required for apply patch')]
  }
  if (query.get('force') === null) return []
  return [forbiddenField('force', 'may not be specified for non-apply patch')]
}

const maxManagerBytes = 128
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u

function managerErrors(manager: string): FieldError[] {
  const field = 'fieldManager'
  const errors: FieldError[] = []
  if (Buffer.byteLength(manager) > maxManagerBytes) errors.push(tooLongField(field, maxManagerBytes))
  const found = unprintable.exec(manager)
  if (found !== null) {
    const point = found[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')
    const at = Buffer.byteLength(manager.slice(0, found.index))
    errors.push(...invalidField(field, manager, `invalid character U+${point} (at position ${at})`))
  }
  return errors
}

/** What stands before the version in the user agent, as Kubernetes names a manager that does not name itself. */
function agentName(request: Request): string {
  const agent = request.headers.get('user-agent') ?? ''
  const name = agent.split('/', 1)[0]?.replaceAll(new RegExp(unprintable, 'gu'), '')
  return name?.slice(0, maxManagerBytes) || 'unknown'
}
