import { equalJson } from '#base/json.ts'
import {
  type FieldError,
  invalidField,
  requiredField,
  unlessKept,
  unlessNonNegative,
  unlessOneOf,
} from '#machinery/field-error.ts'
import { selectorErrors, selects } from '#machinery/label-selector.ts'
import { dns1123LabelErrors } from '#machinery/names.ts'
import { labelErrors } from '#machinery/object-meta-rules.ts'
import { podSpecErrors } from './pod-rules.ts'
import type { Job, JobSpec, JobStatus, LabelSelector } from './types.generated.ts'

/** What must hold of a job. Pure. Source: Kubernetes, pkg/apis/batch/validation/validation.go. */
export function checkJob(job: Job, old?: Job): FieldError[] {
  const { spec = noSpec } = job
  return [
    ...(old === undefined ? generatedErrors(job, spec) : []),
    ...specErrors(spec),
    ...(old === undefined ? [] : updateErrors(spec, old.spec ?? noSpec)),
    ...hostNameErrors(job, spec),
  ]
}

const noSpec: JobSpec = { template: {} }
const counts = [
  'parallelism',
  'completions',
  'activeDeadlineSeconds',
  'backoffLimit',
  'ttlSecondsAfterFinished',
  'backoffLimitPerIndex',
  'maxFailedIndexes',
] as const
const modes = ['NonIndexed', 'Indexed']
const onlyIndexed = 'requires indexed completion mode'

/** A selector that the server made must be what it made. */
function generatedErrors({ metadata }: Job, { manualSelector, selector, template }: JobSpec): FieldError[] {
  if (manualSelector === true || selector === undefined) return []
  const { uid = '', name = '' } = metadata
  const made = {
    'controller-uid': uid,
    'job-name': name,
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': name,
  }
  const labels = template.metadata?.labels ?? {}
  const field = 'spec.template.metadata.labels'
  const wrong = Object.entries(made).flatMap(([key, value]) => {
    const found = labels[key]
    if (found === undefined) return [requiredField(`${field}[${key}]`, `must be '${value}'`)]
    return found === value ? [] : invalidField(`${field}[${key}]`, labels, `must be '${value}'`)
  })
  if (selectorErrors('', selector).length > 0 || selects(selector, made)) return wrong
  return [...wrong, ...invalidField('spec.selector', selector, '`selector` not auto-generated')]
}

function specErrors(spec: JobSpec): FieldError[] {
  const { template, selector } = spec
  const labels = template.metadata?.labels ?? {}
  return [
    ...counts.flatMap((member) => unlessNonNegative(`spec.${member}`, spec[member])),
    ...modeErrors(spec),
    ...unlessOneOf(
      'spec.podReplacementPolicy',
      spec.podReplacementPolicy,
      spec.podFailurePolicy === undefined ? ['Failed', 'TerminatingOrFailed'] : ['Failed'],
    ),
    ...labelErrors('spec.template.metadata.labels', labels),
    ...podSpecErrors('spec.template.spec', template.spec ?? { containers: [] }, false),
    ...restartErrors(template.spec?.restartPolicy),
    ...(selector === undefined ? [requiredField('spec.selector')] : chosenErrors(selector, labels)),
  ]
}

function chosenErrors(selector: LabelSelector, labels: Readonly<Record<string, string>>): FieldError[] {
  const wrong = selectorErrors('spec.selector', selector)
  if (wrong.length > 0 || selects(selector, labels)) return wrong
  return invalidField('spec.template.metadata.labels', labels, '`selector` does not match template `labels`')
}

function modeErrors({ completionMode, completions, backoffLimitPerIndex, maxFailedIndexes }: JobSpec): FieldError[] {
  const isIndexed = completionMode === 'Indexed'
  const forIndexed = { backoffLimitPerIndex, maxFailedIndexes }
  return [
    ...(maxFailedIndexes !== undefined && backoffLimitPerIndex === undefined
      ? [requiredField('spec.backoffLimitPerIndex', 'when maxFailedIndexes is specified')]
      : []),
    ...unlessOneOf('spec.completionMode', completionMode, modes),
    ...(isIndexed && completions === undefined
      ? [requiredField('spec.completions', 'when completion mode is Indexed')]
      : []),
    ...Object.entries(forIndexed).flatMap(([member, value]) =>
      isIndexed || value === undefined ? [] : invalidField(`spec.${member}`, value, onlyIndexed),
    ),
  ]
}

function restartErrors(policy = ''): FieldError[] {
  const field = 'spec.template.spec.restartPolicy'
  if (policy === '' || policy === 'Always') return [requiredField(field, 'valid values: "OnFailure", "Never"')]
  return unlessOneOf(field, policy, ['OnFailure', 'Never'])
}

const fixed = ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const

