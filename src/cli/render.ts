import { dialectOf } from '#api/dialects.ts'
import { isBooster } from '#api/family-kinds.ts'
import { Fault } from '#base/fault.ts'
import { childrenOf, convert } from '#booster/convert.ts'
import type { AnyResource } from '#machinery/meta.ts'
import { readDocuments, type UserDocument } from './documents.ts'
import type { Io } from './io.ts'
import { errorsOf, inspect, lineOf } from './inspect.ts'
import { manifestOf } from './yaml.ts'

export interface RenderOptions {
  readonly filename: readonly string[]
  readonly output: 'yaml' | 'json'
}

/** Stands where a server would put the uid of the ModelBooster. */
export const offlineUid = 'uid-comes-from-the-server'

/** What is no ModelBooster has no children and is passed over. */
export function render(options: RenderOptions, io: Io): void {
  const children = readDocuments(options.filename).flatMap(childrenIn)
  if (children.length === 0)
    throw new Fault('invalid', 'NoBooster', `no ModelBooster in ${options.filename.join(', ')}`)
  io.write(manifestOf(children, options.output))
}

function childrenIn(document: UserDocument): AnyResource[] {
  const { object, findings } = inspect(document)
  const errors = errorsOf(findings)
  if (errors.length > 0) throw new Fault('invalid', 'InvalidObject', errors.map(lineOf).join('\n  '))
  if (!isBooster(object)) return []
  const metadata = { namespace: 'default', uid: offlineUid, generation: 1, ...object.metadata }
  const conversion = convert({ ...object, metadata }, dialectOf(object).images)
  if (conversion.ok) return childrenOf(conversion.desired)
  const said = conversion.errors.map((error) => lineOf({ at: document.at(error.field), error }))
  throw new Fault('invalid', 'InvalidObject', said.join('\n  '))
}
