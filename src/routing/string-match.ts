import { compileRe2 } from '#machinery/re2.ts'

/** A ModelRoute's `StringMatch`. If several members are set: exact, then prefix, then regex; none matches everything. */
export interface StringMatch {
  readonly exact?: string | undefined
  readonly prefix?: string | undefined
  /** RE2, found anywhere in the value; matched in linear time, so that no route's author can stop the router. */
  readonly regex?: string | undefined
}

export type StringTest = (value: string) => boolean

/** A regex that does not compile matches nothing; `hasBrokenRegex` tells. */
export function compileStringMatch({ exact, prefix, regex }: StringMatch): StringTest {
  if (exact !== undefined) return (value) => value === exact
  if (prefix !== undefined) return (value) => value.startsWith(prefix)
  if (regex === undefined) return () => true
  const compiled = compileRe2(regex)
  return (value) => compiled?.test(value) === true
}

export function hasBrokenRegex({ regex }: StringMatch): boolean {
  return regex !== undefined && compileRe2(regex) === undefined
}
