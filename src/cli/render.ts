import { stringify } from 'yaml'
import { ModelBooster } from '#api/model-booster.ts'
import { Fault } from '#base/fault.ts'
import { childrenOf } from '#booster/convert.ts'
import { formatFieldError } from '#machinery/field-error.ts'
import { isOfKind } from '#machinery/kind.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { readDocuments } from './documents.ts'
import type { Io } from './io.ts'
import { errorsOf, type Finding, inspect } from './inspect.ts'

export interface RenderOptions {
  readonly filename: readonly string[]
  readonly output: 'yaml' | 'json'
}

/** Stands where a server would put the uid of the ModelBooster. */
export const offlineUid = 'uid-comes-from-the-server'

/** Objects that are no ModelBooster are what they would be applied as, so they are left out. */
export function render(options: RenderOptions, io: Io): void {
  const documents = readDocuments(options.filename)
  const children: AnyResource[] = []
  for (const document of documents) {
    const { object, findings } = inspect(document)
    const errors = errorsOf(findings)
    if (errors.length > 0) throw new Fault('invalid', 'InvalidObject', errors.map(lineOf).join('\n  '))
    if (!isOfKind(object, ModelBooster)) continue
    const { metadata } = object
    children.push(
      ...childrenOf({ ...object, metadata: { namespace: 'default', uid: offlineUid, generation: 1, ...metadata } }),
    )
  }
  if (children.length === 0) throw new Fault('invalid', 'NoBooster', `no ModelBooster in ${options.filename.join(', ')}`)
  if (options.output === 'json') io.write(`${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: children }, null, 2)}\n`)
  else io.write(children.map((child) => `---\n${stringify(child, { version: '1.1', aliasDuplicateObjects: false, lineWidth: 0 })}`).join(''))
}

const lineOf = ({ at, error }: Finding): string => `${at}: ${formatFieldError(error)}`
