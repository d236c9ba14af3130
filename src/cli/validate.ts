import { formatFieldError } from '#machinery/field-error.ts'
import { readDocuments } from './documents.ts'
import { exitCodes } from './exit.ts'
import { errorsOf, inspect } from './inspect.ts'
import type { Io } from './io.ts'

export interface ValidateOptions {
  readonly filename: readonly string[]
  readonly json?: boolean
}

export function validate(options: ValidateOptions, io: Io): void {
  const inspected = readDocuments(options.filename).map(inspect)
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
    for (const { object, findings: own } of inspected) {
      if (errorsOf(own).length === 0) io.write(`${object.kind}/${object.metadata.name}: valid\n`)
    }
  }
  if (errorsOf(findings).length > 0) io.exit(exitCodes.failed)
}
