import { dialectOf } from '#api/dialects.ts'
import { isBooster } from '#api/family-kinds.ts'
import { convert } from '#booster/convert.ts'
import { formatFieldError } from '#machinery/field-error.ts'
import { readDocuments, type UserDocument } from './documents.ts'
import { exitCodes } from './exit.ts'
import { errorsOf, type Finding, inspect, type Inspected } from './inspect.ts'
import type { Io } from './io.ts'

export interface ValidateOptions {
  readonly filename: readonly string[]
  readonly json?: boolean
}

export function validate(options: ValidateOptions, io: Io): void {
  const inspected = readDocuments(options.filename).map((document) => {
    const found = inspect(document)
    return { ...found, findings: [...found.findings, ...unconvertible(document, found)] }
  })
  const findings = inspected.flatMap((each) => each.findings)
  if (options.json === true) {
    io.write(
      `${JSON.stringify(
        findings.map(({ severity, at, error }) => ({ severity, at, ...error })),
        null,
        2,
      )}\n`,
    )
  } else {
    for (const { severity, at, error } of findings) io.write(`${at}: ${severity}: ${formatFieldError(error)}\n`)
    for (const { object, kind, findings: own } of inspected) {
      if (errorsOf(own).length > 0) continue
      io.write(`${object.kind}/${object.metadata.name}: ${kind === undefined ? 'not checked' : 'valid'}\n`)
    }
  }
  if (errorsOf(findings).length > 0) io.exit(exitCodes.failed)
}

/** What an API server takes and the booster's controller then cannot make children of. */
function unconvertible({ at }: UserDocument, { object, findings }: Inspected): Finding[] {
  if (!isBooster(object) || errorsOf(findings).length > 0) return []
  const conversion = convert(object, dialectOf(object).images)
  if (conversion.ok) return []
  return conversion.errors.map((error) => ({ severity: 'error', at: at(error.field), error }))
}
