import { compileRegex } from './linear-regex.ts'

/** A ModelRoute's `StringMatch`. If several members are set: exact, then prefix, then regex; none matches everything. */
export interface StringMatch {
  readonly exact?: string | undefined
  readonly prefix?: string | undefined
  readonly regex?: string | undefined
}

export type StringTest = (value: string) => boolean

const always: StringTest = () => true
const never: StringTest = () => false

/** A regex that does not compile matches nothing; `stringMatchError` says why. */
export function compileStringMatch(match: StringMatch): StringTest {
  const { exact, prefix, regex } = match
  if (exact !== undefined) return (value) => value === exact
  if (prefix !== undefined) return (value) => value.startsWith(prefix)
  if (regex === undefined) return always
  const compiled = compileRegex(regex)
  return 'regex' in compiled ? (value) => compiled.regex.test(value) : never
}

export function stringMatchError(match: StringMatch): string | undefined {
  if (match.regex === undefined) return undefined
  const compiled = compileRegex(match.regex)
  return 'error' in compiled ? compiled.error : undefined
}
