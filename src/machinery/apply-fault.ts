import { Fault } from '#base/fault.ts'
import type { Holder } from './field-holders.ts'
import type { Resource } from './meta.ts'
import { failureStatus } from './status.ts'

/** A configuration that nobody may apply; an API server answers 400. `details` is a Kubernetes Status, here and below. */
export function badApply(message: string): Fault {
  return new Fault('invalid', 'BadApply', message, { details: failureStatus(400, 'BadRequest', message) })
}

/** A configuration that is not of the kind's schema, which Kubernetes takes for a failure of its own: 500; `problems` as `checkApplied` tells them. */
export function notOfType({ apiVersion, kind, metadata }: Resource, problems: readonly string[]): Fault {
  const name = `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`
  const type = apiVersion.includes('/') ? apiVersion : `/${apiVersion}`
  const what = problems.length === 1 ? problems[0] : `errors:\n${problems.map((problem) => `  ${problem}`).join('\n')}`
  const message = `failed to create typed patch object (${name}; ${type}, Kind=${kind}): ${what}`
  return new Fault('invalid', 'BadApply', message, { details: failureStatus(500, '', message) })
}

/** Fields, by their paths, that others hold; an API server answers 409 with a cause for each. */
export function applyConflict(
  conflicts: readonly { holder: Holder; paths: readonly string[] }[],
  toldVersion?: string,
): Fault {
  const byManager = conflicts
    .map(({ holder, paths }) => ({ name: printManager(holder, toldVersion ?? holder.apiVersion), paths }))
    .sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)))
  const causes = byManager.flatMap(({ name, paths }) =>
    paths.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field })),
  )
  const [only] = causes
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${only?.message}: ${only?.field}`
      : `Apply failed with ${causes.length} conflicts: ${byManager
          .map(({ name, paths }) => [`conflicts with ${name}:`, ...paths.map((field) => `- ${field}`)].join('\n'))
          .join('\n')}`
  return new Fault('conflict', 'ApplyConflict', message, {
    details: failureStatus(409, 'Conflict', message, { causes }),
  })
}

function printManager({ manager, operation, subresource }: Holder, apiVersion: string): string {
  const where = subresource === undefined ? '' : ` with subresource ${JSON.stringify(subresource)}`
  return `${JSON.stringify(manager)}${where}${operation === 'Update' ? ` using ${apiVersion}` : ''}`
}
