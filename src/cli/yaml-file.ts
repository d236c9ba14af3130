import { readFileSync } from 'node:fs'
import { parse } from 'yaml'
import { Fault, messageOf } from '#base/fault.ts'

/** The content of a file that an option names. */
export function yamlIn(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8')) as unknown
  } catch (error) {
    throw new Fault('invalid', 'BadFile', `${file}: ${messageOf(error)}`, { cause: error })
  }
}