function updateErrors(spec: JobSpec, old: JobSpec): FieldError[] {
  return [
    ...completionsErrors(spec, old),
    ...unlessKept('spec.selector', spec.selector, old.selector),
    ...templateErrors(spec, old),
    ...fixed.flatMap((member) => unlessKept(`spec.${member}`, spec[member], old[member])),
  ]
}

/** Indexes may be added while as many run at once. */
function completionsErrors({ completionMode, completions, parallelism }: JobSpec, old: JobSpec): FieldError[] {
  const field = 'spec.completions'
  if (completionMode !== 'Indexed') return unlessKept(field, completions, old.completions)
  if (completions === undefined || completions === old.completions || completions === parallelism) return []
  return invalidField(field, completions, 'can only be modified in tandem with spec.parallelism')
}

/** Where pods shall run may change while none do. */
function templateErrors({ template }: JobSpec, { suspend, template: old }: JobSpec): FieldError[] {
  if (suspend !== true) return unlessKept('spec.template', template, old)
  const fixedPart = ({ metadata: _, spec }: JobSpec['template']): unknown => {
    const { nodeSelector: __, tolerations: ___, schedulingGates: ____, affinity, containers = [], ...rest } = spec ?? {}
    const { nodeAffinity: _____, ...others } = affinity ?? {}
    return { ...rest, affinity: others, containers: containers.map(({ resources: ______, ...container }) => container) }
  }
  return equalJson(fixedPart(template), fixedPart(old)) ? [] : unlessKept('spec.template', template, old)
}

function hostNameErrors({ metadata: { name = '' } }: Job, { completionMode, completions = 0 }: JobSpec): FieldError[] {
  if (completionMode !== 'Indexed' || completions <= 0) return []
  const last = `${name}-${completions - 1}`
  if (dns1123LabelErrors(last).length === 0) return []
  return invalidField('metadata.name', name, `will not able to create pod with invalid DNS label: ${last}`)
}

/** What must hold of how far a job says it has come. */
export function checkJobStatus({ status = {}, spec }: Job, old: Job): FieldError[] {
  const before = old.status ?? {}
  return [
    ...(['active', 'succeeded', 'failed', 'ready', 'terminating'] as const).flatMap((member) =>
      unlessNonNegative(`status.${member}`, status[member]),
    ),
    ...endErrors(status, before),
    ...backErrors(status, before, spec?.completionMode === 'Indexed' && spec.completions === spec.parallelism),
  ]
}

function holds({ conditions = [] }: JobStatus, type: string): boolean {
  return conditions.some((condition) => condition.type === type && condition.status === 'True')
}

/** A cause without the value. */
function conditionsError(detail: string): FieldError {
  return { field: 'status.conditions', type: 'FieldValueInvalid', detail }
}

function endErrors(status: JobStatus, before: JobStatus): FieldError[] {
  const [complete, failed] = [holds(status, 'Complete'), holds(status, 'Failed')]
  const ended = complete || failed
  if (ended === (holds(before, 'Complete') || holds(before, 'Failed'))) return []
  const { completionTime, startTime, active = 0, terminating = 0 } = status
  const errors: FieldError[] = []
  if (complete && failed) errors.push(conditionsError('cannot set Complete=True and Failed=true conditions'))
  if (completionTime !== undefined && !complete) {
    errors.push(
      ...invalidField(
        'status.completionTime',
        completionTime,
        'cannot set completionTime when there is no Complete=True condition',
      ),
    )
  }
  if (complete && completionTime === undefined) {
    errors.push(requiredField('status.completionTime', 'completionTime is required for Complete jobs'))
  }
  if (failed && !holds(status, 'FailureTarget')) {
    errors.push(conditionsError('cannot set Failed=True condition without the FailureTarget=true condition'))
  }
  if (complete && !holds(status, 'SuccessCriteriaMet')) {
    errors.push(conditionsError('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'))
  }
  if (active > 0) errors.push(...invalidField('status.active', active, 'active>0 is invalid for finished job'))
  if (startTime === undefined) errors.push(requiredField('status.startTime', 'startTime is required for finished job'))
  if (terminating > 0) {
    errors.push(...invalidField('status.terminating', terminating, 'terminating>0 is invalid for finished job'))
  }
  return errors
}

/** What does not go back. */
function backErrors(status: JobStatus, before: JobStatus, mayLessSucceed: boolean): FieldError[] {
  const errors = ['Failed', 'Complete', 'FailureTarget']
    .filter((type) => holds(before, type) && !holds(status, type))
    .map((type) => conditionsError(`cannot disable the terminal ${type}=True condition`))
  for (const member of ['failed', ...(mayLessSucceed ? [] : ['succeeded' as const])] as const) {
    const count = status[member] ?? 0
    if (count < (before[member] ?? 0)) {
      errors.push(...invalidField(`status.${member}`, count, `cannot decrease the ${member} counter`))
    }
  }
  return errors
}
