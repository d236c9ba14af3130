import type { StringMatch } from '#api/model-route.ts'
import { compileRe2 } from '#machinery/re2.ts'

export type StringTest = (value: string) => boolean

/**
 * If several members are set: exact, then prefix, then regex; none matches everything. A regex is RE2, found anywhere in
 * the value in linear time, so that no route's author can stop the router; one that does not compile matches nothing.
 */
export function compileStringMatch({ exact, prefix, regex }: StringMatch): StringTest {
  if (exact !== undefined) return (value) => value === exact
  if (prefix !== undefined) return (value) => value.startsWith(prefix)
  if (regex === undefined) return () => true
  const compiled = compileRe2(regex)
  return (value) => compiled?.test(value) === true
}
