import type { ControllerRevision, Event, Job, Lease } from '#api/core/kinds.ts'
import { formatLabelSelector, labelRequirements } from '#machinery/selector.ts'
import { formatAge } from '#machinery/table.ts'
import { age, type Columns, holds, named, since, wide } from './column-cells.ts'

export const workColumns: Readonly<Record<string, Columns>> = {
  'jobs.batch': {
    columns: [
      { name: 'Status', about: 'Status of the job.' },
      { name: 'Completions', about: 'batch.v1.JobStatus.succeeded' },
      { name: 'Duration', about: 'Time required to complete the job.' },
      age,
      wide('Containers', 'Names of each container in the template.'),
      wide('Images', 'Images referenced by each container in the template.'),
      wide('Selector', 'batch.v1.JobSpec.selector'),
    ],
    cells: (job: Job, nowMs) => {
      const { spec, metadata } = job
      const containers = spec?.template?.spec?.containers ?? []
      return [
        jobWord(job),
        completions(job),
        jobTime(job, nowMs),
        since(metadata.creationTimestamp, nowMs),
        containers.map(({ name }) => name).join(','),
        containers.map(({ image = '' }) => image).join(','),
        formatLabelSelector(labelRequirements(spec?.selector ?? {})) || '<none>',
      ]
    },
  },
  'leases.coordination.k8s.io': {
    columns: [{ name: 'Holder', about: 'coordination.v1.LeaseSpec.holderIdentity' }, age],
    cells: ({ spec, metadata }: Lease, nowMs) => [spec?.holderIdentity ?? '', since(metadata.creationTimestamp, nowMs)],
  },
  'controllerrevisions.apps': {
    columns: [
      { name: 'Controller', about: 'Controller of the object' },
      { name: 'Revision', about: 'apps.v1.ControllerRevision.revision' },
      age,
    ],
    cells: ({ revision = 0, metadata }: ControllerRevision, nowMs) => {
      const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)
      const [group] = owner?.apiVersion.includes('/') === true ? owner.apiVersion.split('/') : ['']
      const kind = `${owner?.kind ?? ''}${group === '' ? '' : `.${group}`}`.toLowerCase()
      const controller = owner === undefined ? '<none>' : `${kind}/${owner.name}`
      return [controller, revision, since(metadata.creationTimestamp, nowMs)]
    },
  },
  events: {
    nameless: true,
    columns: [
      { name: 'Last Seen', about: 'core.v1.Event.lastTimestamp' },
      { name: 'Type', about: 'core.v1.Event.type' },
      { name: 'Reason', about: 'core.v1.Event.reason' },
      { name: 'Object', about: 'core.v1.Event.involvedObject' },
      wide('Subobject', 'core.v1.ObjectReference.fieldPath'),
      wide('Source', 'core.v1.Event.source'),
      { name: 'Message', about: 'core.v1.Event.message' },
      wide('First Seen', 'core.v1.Event.firstTimestamp'),
      wide('Count', 'core.v1.Event.count'),
      { ...wide('Name', named), format: 'name' },
    ],
    cells: (event: Event, nowMs) => {
      const { involvedObject, source, series, metadata } = event
      const { kind = '', name = '', fieldPath = '' } = involvedObject ?? {}
      const first = since(event.firstTimestamp ?? event.eventTime, nowMs)
      const last = event.lastTimestamp ? since(event.lastTimestamp, nowMs) : first
      const who = source?.component || event.reportingComponent || ''
      const where = source?.host || event.reportingInstance || ''
      return [
        series === undefined ? last : since(series.lastObservedTime, nowMs),
        event.type ?? '',
        event.reason ?? '',
        name === '' ? kind.toLowerCase() : `${kind.toLowerCase()}/${name}`,
        fieldPath,
        where === '' ? who : `${who}, ${where}`,
        event.message?.trim() ?? '',
        first,
        series?.count ?? (event.count || 1),
        metadata.name ?? '',
      ]
    },
  },
}

function jobWord({ status, metadata }: Job): string {
  const is = (type: string): boolean => holds(status?.conditions, type)
  const end = ['Complete', 'Failed'].find(is)
  if (end !== undefined) return end
  if (metadata.deletionTimestamp !== undefined) return 'Terminating'
  return ['Suspended', 'FailureTarget', 'SuccessCriteriaMet'].find(is) ?? 'Running'
}

function completions({ spec, status }: Job): string {
  const { completions: wanted, parallelism = 0 } = spec ?? {}
  const succeeded = status?.succeeded ?? 0
  if (wanted !== undefined) return `${succeeded}/${wanted}`
  return parallelism > 1 ? `${succeeded}/1 of ${parallelism}` : `${succeeded}/1`
}

function jobTime({ status }: Job, nowMs: number): string {
  if (status?.startTime === undefined) return ''
  const endMs = status.completionTime === undefined ? nowMs : Date.parse(status.completionTime)
  return formatAge(endMs - Date.parse(status.startTime))
}
